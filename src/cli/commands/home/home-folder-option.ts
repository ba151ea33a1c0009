import { resolve } from 'node:path';
import { homeFolder } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function resolveHomeFolder(command: CliCommand): string {
  return resolve(command.optsWithGlobals<{ home?: string }>().home ?? homeFolder(command.cli.env));
}
