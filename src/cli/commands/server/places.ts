import { join, resolve } from 'node:path';
import { gatewayHome, serverHome } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

const homes = { gateway: gatewayHome, server: serverHome } as const;

export function serverPaths(command: CliCommand, what: keyof typeof homes): { home: string; config: string } {
  const { home, config } = command.optsWithGlobals<{ home?: string; config?: string }>();
  const folder = resolve(home ?? homes[what](command.cli.env));
  return { home: folder, config: resolve(config ?? join(folder, `${what}.yaml`)) };
}

export function addServerPlaces(command: CliCommand): CliCommand {
  return command
    .option('--home <folder>', "the server's folder with its key (default: next to the agent's)")
    .option('--config <file>', 'the settings file (default: server.yaml in that folder)');
}
