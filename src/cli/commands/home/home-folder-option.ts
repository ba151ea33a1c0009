import { resolve } from 'node:path';
import { getHomeFolder } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function resolveHomeFolder(command: CliCommand): string {
  return resolve(command.optsWithGlobals<{ home?: string }>().home ?? getHomeFolder(command.cli.env));
}
