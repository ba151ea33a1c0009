import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { createBoundedFetch } from '../../../net/bounded-fetch.ts';
import { secureUrlSchema } from '../../settings/common-settings.ts';
import { type BrokerKind, commonBrokerSettingsSchema } from '../broker-kind.ts';
import type { StoredCredentialsOf } from '../stored-kinds.ts';
import { type VerifiedAccount, type VerifyCredentialsOptions, wrongCredentialsError } from '../verify-problems.ts';
import { createAlpacaConnector } from './alpaca-broker.ts';
import { alpacaTraits } from './traits.ts';

const ALPACA = {
  paper: 'https://paper-api.alpaca.markets',
  live: 'https://api.alpaca.markets',
  data: 'https://data.alpaca.markets',
} as const;

const alpacaSettings = commonBrokerSettingsSchema.extend({
  // Optional, because Alpaca is the default kind.
  kind: z
    .literal('alpaca')
    .optional()
    .transform(() => 'alpaca' as const),
  credentials: z.enum(['exchange', 'key_pair']).optional(),
  unattended: z.literal('key_pair').optional(),
  /** Base URL of the Trading API. The default is Alpaca's own. */
  trading_url: secureUrlSchema.optional(),
  /** Base URL of the Market Data API. The default is `trading_url` if it is set, otherwise Alpaca's own. */
  data_url: secureUrlSchema.optional(),
  /** Whether to listen to the `trade_updates` stream at `trading_url` in addition to polling (default true). */
  trade_updates: z.boolean().optional(),
});
type AlpacaSettings = z.output<typeof alpacaSettings>;

export const alpacaBrokerKind = {
  traits: alpacaTraits,
  settings: alpacaSettings,
  address: 'trading_url',
  connect: (settings, context) =>
    createAlpacaConnector({
      ...context,
      ...addressesOf(settings, context.environment),
      simulated: settings.simulated,
      tradeUpdates: settings.trade_updates !== false,
    }),
  storedCredentials: { kinds: ['key_pair'], verify: verifyAlpacaKeyPair },
} satisfies BrokerKind<AlpacaSettings>;

type KeyPair = StoredCredentialsOf<'key_pair'>;
type Environment = VerifiedAccount['environment'];

const accountAnswer = z.object({
  account_number: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  status: z.string().regex(/^[A-Z_]{1,64}$/),
  trading_blocked: z.boolean(),
  account_blocked: z.boolean().optional(),
  trade_suspended_by_user: z.boolean().optional(),
});

/** Maximum size of a response, in bytes. Alpaca's response for an account is about 1,500 bytes long. */
const MAX_ANSWER_LENGTH = 64 * 1024;

/** Tries each environment's host. The paper host is first if the key ID begins with PK, as paper keys usually do. */
async function verifyAlpacaKeyPair(
  settings: AlpacaSettings,
  pair: KeyPair,
  options: Required<VerifyCredentialsOptions>,
): Promise<VerifiedAccount> {
  const failures: TradeAgentError[] = [];
  for (const environment of environmentsToAsk(settings, pair, options)) {
    const { tradingUrl } = addressesOf(settings, environment);
    const found = await accountAt(tradingUrl, environment, pair, options);
    if (!(found instanceof TradeAgentError)) return found;
    failures.push(found);
  }
  // If one host rejects the pair and the other can't be reached, the other might have accepted the pair.
  const first = failures.find(({ details }) => details.reason !== 'wrong_pair') ?? failures[0];
  throw first ?? new TradeAgentError('internal', 'no host was tried');
}

function environmentsToAsk(
  { trading_url }: AlpacaSettings,
  { keyId }: KeyPair,
  { environment }: Required<VerifyCredentialsOptions>,
): readonly Environment[] {
  if (trading_url !== undefined) return [environment];
  return keyId.startsWith('PK') ? ['paper', 'live'] : ['live', 'paper'];
}

async function accountAt(
  tradingUrl: string,
  environment: Environment,
  { keyId, secret }: KeyPair,
  { fetch, timeoutMs }: Required<VerifyCredentialsOptions>,
): Promise<VerifiedAccount | TradeAgentError> {
  const { host } = new URL(tradingUrl);
  let body: unknown;
  try {
    const response = await createBoundedFetch(fetch, MAX_ANSWER_LENGTH)(
      `${tradingUrl.replace(/\/+$/, '')}/v2/account`,
      {
        headers: { 'apca-api-key-id': keyId, 'apca-api-secret-key': secret, accept: 'application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      },
    );
    const text = await response.text();
    if (response.status === 401 || response.status === 403) return wrongPair();
    if (!response.ok) return unreachable(`${host} returned HTTP status ${response.status}`);
    body = JSON.parse(text);
  } catch (error) {
    // The library's message is left out, because it may quote a header.
    if (error instanceof SyntaxError) return notAnAccount(host);
    const late = error instanceof Error && error.name === 'TimeoutError';
    return unreachable(late ? `${host} did not respond in time` : `${host} can't be reached`);
  }
  const account = accountAnswer.safeParse(body);
  if (!account.success) return notAnAccount(host);
  const { account_number, status, trading_blocked, account_blocked, trade_suspended_by_user } = account.data;
  return {
    accountNumber: account_number,
    environment,
    status,
    tradingBlocked:
      status !== 'ACTIVE' || trading_blocked || account_blocked === true || trade_suspended_by_user === true,
  };
}

const wrongPair = () =>
  wrongCredentialsError(
    'Alpaca',
    'key pair',
    'Copy the key ID and secret again, both from the same pair. The secret is shown only when the pair is created, so if you lost it, create a new pair.',
  );

function notAnAccount(host: string): TradeAgentError {
  return new TradeAgentError('broker_rejected', `${host} did not return an account`, {
    hint: 'Check that broker.trading_url in gateway.yaml is the address of Alpaca’s Trading API.',
    details: { reason: 'no_account' },
  });
}

function unreachable(message: string): TradeAgentError {
  return new TradeAgentError('broker_unreachable', message, {
    hint: 'Nothing was saved. Check the network, and try again in a moment.',
    details: { reason: 'unreachable' },
  });
}

function addressesOf(
  { trading_url, data_url }: Pick<AlpacaSettings, 'trading_url' | 'data_url'>,
  environment: 'paper' | 'live',
): { readonly tradingUrl: string; readonly dataUrl: string } {
  return {
    tradingUrl: trading_url ?? ALPACA[environment],
    dataUrl: data_url ?? trading_url ?? ALPACA.data,
  };
}
