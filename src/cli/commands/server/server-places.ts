import { join, resolve } from 'node:path';
import type { ServerPlaces } from '../../../app/server/server-places.ts';
import { serverHome } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

export function addServerPlaces(command: CliCommand): CliCommand {
  return command
    .option('--home <folder>', "the server's own folder: its key (default: one beside the agent's)")
    .option('--config <file>', 'what it serves (default: server.yaml in that folder)');
}

export function serverPlacesOf(command: CliCommand): ServerPlaces {
  const { home, config } = command.optsWithGlobals<{ home?: string; config?: string }>();
  const folder = resolve(home ?? serverHome(command.cli.env));
  return { home: folder, config: resolve(config ?? join(folder, 'server.yaml')) };
}
