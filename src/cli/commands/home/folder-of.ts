import { resolve } from 'node:path';
import { homeFolder } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

/** The folder of the home that a command is about. */
export function folderOf(command: CliCommand): string {
  return resolve(command.optsWithGlobals<{ home?: string }>().home ?? homeFolder(command.cli.env));
}
