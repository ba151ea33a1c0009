import { resolve } from 'node:path';
import type { CliCommand, ServerParts } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { type AddressFlags, addAddressOptions, addressPlaceOf } from '../../options/address-place.ts';
import { portUpTo } from '../../options/choice.ts';
import { addListeningOptions, type ListeningFlags, listeningOf } from '../../options/listening.ts';
import { requestLine } from '../../text/request-line.ts';
import { addServerKey } from './server-key.ts';
import { addServerPlaces, serverPlacesOf } from './server-places.ts';

interface ServerOptions extends ListeningFlags {
  readonly host: string;
  readonly port: number;
  readonly readyFile?: string;
}

export function addServerCommand(program: CliCommand): void {
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
    .examples(
      ['trade-agent server key', "make the key of the server's client, and print what to register"],
      ['trade-agent server migrate --url-file owner-url', 'make the tables'],
      ['trade-agent server', 'serve at 127.0.0.1:7090, for a TLS proxy on this machine'],
      ['trade-agent worker', 'do what is asked of it, on this machine or another'],
    )
    .serves(serve);
  addServerKey(server);
  addServerMigrate(server);
}

async function serve(
  parts: ServerParts,
  output: Output,
  { host, port, readyFile, ...flags }: ServerOptions,
  command: CliCommand,
): Promise<void> {
  const { serveServer } = await import('../../../app/server/serve-server.ts');
  const places = serverPlacesOf(command);
  await serveServer(parts, {
    ...places,
    env: command.cli.env,
    host,
    port,
    ...listeningOf(flags),
    ...(readyFile === undefined ? {} : { readyFile: resolve(readyFile) }),
    log: (entry) => parts.tell(requestLine(entry)),
    ready: async ({ address, issuer, gateway, tenant, url, pid }) => {
      await output.result('server', { address, issuer, gateway, tenant, url, home: places.home, pid }, () =>
        [`Server             ${address} (${tenant})`, `listens at         ${url}`].join('\n'),
      );
      parts.tell('Ctrl-C ends it; what was asked goes on at the workers.');
    },
  });
}

function addServerMigrate(server: CliCommand): void {
  addAddressOptions(
    server
      .command('migrate')
      .description(
        "makes the server's tables in a PostgreSQL database, or brings them up to date, by the login that owns them; also while servers and workers run",
      ),
    "the server's folder",
  )
    .examples([
      'trade-agent server migrate --url-file owner-url',
      'before the first server, and after each update',
    ])
    .runs(async (context, flags: AddressFlags, command: CliCommand) => {
      const place = addressPlaceOf(flags);
      const { migrateServer } = await import('../../../app/server/server-places.ts');
      const { from, to } = await migrateServer(context, serverPlacesOf(command), place);
      await context.output.result('server-migrate', { from, to }, () =>
        from === to
          ? `The tables are of version ${to} already.`
          : `The tables are of version ${to} now; they were of ${from}.`,
      );
    });
}
