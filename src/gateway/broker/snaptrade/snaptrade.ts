import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { secureAddress } from '../../settings/common-settings.ts';
import { type BrokerKind, brokerSettings } from '../broker-kind.ts';
import { RestAnswer, restFailure } from '../rest-client.ts';
import type { VerifiedAccount, VerifyOptions } from '../verify-problems.ts';
import { noAccount, unreachable, wrongCredentials } from '../verify-problems.ts';
import { accountDetails } from './account.ts';
import { type SnaptradeCredentials, snaptradeClient, whoOf } from './client.ts';
import { connectSnaptrade } from './snaptrade-broker.ts';
import { snaptradeTraits } from './traits.ts';

const snaptradeSettings = brokerSettings.extend({
  kind: z.literal('snaptrade'),
  // Requests are signed by the client's key; there are no user tokens.
  credentials: z.enum(['snaptrade_user', 'snaptrade_personal']),
  unattended: z.undefined().optional(),
  /** Base URL of the API. */
  url: secureAddress.default('https://api.snaptrade.com'),
});
type SnaptradeSettings = z.output<typeof snaptradeSettings>;

export const snaptrade = {
  traits: snaptradeTraits,
  settings: snaptradeSettings,
  address: 'url',
  connect: ({ url, simulated }, context) => connectSnaptrade({ ...context, url, simulated }),
  kept: { kinds: ['snaptrade_user', 'snaptrade_personal'], verify: verifySnaptradeUser },
} satisfies BrokerKind<SnaptradeSettings>;

/** `GET /accounts/{accountId}` and its connection; SnapTrade says whether it is a paper account. */
async function verifySnaptradeUser(
  { url }: SnaptradeSettings,
  credentials: SnaptradeCredentials,
  { fetch, timeoutMs }: Required<VerifyOptions>,
): Promise<VerifiedAccount> {
  const { host } = new URL(url);
  try {
    const client = await snaptradeClient({ url, fetch, timeoutMs }, credentials);
    const { number, environment, status, blocked } = await accountDetails(client, whoOf(credentials));
    return { accountNumber: number, environment, status, tradingBlocked: blocked };
  } catch (error) {
    if (error instanceof RestAnswer && error.status === 401) {
      throw wrongCredentials(
        snaptradeTraits.label,
        'client, key or user',
        'Copy client id, consumer key and user from SnapTrade again.',
      );
    }
    if (error instanceof RestAnswer && error.status === 404) {
      throw noAccount(host, 'has no such account of this user');
    }
    if (error instanceof TradeAgentError) throw error;
    const { kind } = restFailure(error);
    throw kind === 'unreadable'
      ? noAccount(host, 'answers with no account', 'broker.url')
      : unreachable(host, kind);
  }
}
