import { exits } from '../../../app/exit-codes.ts';
import type { CliCommand, ServerParts } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { addServingOptions, type ServingFlags, servingOf } from '../../options/listening.ts';
import { requestLine } from '../../text/request-line.ts';
import { addMigrate } from '../server/migrate.ts';
import { placesOf } from '../server/places.ts';
import { addGatewayKey } from './gateway-key.ts';
import { addGatewayRecord } from './gateway-record.ts';

export function addGatewayCommand(program: CliCommand): void {
  const gateway = program
    .command('gateway')
    .description(
      'serve the order gateway of your own identity provider and broker (the sandbox brings one along)',
    )
    .option(
      '--home <folder>',
      "the gateway's own folder: its key and its journal (default: one beside the agent's)",
    )
    .option('--config <file>', 'what it serves (default: gateway.yaml in that folder)');
  addServingOptions(gateway, 7070)
    .examples(
      ['trade-agent gateway key', "make the key of the gateway's clients, and print what to register"],
      ['trade-agent gateway audit verify', 'find out whether its record is whole'],
      ['trade-agent gateway', 'serve at 127.0.0.1:7070, for a TLS proxy on this machine'],
      [
        'trade-agent gateway --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem',
        'speak TLS to everybody',
      ],
      ['trade-agent gateway --host 10.0.0.5 --proxy 10.0.0.2', 'serve the proxy at 10.0.0.2 alone'],
    )
    .exits(exits.busy)
    .serves(serve);

  addGatewayKey(gateway);
  addGatewayRecord(gateway);
  addMigrate(gateway, 'gateway', 'gateways', async (...args) =>
    (await import('../../../app/gateway/gateway-database.ts')).migrateDatabase(...args),
  );
}

async function serve(
  parts: ServerParts,
  output: Output,
  flags: ServingFlags,
  command: CliCommand,
): Promise<void> {
  const { serveGateway } = await import('../../../app/gateway/serve-gateway.ts');
  const places = placesOf(command, 'gateway');
  await serveGateway(parts, {
    ...places,
    env: command.cli.env,
    ...servingOf(flags),
    log: (entry) => parts.tell(requestLine(entry)),
    ready: async ({ resource, issuer, environment, url, pid }) => {
      await output.result('gateway', { resource, issuer, environment, url, home: places.home, pid }, () =>
        [`Gateway            ${resource} (${environment})`, `listens at         ${url}`].join('\n'),
      );
      parts.tell('Ctrl-C ends it; its journal is kept.');
    },
  });
}
