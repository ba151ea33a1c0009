import { join, resolve } from 'node:path';
import { getGatewayFolder, getServerFolder } from '../../../machine/directories.ts';
import type { CliCommand } from '../../context/cli-command.ts';

const defaultHomes = { gateway: getGatewayFolder, server: getServerFolder } as const;

export function serverPaths(command: CliCommand, what: keyof typeof defaultHomes): { home: string; config: string } {
  const { home, config } = command.optsWithGlobals<{ home?: string; config?: string }>();
  const folder = resolve(home ?? defaultHomes[what](command.cli.env));
  return { home: folder, config: resolve(config ?? join(folder, `${what}.yaml`)) };
}

export function addServerPathOptions(command: CliCommand): CliCommand {
  return command
    .option('--home <folder>', "the server's folder with its key (default: next to the agent's)")
    .option('--config <file>', 'the settings file (default: server.yaml in that folder)');
}
