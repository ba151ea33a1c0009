import type { Command } from 'commander';
import type { GatewaySettings } from '../../../gateway/gateway-settings.ts';
import { isTradeAgentError, TradeAgentError } from '../../../trading/errors.ts';
import { APPROVAL_SCOPES } from '../../../trading/scopes.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import type { ShownKey } from '../../gateway/gateway-key.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface KeyOptions {
  readonly type: 'EC' | 'RSA';
  readonly show?: boolean;
  readonly rotate?: boolean;
  readonly confirm?: boolean;
}

/** The gateway's folder, and the file that says what it serves. */
interface Places {
  readonly home: string;
  readonly config: string;
}

type KeyStatus = 'made' | 'in_use' | 'waiting' | 'rotated';

export function addGatewayKey(
  gateway: Command,
  cli: Cli,
  placesOf: (options: { home?: string; config?: string }) => Places,
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
      runCommand(cli, command, (context) =>
        gatewayKey(context, placesOf(command.optsWithGlobals()), options),
      ),
    );
}

async function gatewayKey(context: Context, places: Places, options: KeyOptions): Promise<void> {
  if ([options.show, options.rotate, options.confirm].filter(Boolean).length > 1) {
    throw new TradeAgentError('usage', '--show, --rotate and --confirm are one at a time', {
      hint: 'First --rotate; then --confirm, once the provider knows the new key.',
    });
  }
  const keys = await import('../../gateway/gateway-key.ts');
  const { home } = places;
  if (options.show) return await tell(context, places, 'in_use', keys.shownKey(keys.readKey(home)));
  if (options.rotate) return await tell(context, places, 'waiting', await keys.prepareNextKey(home));
  if (options.confirm) {
    const settings = await readSettings(places);
    const next = await keys.switchToNextKey(home, async (privateKey) => {
      const { requireRecognised } = await import('../../../approval/ciba/client-trial.ts');
      const { issuer, approval } = settings;
      const access = { fetch: context.fetch, clock: context.clock };
      for (const clientId of clientIdsOf(settings)) {
        await requireRecognised({ issuer, clientId, privateKey, provider: approval.provider, access });
      }
    });
    return await tell(context, places, 'rotated', next);
  }
  await tell(context, places, 'made', await keys.makeKey(home, options.type));
}

async function readSettings({ config }: Places): Promise<GatewaySettings> {
  const settings = await import('../../gateway/gateway-home.ts');
  return await settings.readSettings(config);
}

/** The clients that have this key and are registered by hand. */
function clientIdsOf({ exchange, approval }: GatewaySettings): string[] {
  return [...new Set([exchange.client_id, approval.client_id ?? exchange.client_id])];
}

async function tell(context: Context, places: Places, status: KeyStatus, key: ShownKey): Promise<void> {
  const { keyFile, nextKeyFile } = await import('../../gateway/gateway-key.ts');
  const file = status === 'waiting' ? nextKeyFile(places.home) : keyFile(places.home);
  const clients = await clientsToRegister(places, key.jwk.alg ?? 'ES256');
  const data = { status, file, jwk: key.jwk, pem: key.pem, clients };
  await context.output.result('gateway-key', data, () =>
    status === 'rotated'
      ? `The new key ${key.jwk.kid ?? ''} is in ${file}. Start the gateway again; then the old one can be removed at the provider.`
      : [
          `The private key is in ${file}. Register this at the identity provider:`,
          JSON.stringify(key.jwk),
          key.pem.trimEnd(),
          ...clients.map((client) => `for a client like this:\n${JSON.stringify(client, null, 2)}`),
          ...(status === 'waiting'
            ? ['Keep the old key there. Then run "trade-agent gateway key --confirm".']
            : []),
        ].join('\n\n'),
  );
}

/** As gateway.yaml says; before there is one, a client for everything. */
async function clientsToRegister(places: Places, alg: string): Promise<Record<string, unknown>[]> {
  const [{ cibaClientMetadata }, { detailsTypesOf }, { dialectOf }] = await Promise.all([
    import('../../../approval/ciba/client-registration.ts'),
    import('../../../gateway/gateway-settings.ts'),
    import('../../../auth/provider/dialect-of.ts'),
  ]);
  const settings = await readSettings(places).catch((error: unknown) => {
    if (isTradeAgentError(error)) return undefined;
    throw error;
  });
  const { approval, exchange } = settings ?? {};
  const asking = cibaClientMetadata({
    resource: settings?.resource ?? '',
    details: approval?.details ?? 'rar',
    detailsTypes: settings && detailsTypesOf(settings),
    delivery: approval?.delivery ?? 'poll',
    alg,
  });
  const { token_endpoint_auth_method, token_endpoint_auth_signing_alg } = asking;
  const provider = exchange?.grant === 'auth0-token-vault' ? 'auth0' : 'standard';
  const exchanging = {
    grant_types: [dialectOf({ provider }).exchangeGrantType],
    token_endpoint_auth_method,
    token_endpoint_auth_signing_alg,
  };
  const scope = ['openid', ...APPROVAL_SCOPES].join(' ');
  const ids = settings === undefined ? [null] : clientIdsOf(settings);
  const [exchangeId = null, askingId] = ids;
  if (approval?.registration) return [{ client_id: exchangeId, ...exchanging }];
  if (askingId !== undefined) {
    return [
      { client_id: exchangeId, ...exchanging },
      { client_id: askingId, ...asking, scope },
    ];
  }
  const grant_types = [...asking.grant_types, ...exchanging.grant_types];
  return [{ client_id: exchangeId, ...asking, grant_types, scope }];
}
