import { z } from 'zod';
import { Refusal } from '../../../trading/refusal.ts';
import { secureAddress } from '../../settings/common-settings.ts';
import { type BrokerKind, brokerSettings } from '../broker-kind.ts';
import type { KeptOf } from '../kept-kinds.ts';
import { RestAnswer, restFailure } from '../rest-client.ts';
import type { VerifiedAccount, VerifyOptions } from '../verify-problems.ts';
import { noAccount, unreachable, wrongCredentials } from '../verify-problems.ts';
import { accountDetails } from './account.ts';
import { ibkrClient } from './client.ts';
import { connectIbkr } from './ibkr-broker.ts';
import { ibkrTraits } from './traits.ts';

const ibkrSettings = brokerSettings.extend({
  kind: z.literal('ibkr'),
  /** The person's account; the session is the Client Portal Gateway's. */
  credentials: z.literal('gateway_session'),
  unattended: z.undefined().optional(),
  /** Base URL of the Client Portal Gateway, without `/v1/api`. */
  url: secureAddress.default('https://localhost:5000'),
  /** Seconds between reads of the list of orders, allowed once in five ("Pacing Limitations"). */
  orders_every: z.number().min(0).max(60).default(5),
});
type IbkrSettings = z.output<typeof ibkrSettings>;

export const ibkr = {
  traits: ibkrTraits,
  settings: ibkrSettings,
  address: 'url',
  connect: ({ url, simulated, orders_every }, context) =>
    connectIbkr({ ...context, url, simulated, ordersEveryMs: orders_every * 1000 }),
  kept: { kinds: ['gateway_session'], verify: verifyIbkrSession },
} satisfies BrokerKind<IbkrSettings>;

async function verifyIbkrSession(
  { url }: IbkrSettings,
  { account }: KeptOf<'gateway_session'>,
  { fetch, timeoutMs }: Required<VerifyOptions>,
): Promise<VerifiedAccount> {
  const { host } = new URL(url);
  try {
    const { environment, status, blocked } = await accountDetails(
      ibkrClient({ url, fetch, timeoutMs }),
      account,
    );
    return { accountNumber: account, environment, status, tradingBlocked: blocked };
  } catch (error) {
    if (error instanceof Refusal) throw noAccount(host, `opens no such account: ${error.message}`);
    if (error instanceof RestAnswer && error.status === 401) {
      throw wrongCredentials(
        ibkrTraits.label,
        'session',
        `Sign in at ${url} first, in a browser on that machine.`,
      );
    }
    const { kind } = restFailure(error);
    throw kind === 'unreadable'
      ? noAccount(host, 'answers with no account', 'broker.url')
      : unreachable(host, kind);
  }
}
