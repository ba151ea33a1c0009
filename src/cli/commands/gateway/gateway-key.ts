import type { Command } from 'commander';
import type { GatewayPlaces, KeyStep } from '../../../app/gateway/gateway-key.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

interface KeyOptions {
  readonly type: 'EC' | 'RSA';
  readonly show?: boolean;
  readonly rotate?: boolean;
  readonly confirm?: boolean;
}

export function addGatewayKey(
  gateway: Command,
  cli: Cli,
  placesOf: (options: { home?: string; config?: string }) => GatewayPlaces,
): void {
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
    .addHelpText(
      'after',
      examples([
        ['trade-agent gateway key --type RSA', 'for Auth0, which takes the PEM'],
        ['trade-agent gateway key --rotate', 'the first step to another key'],
      ]) + exitCodes([]),
    )
    .action((options: KeyOptions, command: Command) =>
      runCommand(cli, command, (context) => printKey(context, placesOf(command.optsWithGlobals()), options)),
    );
}

async function printKey(context: Context, places: GatewayPlaces, options: KeyOptions): Promise<void> {
  const step = stepOf(options);
  const { gatewayKey } = await import('../../../app/gateway/gateway-key.ts');
  const { status, file, jwk, pem, clients } = await gatewayKey(context, places, step, options.type);
  await context.output.result('gateway-key', { status, file, jwk, pem, clients }, () =>
    status === 'rotated'
      ? `The new key ${jwk.kid ?? ''} is in ${file}. Start the gateway again; then the old one can be removed at the provider.`
      : [
          `The private key is in ${file}. Register this at the identity provider:`,
          JSON.stringify(jwk),
          pem.trimEnd(),
          ...clients.map((client) => `for a client like this:\n${JSON.stringify(client, null, 2)}`),
          ...(status === 'waiting'
            ? ['Keep the old key there. Then run "trade-agent gateway key --confirm".']
            : []),
        ].join('\n\n'),
  );
}

/** @throws {TradeAgentError} `usage` for several at once */
function stepOf(options: KeyOptions): KeyStep {
  const [step = 'make', ...more] = (['show', 'rotate', 'confirm'] as const).filter((name) => options[name]);
  if (more.length === 0) return step;
  throw new TradeAgentError('usage', '--show, --rotate and --confirm are one at a time', {
    hint: 'First --rotate; then --confirm, once the provider knows the new key.',
  });
}
