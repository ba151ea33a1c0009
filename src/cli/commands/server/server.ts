import type { ServerPaths } from '../../../app/server/server-places.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand, ServingContext } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import type { Output } from '../../context/output.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { addServingOptions, type ServingFlags, toServeOptions } from '../../options/listening.ts';
import { addMigrateCommand } from './migrate.ts';
import { addServerPathOptions, serverPaths } from './places.ts';

export function addServerCommand(program: CliCommand): void {
  const server = addServerPathOptions(
    program
      .command('server')
      .description(
        'run the agents of many users, on PostgreSQL: clients connect with --server, workers run the requests',
      ),
  );
  addServingOptions(server, 7090)
    .examples(
      ['trade-agent server key', "create the key of the server's client and print what to register"],
      ['trade-agent server migrate --url-file owner-url', 'create the tables'],
      ['trade-agent server', 'listen on 127.0.0.1:7090, behind a TLS proxy on this machine'],
      ['trade-agent worker', 'run requests, on this machine or another'],
    )
    .serves(serve);
  addServerKey(server);
  addMigrateCommand(server, 'server', 'servers and workers', async (...args) =>
    (await import('../../../app/server/server-places.ts')).migrateServer(...args),
  );
}

async function serve(parts: ServingContext, output: Output, flags: ServingFlags, command: CliCommand): Promise<void> {
  const { serveServer } = await import('../../../app/server/serve-server.ts');
  const places = serverPaths(command, 'server');
  await serveServer(parts, {
    ...places,
    env: command.cli.env,
    ...toServeOptions(flags),
    ready: async ({ address, issuer, gateway, tenant, url, pid }) => {
      await output.result('server', { address, issuer, gateway, tenant, url, home: places.home, pid }, () =>
        [`Server             ${address} (${tenant})`, `Listening on       ${url}`].join('\n'),
      );
      parts.log.tell('Press Ctrl-C to stop. Workers continue running requests.');
    },
  });
}

interface KeyOptions {
  readonly type: 'EC' | 'RSA';
  readonly show?: boolean;
  readonly addWrappingKey?: boolean;
  readonly rewrap?: boolean;
}

function addServerKey(server: CliCommand): void {
  server
    .command('key')
    .description(
      "create the key of the server's client at the identity provider (private_key_jwt), which it uses to exchange users' tokens, and print the public key; also manage the keys that encrypt users' sessions",
    )
    .addOption(
      createChoiceOption('--type <type>', 'key type: EC for ES256, or RSA for providers that only support RS256', [
        'EC',
        'RSA',
      ]).default('EC'),
    )
    .option('--show', 'only print the active key')
    .option(
      '--add-wrapping-key',
      'add a wrapping key to the file that "kms" in server.yaml names, and use it from now on',
    )
    .option('--rewrap', 'rewrap the keys in the database with the newest wrapping key')
    .examples(
      ['trade-agent server key --show', 'the key to register at the identity provider'],
      ['trade-agent server key --add-wrapping-key', 'before starting the first server, if kms is a file'],
    )
    .runs((context, options: KeyOptions, command: CliCommand) =>
      manageKeys(context, serverPaths(command, 'server'), options),
    );
}

async function manageKeys(context: Context, places: ServerPaths, options: KeyOptions): Promise<void> {
  const { output } = context;
  switch (keyStep(options)) {
    case 'addWrappingKey': {
      const { addServerWrappingKey } = await import('../../../app/server/server-places.ts');
      const file = await addServerWrappingKey(places);
      return await output.result(
        'server-wrapping-key',
        { file },
        () =>
          `The newest wrapping key is in ${file}. Copy the file to each server’s machine. Then, if there were earlier keys, run "trade-agent server key --rewrap".`,
      );
    }
    case 'rewrap': {
      const { rewrapServerKeys } = await import('../../../app/server/server-places.ts');
      const keys = await rewrapServerKeys(context, places);
      return await output.result(
        'server-rewrap',
        { keys },
        () => `${keys} ${keys === 1 ? 'key is' : 'keys are'} wrapped with the newest wrapping key.`,
      );
    }
    default: {
      const { createOrShowServerKey } = await import('../../../app/server/server-places.ts');
      const { show = false, type: kty } = options;
      const { status, file, jwk, pem } = await createOrShowServerKey(places, { show, kty });
      await output.result('server-key', { status, file, jwk, pem }, () =>
        [
          `The private key is in ${file}. Register this at the identity provider:`,
          JSON.stringify(jwk),
          pem.trimEnd(),
        ].join('\n\n'),
      );
    }
  }
}

const steps = ['show', 'addWrappingKey', 'rewrap'] as const;

function keyStep(options: KeyOptions): (typeof steps)[number] | undefined {
  const [step, ...more] = steps.filter((name) => options[name]);
  if (more.length === 0) return step;
  throw new TradeAgentError('usage', 'use only one of --show, --add-wrapping-key and --rewrap', {
    hint: 'Use --add-wrapping-key first, then --rewrap once each machine has the file.',
  });
}
