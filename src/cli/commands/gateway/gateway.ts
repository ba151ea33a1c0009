import { exitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand, ServingContext } from '../../context/cli-command.ts';
import type { Output } from '../../context/output.ts';
import { addServingOptions, type ServingFlags, toServeOptions } from '../../options/listening.ts';
import { addMigrateCommand } from '../server/migrate.ts';
import { serverPaths } from '../server/places.ts';
import { addGatewayKeyCommand } from './gateway-key.ts';
import { addGatewayRecordCommands } from './gateway-record.ts';

export function addGatewayCommand(program: CliCommand): void {
  const gateway = program
    .command('gateway')
    .description('run the order gateway for your own identity provider and broker (the sandbox includes one)')
    .option('--home <folder>', "the gateway's folder with its key and journal (default: next to the agent's)")
    .option('--config <file>', 'the settings file (default: gateway.yaml in that folder)');
  addServingOptions(gateway, 7070)
    .examples(
      ['trade-agent gateway key', "create the key of the gateway's clients and print what to register"],
      ['trade-agent gateway audit verify', 'check that its audit log is intact'],
      ['trade-agent gateway', 'listen on 127.0.0.1:7070, behind a TLS proxy on this machine'],
      [
        'trade-agent gateway --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem',
        'serve TLS on all addresses',
      ],
      ['trade-agent gateway --host 10.0.0.5 --proxy 10.0.0.2', 'accept connections only from the proxy at 10.0.0.2'],
    )
    .exits(exitCodes.busy)
    .serves(serve);

  addGatewayKeyCommand(gateway);
  addGatewayRecordCommands(gateway);
  addMigrateCommand(gateway, 'gateway', 'gateways', async (...args) =>
    (await import('../../../app/gateway/gateway-database.ts')).migrateDatabase(...args),
  );
}

async function serve(parts: ServingContext, output: Output, flags: ServingFlags, command: CliCommand): Promise<void> {
  const { serveGateway } = await import('../../../app/gateway/serve-gateway.ts');
  const places = serverPaths(command, 'gateway');
  await serveGateway(parts, {
    ...places,
    env: command.cli.env,
    ...toServeOptions(flags),
    ready: async ({ resource, issuer, environment, url, pid }) => {
      await output.result('gateway', { resource, issuer, environment, url, home: places.home, pid }, () =>
        [`Gateway            ${resource} (${environment})`, `Listening on       ${url}`].join('\n'),
      );
      parts.log.tell('Press Ctrl-C to stop. The journal is kept.');
    },
  });
}
