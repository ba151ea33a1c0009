import { z } from 'zod';
import { Refusal } from '../../../trading/refusal.ts';
import { secureAddress } from '../../settings/common-settings.ts';
import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import { type BrokerKind, brokerSettings } from '../broker-kind.ts';
import { brokerRequests } from '../broker-requests.ts';
import { exchangeCalendar, exchangeClock } from '../exchange-hours.ts';
import type { KeptOf } from '../kept-kinds.ts';
import { notOffered } from '../not-offered.ts';
import { RestAnswer, restFailure } from '../rest-client.ts';
import {
  noAccount,
  unreachable,
  type VerifiedAccount,
  type VerifyOptions,
  wrongCredentials,
} from '../verify-problems.ts';
import { accountDetails, accountOf, type IbkrAccount, positionsOf } from './account.ts';
import { type IbkrOptions, ibkrClient, keepAlive } from './client.ts';
import { contractsBy } from './contracts.ts';
import { failureOf } from './failure.ts';
import { assetView, barsOf, quoteView, snapshotsOf } from './market-data.ts';
import { type OrderList, orderList } from './order-list.ts';
import { ibkrOrders } from './orders.ts';
import { ibkrLacks, ibkrTraits } from './traits.ts';

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

/** Belongs to the session, so it is kept from one request to the next. */
interface Kept {
  readonly list: OrderList;
  details: { readonly at: number; readonly found: Promise<IbkrAccount> } | undefined;
}

const DETAILS_MS = 60_000;

/** Interactive Brokers through its Client Portal Gateway, whose session the owner opens by signing in at its page. */
function connectIbkr(options: IbkrOptions & { readonly assets: AssetCatalogue }): ConnectBroker {
  const client = ibkrClient(options);
  const contracts = contractsBy(client);
  const accounts = new Map<string, Kept>();
  let isKeptAlive = false;
  const keptOf = (account: string): Kept => {
    const known = accounts.get(account);
    if (known !== undefined) return known;
    const made: Kept = { list: orderList(client, account, options), details: undefined };
    accounts.set(account, made);
    return made;
  };
  return (credentials, onUnauthorized): Broker => {
    if (!('account' in credentials)) throw new TypeError('these credentials are of another broker');
    const { account } = credentials;
    const kept = keptOf(account);
    if (!isKeptAlive) keepAlive(client);
    isKeptAlive = true;
    const requests = brokerRequests((error) => {
      const failure = failureOf(error);
      if (failure.kind === 'unauthorized') {
        kept.details = undefined;
        onUnauthorized();
      }
      return failure;
    });
    const { read } = requests;
    // First thing in a session, then rarely: "/portfolio/accounts" may be called once in five seconds.
    const details = async () => {
      if (kept.details !== undefined && performance.now() - kept.details.at > DETAILS_MS)
        kept.details = undefined;
      kept.details ??= { at: performance.now(), found: accountDetails(client, account) };
      try {
        return await kept.details.found;
      } catch (error) {
        kept.details = undefined;
        throw error;
      }
    };
    const reading = { client, account, list: kept.list, options };
    return {
      ...notOffered(ibkrTraits.label, ibkrLacks),
      ...ibkrOrders(client, account, { ready: details, contracts, list: kept.list }, requests),
      account: () => read(async () => accountOf(reading, await details())),
      positions: () =>
        read(async () => {
          await details();
          return await positionsOf(reading);
        }),
      asset: (symbol) =>
        options.assets.find(symbol, () =>
          read(async () => {
            const contract = (await contracts([symbol])).get(symbol);
            return contract === undefined ? undefined : assetView(symbol, contract);
          }),
        ),
      quotes: (symbols) =>
        read(async () => {
          await details();
          const known = await contracts(symbols);
          const snapshots = await snapshotsOf(
            client,
            [...known.values()].map(({ conid }) => conid),
            options,
          );
          return [...known].flatMap(([symbol, contract]) => {
            const snapshot = snapshots.get(contract.conid);
            return snapshot === undefined ? [] : [quoteView(symbol, contract, snapshot, options.simulated)];
          });
        }),
      bars: (query) =>
        read(async () => {
          await details();
          return await barsOf(client, contracts, query);
        }),
      clock: async () => exchangeClock(options.now()),
      calendar: async (query) => exchangeCalendar(query),
    };
  };
}
