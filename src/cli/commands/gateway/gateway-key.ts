import type { GatewayKey, KeyAction } from '../../../app/gateway/gateway-key.ts';
import type { GatewayPaths } from '../../../app/gateway/settings-file.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { serverPaths } from '../server/places.ts';

interface KeyOptions {
  readonly type: 'EC' | 'RSA';
  readonly show?: boolean;
  readonly rotate?: boolean;
  readonly confirm?: boolean;
  readonly rewrap?: boolean;
  readonly addWrappingKey?: boolean;
}

export function addGatewayKeyCommand(gateway: CliCommand): void {
  gateway
    .command('key')
    .description(
      "Create the key of the gateway's clients at the identity provider (private_key_jwt), which it uses to request approvals and to reach the broker. Prints the public key and what to register. To replace a key, use --rotate, then --confirm once the provider has the new key.",
    )
    .addOption(
      createChoiceOption(
        '--type <type>',
        'key type: EC for ES256, or RSA for providers that only support RS256, such as Auth0',
        ['EC', 'RSA'],
      ).default('EC'),
    )
    .option('--show', 'only print the active key')
    .option('--rotate', 'create the next key, which you register in addition to the active key')
    .option('--confirm', 'test the registered next key and switch to it')
    .option('--rewrap', "rewrap the gateway's keys with the newest wrapping key (kms in gateway.yaml)")
    .option(
      '--add-wrapping-key',
      'add a wrapping key to the file that "kms" in gateway.yaml names, and use it from now on',
    )
    .examples(
      ['trade-agent gateway key --type RSA', 'for Auth0, which needs the PEM'],
      ['trade-agent gateway key --rotate', 'the first step of replacing the key'],
    )
    .runs((context, options: KeyOptions, command: CliCommand) =>
      printKey(context, serverPaths(command, 'gateway'), options),
    );
}

async function printKey(context: Context, places: GatewayPaths, options: KeyOptions): Promise<void> {
  const step = keyStep(options);
  if (step === 'addWrappingKey') return await addWrappingKey(context, places);
  const { runGatewayKeyAction } = await import('../../../app/gateway/gateway-key.ts');
  const key = await runGatewayKeyAction(context, places, step, options.type);
  const { status, file, jwk, pem, clients } = key;
  await context.output.result('gateway-key', { status, file, jwk, pem, clients }, () => keyText(key));
}

function keyText({ status, file, jwk, pem, clients }: GatewayKey): string {
  const where = file ?? 'the gateways’ database, wrapped';
  if (status === 'rewrapped') return 'All keys of the gateway are wrapped with the newest wrapping key.';
  if (status === 'rotated') {
    return `The new key ${jwk.kid ?? ''} is in ${where}. Restart ${file === null ? 'each gateway' : 'the gateway'}. Then you can remove the old key at the provider.`;
  }
  const paragraphs = [
    `The private key is in ${where}. Register this at the identity provider:`,
    JSON.stringify(jwk),
    pem.trimEnd(),
    ...clients.map((client) => `for a client like this:\n${JSON.stringify(client, null, 2)}`),
  ];
  if (status === 'waiting') {
    const others =
      ', and restart each gateway, so that every gateway can decrypt what another one encrypts with the new key';
    paragraphs.push(
      `Keep the old key at the provider${file === null ? others : ''}. Then run "trade-agent gateway key --confirm".`,
    );
  }
  return paragraphs.join('\n\n');
}

async function addWrappingKey(context: Context, places: GatewayPaths): Promise<void> {
  const { addGatewayWrappingKey } = await import('../../../app/gateway/gateway-key.ts');
  const file = await addGatewayWrappingKey(places);
  await context.output.result(
    'gateway-wrapping-key',
    { file },
    () =>
      `The newest wrapping key is in ${file}. Copy the file to each gateway’s machine, then run "trade-agent gateway key --rewrap".`,
  );
}

const steps = ['show', 'rotate', 'confirm', 'rewrap', 'addWrappingKey'] as const;

function keyStep(options: KeyOptions): KeyAction | 'addWrappingKey' {
  const [step = 'make', ...more] = steps.filter((name) => options[name]);
  if (more.length === 0) return step;
  throw new TradeAgentError('usage', 'use only one of --show, --rotate, --confirm, --rewrap and --add-wrapping-key', {
    hint: 'Use --rotate first, then --confirm once the provider has the new key.',
  });
}
