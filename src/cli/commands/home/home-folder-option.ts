import { resolve } from 'node:path';
import { getHomeDataFolder } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function resolveHomeFolder(command: CliCommand): string {
  return resolve(command.optsWithGlobals<{ home?: string }>().home ?? getHomeDataFolder(command.cli.env));
}
