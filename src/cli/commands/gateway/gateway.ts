import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import type { GatewayPlaces } from '../../../app/gateway/settings-file.ts';
import { gatewayHome } from '../../../machine/directories.ts';
import type { Cli } from '../../context/cli.ts';
import type { Output } from '../../context/output.ts';
import { runServer, type ServerParts } from '../../context/run-server.ts';
import { portUpTo } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { addListeningOptions, type ListeningFlags, listeningOf } from '../../options/listening.ts';
import { requestLine } from '../../text/request-line.ts';
import { addGatewayKey } from './gateway-key.ts';
import { addGatewayMigrate } from './gateway-migrate.ts';
import { addGatewayRecord } from './gateway-record.ts';

interface GatewayCommandOptions extends ListeningFlags {
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
    .option('--port <number>', 'the port; 0 for a free one', portUpTo(65_535), 7070);
  addListeningOptions(gateway)
    .option('--ready-file <file>', 'write address and process id there once it serves')
    .addHelpText(
      'after',
      examples([
        ['trade-agent gateway key', "make the key of the gateway's clients, and print what to register"],
        ['trade-agent gateway audit verify', 'find out whether its record is whole'],
        ['trade-agent gateway', 'serve at 127.0.0.1:7070, for a TLS proxy on this machine'],
        [
          'trade-agent gateway --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem',
          'speak TLS to everybody',
        ],
        ['trade-agent gateway --host 10.0.0.5 --proxy 10.0.0.2', 'serve the proxy at 10.0.0.2 alone'],
      ]) + exitCodes([exits.busy]),
    )
    .action((options: GatewayCommandOptions, command: Command) =>
      runServer(cli, command, (parts, output) =>
        serve(parts, output, { ...options, ...placesOf(cli, options), env: cli.env }),
      ),
    );

  addGatewayKey(gateway, cli, (options) => placesOf(cli, options));
  addGatewayRecord(gateway, cli, (options) => placesOf(cli, options));
  addGatewayMigrate(gateway, cli, (options) => placesOf(cli, options));
}

function placesOf(cli: Cli, { home, config }: Pick<GatewayCommandOptions, 'home' | 'config'>): GatewayPlaces {
  const folder = resolve(home ?? gatewayHome(cli.env));
  return { home: folder, config: resolve(config ?? join(folder, 'gateway.yaml')) };
}

async function serve(
  parts: ServerParts,
  output: Output,
  {
    home,
    config,
    env,
    host,
    port,
    readyFile,
    ...flags
  }: GatewayCommandOptions & GatewayPlaces & { readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const { serveGateway } = await import('../../../app/gateway/serve-gateway.ts');
  await serveGateway(parts, {
    home,
    config,
    env,
    host,
    port,
    ...listeningOf(flags),
    ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
    log: (entry) => parts.tell(requestLine(entry)),
    ready: async ({ resource, issuer, environment, url, pid }) => {
      await output.result('gateway', { resource, issuer, environment, url, home, pid }, () =>
        [`Gateway            ${resource} (${environment})`, `listens at         ${url}`].join('\n'),
      );
      parts.tell('Ctrl-C ends it; its journal is kept.');
    },
  });
}
