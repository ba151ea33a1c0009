import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { secureUrlSchema } from '../../settings/common-settings.ts';
import { type BrokerKind, commonBrokerSettingsSchema } from '../broker-kind.ts';
import { classifyRestError, FailedResponseError } from '../rest-client.ts';
import type { StoredCredentialsOf } from '../stored-kinds.ts';
import {
  accountNotVerifiedError,
  brokerUnreachableError,
  type VerifiedAccount,
  type VerifyCredentialsOptions,
  wrongCredentialsError,
} from '../verify-problems.ts';
import { createTradierClient, readTradierAccounts } from './client.ts';
import { createTradierConnector } from './tradier-broker.ts';
import { tradierTraits } from './traits.ts';

/** Tradier's own addresses. In Tradier's sandbox (`paper`), prices are 15 minutes old. */
const TRADIER_URLS = { paper: 'https://sandbox.tradier.com', live: 'https://api.tradier.com' } as const;

const tradierSettings = commonBrokerSettingsSchema.extend({
  kind: z.literal('tradier'),
  credentials: z.enum(['exchange', 'access_token']).optional(),
  unattended: z.literal('access_token').optional(),
  /** Base URL of the Brokerage API, without `/v1` (default: Tradier's). */
  url: secureUrlSchema.optional(),
});
type TradierSettings = z.output<typeof tradierSettings>;

export const tradierBrokerKind = {
  traits: tradierTraits,
  settings: tradierSettings,
  address: 'url',
  connect: (settings, context) =>
    createTradierConnector({
      ...context,
      base: baseOf(settings, context.environment),
      simulated: settings.simulated,
    }),
  storedCredentials: { kinds: ['access_token'], verify: verifyTradierToken },
} satisfies BrokerKind<TradierSettings>;

type Environment = VerifiedAccount['environment'];

/** Tries the token at this environment's host, then at the other host, because a token works at only one. */
async function verifyTradierToken(
  settings: TradierSettings,
  { token, accountNumber }: StoredCredentialsOf<'access_token'>,
  { environment, fetch, timeoutMs }: Required<VerifyCredentialsOptions>,
): Promise<VerifiedAccount> {
  const other: Environment = environment === 'paper' ? 'live' : 'paper';
  const failures: TradeAgentError[] = [];
  for (const asked of settings.url === undefined ? [environment, other] : [environment]) {
    const base = baseOf(settings, asked);
    const { host } = new URL(base);
    const client = createTradierClient({ base, fetch, timeoutMs }, token);
    try {
      const account = (await readTradierAccounts(client)).find(({ number }) => number === accountNumber);
      if (account === undefined) throw accountNotVerifiedError(host, `has no account ${accountNumber} for this token`);
      const { status } = account;
      return {
        accountNumber,
        environment: asked,
        status: status.toUpperCase(),
        tradingBlocked: status !== 'active',
      };
    } catch (error) {
      if (error instanceof TradeAgentError) throw error;
      failures.push(problemOf(error, host));
    }
  }
  // If one host rejects the token and the other can't be reached, the other might have accepted the token.
  const first = failures.find(({ details }) => details.reason !== 'wrong_pair') ?? failures[0];
  throw first ?? new TradeAgentError('internal', 'no host was tried');
}

function problemOf(error: unknown, host: string): TradeAgentError {
  if (error instanceof FailedResponseError && error.status === 401) {
    return wrongCredentialsError(
      tradierTraits.label,
      'access token',
      'Copy the whole token again. If you lost the token, create a new one.',
    );
  }
  const { kind } = classifyRestError(error);
  if (kind === 'unreadable') return accountNotVerifiedError(host, 'did not return an account', 'broker.url');
  return brokerUnreachableError(host, kind);
}

function baseOf({ url }: Pick<TradierSettings, 'url'>, environment: 'paper' | 'live'): string {
  return `${(url ?? TRADIER_URLS[environment]).replace(/\/+$/, '')}/v1`;
}
