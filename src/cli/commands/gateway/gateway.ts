import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { gatewayHome } from '../../../machine/home.ts';
import type { Cli, GlobalOptions } from '../../cli.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { portUpTo } from '../../options/port.ts';
import { createOutput } from '../../output.ts';
import { addGatewayKey } from './gateway-key.ts';
import { addGatewayRecord } from './gateway-record.ts';

interface GatewayCommandOptions {
  readonly home?: string;
  readonly config?: string;
  readonly host: string;
  readonly port: number;
  readonly readyFile?: string;
}

export function addGatewayCommand(program: Command, cli: Cli): void {
  const gateway = program
    .command('gateway')
    .description(
      'serve the order gateway of your own identity provider and broker (the sandbox brings one along)',
    )
    .option(
      '--home <folder>',
      "the gateway's own folder: its key and its journal (default: one beside the agent's)",
    )
    .option('--config <file>', 'what it serves (default: gateway.yaml in that folder)')
    .option('--host <address>', 'the address of this machine to listen at', '127.0.0.1')
    .option('--port <number>', 'the port; 0 for a free one', portUpTo(65_535), 7070)
    .option('--ready-file <file>', 'write address and process id there once it serves')
    .addHelpText(
      'after',
      examples([
        ['trade-agent gateway key', "make the key of the gateway's clients, and print what to register"],
        ['trade-agent gateway audit verify', 'find out whether its record is whole'],
        ['trade-agent gateway', 'serve at 127.0.0.1:7070, for the TLS proxy in front of it'],
      ]) + exitCodes([12]),
    )
    .action(async (options: GatewayCommandOptions, command: Command) => {
      const { timeout, output } = command.optsWithGlobals<GlobalOptions>();
      if (timeout !== undefined) cli.interruption.limit(timeout);
      const { serveGateway } = await import('../../gateway/serve-gateway.ts');
      await serveGateway(
        cli,
        {
          ...placesOf(cli, options),
          host: options.host,
          port: options.port,
          ...(options.readyFile === undefined ? {} : { readyFile: resolve(options.readyFile) }),
        },
        createOutput(cli.io, output),
      );
    });

  addGatewayKey(gateway, cli, (options) => placesOf(cli, options));
  addGatewayRecord(gateway, cli, (options) => placesOf(cli, options).home);
}

function placesOf(cli: Cli, { home, config }: Pick<GatewayCommandOptions, 'home' | 'config'>) {
  const folder = resolve(home ?? gatewayHome(cli.env));
  return { home: folder, config: resolve(config ?? join(folder, 'gateway.yaml')) };
}
