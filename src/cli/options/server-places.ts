import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { ServerPlaces } from '../../app/server/server-places.ts';
import { serverHome } from '../../machine/directories.ts';

export interface PlacesFlags {
  readonly home?: string;
  readonly config?: string;
}

export function addServerPlaces(command: Command): Command {
  return command
    .option('--home <folder>', "the server's own folder: its key (default: one beside the agent's)")
    .option('--config <file>', 'what it serves (default: server.yaml in that folder)');
}

export function serverPlacesOf(
  { env }: { readonly env: NodeJS.ProcessEnv },
  { home, config }: PlacesFlags,
): ServerPlaces {
  const folder = resolve(home ?? serverHome(env));
  return { home: folder, config: resolve(config ?? join(folder, 'server.yaml')) };
}
