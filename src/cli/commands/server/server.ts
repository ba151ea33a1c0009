import type { CliCommand, ServerParts } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { addServingOptions, type ServingFlags, servingOf } from '../../options/listening.ts';
import { requestLine } from '../../text/request-line.ts';
import { addMigrate } from './migrate.ts';
import { addServerPlaces, placesOf } from './places.ts';
import { addServerKey } from './server-key.ts';

export function addServerCommand(program: CliCommand): void {
  const server = addServerPlaces(
    program
      .command('server')
      .description(
        "serve many people's agents, on PostgreSQL: laptops by --server, workers do what is asked",
      ),
  );
  addServingOptions(server, 7090)
    .examples(
      ['trade-agent server key', "make the key of the server's client, and print what to register"],
      ['trade-agent server migrate --url-file owner-url', 'make the tables'],
      ['trade-agent server', 'serve at 127.0.0.1:7090, for a TLS proxy on this machine'],
      ['trade-agent worker', 'do what is asked of it, on this machine or another'],
    )
    .serves(serve);
  addServerKey(server);
  addMigrate(server, 'server', 'servers and workers', async (...args) =>
    (await import('../../../app/server/server-places.ts')).migrateServer(...args),
  );
}

async function serve(
  parts: ServerParts,
  output: Output,
  flags: ServingFlags,
  command: CliCommand,
): Promise<void> {
  const { serveServer } = await import('../../../app/server/serve-server.ts');
  const places = placesOf(command, 'server');
  await serveServer(parts, {
    ...places,
    env: command.cli.env,
    ...servingOf(flags),
    log: (entry) => parts.tell(requestLine(entry)),
    ready: async ({ address, issuer, gateway, tenant, url, pid }) => {
      await output.result('server', { address, issuer, gateway, tenant, url, home: places.home, pid }, () =>
        [`Server             ${address} (${tenant})`, `listens at         ${url}`].join('\n'),
      );
      parts.tell('Ctrl-C ends it; what was asked goes on at the workers.');
    },
  });
}
