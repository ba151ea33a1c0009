import type { GatewayKey, KeyStep } from '../../../app/gateway/gateway-key.ts';
import type { GatewayPlaces } from '../../../app/gateway/settings-file.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption } from '../../options/choice.ts';
import { placesOf } from '../server/places.ts';

interface KeyOptions {
  readonly type: 'EC' | 'RSA';
  readonly show?: boolean;
  readonly rotate?: boolean;
  readonly confirm?: boolean;
  readonly rewrap?: boolean;
  readonly addWrappingKey?: boolean;
}

export function addGatewayKey(gateway: CliCommand): void {
  gateway
    .command('key')
    .description(
      "Makes the key of the gateway's clients at the identity provider (private_key_jwt), by which it asks for approvals and reaches the broker, and prints its public half and what to register. A key is replaced in two steps: --rotate, and --confirm once the provider knows the new one.",
    )
    .addOption(
      choiceOption('--type <type>', 'EC for ES256; RSA (RS256) for providers that take no other, as Auth0', [
        'EC',
        'RSA',
      ]).default('EC'),
    )
    .option('--show', 'only print the key in use')
    .option('--rotate', 'make the next key, to be registered beside the one in use')
    .option('--confirm', 'the next key was registered: try it, and switch to it')
    .option('--rewrap', "wrap the gateway's own keys by the newest wrapping key (kms in gateway.yaml)")
    .option(
      '--add-wrapping-key',
      'add a wrapping key to the file that kms names, by which all is wrapped from then on',
    )
    .examples(
      ['trade-agent gateway key --type RSA', 'for Auth0, which takes the PEM'],
      ['trade-agent gateway key --rotate', 'the first step to another key'],
    )
    .runs((context, options: KeyOptions, command: CliCommand) =>
      printKey(context, placesOf(command, 'gateway'), options),
    );
}

async function printKey(context: Context, places: GatewayPlaces, options: KeyOptions): Promise<void> {
  const step = stepOf(options);
  if (step === 'addWrappingKey') return await addWrappingKey(context, places);
  const { gatewayKey } = await import('../../../app/gateway/gateway-key.ts');
  const key = await gatewayKey(context, places, step, options.type);
  const { status, file, jwk, pem, clients } = key;
  await context.output.result('gateway-key', { status, file, jwk, pem, clients }, () => keyText(key));
}

function keyText({ status, file, jwk, pem, clients }: GatewayKey): string {
  const where = file ?? 'the gateways’ database, wrapped';
  if (status === 'rewrapped') return 'All keys of the gateway are wrapped by the newest wrapping key.';
  if (status === 'rotated') {
    return `The new key ${jwk.kid ?? ''} is in ${where}. Start ${file === null ? 'each gateway' : 'the gateway'} again; then the old one can be removed at the provider.`;
  }
  const paragraphs = [
    `The private key is in ${where}. Register this at the identity provider:`,
    JSON.stringify(jwk),
    pem.trimEnd(),
    ...clients.map((client) => `for a client like this:\n${JSON.stringify(client, null, 2)}`),
  ];
  if (status === 'waiting') {
    const others =
      ', and start each gateway again: what one seals by the next keys the others must be able to open';
    paragraphs.push(
      `Keep the old key there${file === null ? others : ''}. Then run "trade-agent gateway key --confirm".`,
    );
  }
  return paragraphs.join('\n\n');
}

async function addWrappingKey(context: Context, places: GatewayPlaces): Promise<void> {
  const { addGatewayWrappingKey } = await import('../../../app/gateway/gateway-key.ts');
  const file = await addGatewayWrappingKey(places);
  await context.output.result(
    'gateway-wrapping-key',
    { file },
    () =>
      `The newest wrapping key is in ${file}. Give the file to each machine that has it; then run "trade-agent gateway key --rewrap".`,
  );
}

const steps = ['show', 'rotate', 'confirm', 'rewrap', 'addWrappingKey'] as const;

function stepOf(options: KeyOptions): KeyStep | 'addWrappingKey' {
  const [step = 'make', ...more] = steps.filter((name) => options[name]);
  if (more.length === 0) return step;
  throw new TradeAgentError('usage', '--show, --rotate, --confirm and the others are one at a time', {
    hint: 'First --rotate; then --confirm, once the provider knows the new key.',
  });
}
