import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ServerPlaces } from '../../../app/server/server-places.ts';
import type { Cli } from '../../context/cli.ts';
import type { Output } from '../../context/output.ts';
import { runCommand } from '../../context/run-command.ts';
import { runServer, type ServerParts } from '../../context/run-server.ts';
import { type AddressFlags, addAddressOptions, addressPlaceOf } from '../../options/address-place.ts';
import { portUpTo } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { addListeningOptions, type ListeningFlags, listeningOf } from '../../options/listening.ts';
import { addServerPlaces, type PlacesFlags, serverPlacesOf } from '../../options/server-places.ts';
import { requestLine } from '../../text/request-line.ts';
import { addServerKey } from './server-key.ts';

interface ServerCommandOptions extends ListeningFlags, PlacesFlags {
  readonly host: string;
  readonly port: number;
  readonly readyFile?: string;
}

export function addServerCommand(program: Command, cli: Cli): void {
  const server = addServerPlaces(
    program
      .command('server')
      .description(
        "serve many people's agents, on PostgreSQL: laptops by --server, workers do what is asked",
      ),
  )
    .option('--host <address>', 'the address of this machine to listen at', '127.0.0.1')
    .option('--port <number>', 'the port; 0 for a free one', portUpTo(65_535), 7090);
  addListeningOptions(server)
    .option('--ready-file <file>', 'write address and process id there once it serves')
    .addHelpText(
      'after',
      examples([
        ['trade-agent server key', "make the key of the server's client, and print what to register"],
        ['trade-agent server migrate --url-file owner-url', 'make the tables'],
        ['trade-agent server', 'serve at 127.0.0.1:7090, for a TLS proxy on this machine'],
        ['trade-agent worker', 'do what is asked of it, on this machine or another'],
      ]) + exitCodes([]),
    )
    .action((options: ServerCommandOptions, command: Command) =>
      runServer(cli, command, (parts, output) =>
        serve(parts, output, { ...options, ...serverPlacesOf(cli, options), env: cli.env }),
      ),
    );
  addServerKey(server, cli);
  addServerMigrate(server, cli);
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
  }: ServerCommandOptions & ServerPlaces & { readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  const { serveServer } = await import('../../../app/server/serve-server.ts');
  await serveServer(parts, {
    home,
    config,
    env,
    host,
    port,
    ...listeningOf(flags),
    ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
    log: (entry) => parts.tell(requestLine(entry)),
    ready: async ({ address, issuer, gateway, tenant, url, pid }) => {
      await output.result('server', { address, issuer, gateway, tenant, url, home, pid }, () =>
        [`Server             ${address} (${tenant})`, `listens at         ${url}`].join('\n'),
      );
      parts.tell('Ctrl-C ends it; what was asked goes on at the workers.');
    },
  });
}

function addServerMigrate(server: Command, cli: Cli): void {
  addAddressOptions(
    server
      .command('migrate')
      .description(
        "makes the server's tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while servers and workers run",
      ),
    "the server's folder",
  )
    .addHelpText(
      'after',
      examples([
        ['trade-agent server migrate --url-file owner-url', 'before the first server, and after each update'],
      ]) + exitCodes([]),
    )
    .action((flags: AddressFlags, command: Command) =>
      runCommand(cli, command, async (context) => {
        const place = addressPlaceOf(flags);
        const { migrateServer } = await import('../../../app/server/server-places.ts');
        const { from, to } = await migrateServer(
          context,
          serverPlacesOf(cli, command.optsWithGlobals()),
          place,
        );
        await context.output.result('server-migrate', { from, to }, () =>
          from === to
            ? `The tables are of version ${to} already.`
            : `The tables are of version ${to} now; they were of ${from}.`,
        );
      }),
    );
}
