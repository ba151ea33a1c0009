import { z } from 'zod';
import { Dec, ZERO } from '../../../trading/decimal.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { type Account, accountSchema, isFinalStatus, type Position, positionSchema } from '../../../trading/views.ts';
import { secureUrlSchema } from '../../settings/common-settings.ts';
import type { AssetCatalog } from '../asset-catalog.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import { type BrokerKind, commonBrokerSettingsSchema } from '../broker-kind.ts';
import { createBrokerRequests } from '../broker-requests.ts';
import { computeExchangeCalendar, computeExchangeClock } from '../exchange-hours.ts';
import { formatAmount, formatMoney } from '../json-amounts.ts';
import { type ClosingPrice, computeEquityAtLastClose, findTodaysTrades } from '../last-close.ts';
import { classifyRestError, FailedResponseError, type RestClient } from '../rest-client.ts';
import type { StoredCredentialsOf } from '../stored-kinds.ts';
import { createUnsupportedMethods } from '../unsupported-features.ts';
import {
  accountNotVerifiedError,
  brokerUnreachableError,
  type VerifiedAccount,
  type VerifyCredentialsOptions,
  wrongCredentialsError,
} from '../verify-problems.ts';
import { createIbkrClient, type IbkrOptions, startSessionKeepAlive } from './client.ts';
import { createContractLookup, fromIbkrSymbol } from './contracts.ts';
import { classifyIbkrError } from './failure.ts';
import { readIbkrBars, readIbkrSnapshots, toAsset, toQuote } from './market-data.ts';
import { createOrderList, type OrderList } from './order-list.ts';
import { createIbkrOrderMethods } from './orders.ts';
import { ibkrTraits, unsupportedIbkrFeatures } from './traits.ts';

const ibkrSettings = commonBrokerSettingsSchema.extend({
  kind: z.literal('ibkr'),
  /** The owner enters only the account number. The Client Portal Gateway holds the session. */
  credentials: z.literal('gateway_session'),
  unattended: z.undefined().optional(),
  /** Base URL of the Client Portal Gateway, without `/v1/api`. */
  url: secureUrlSchema.default('https://localhost:5000'),
  /** Seconds between reads of the order list. IBKR allows one read every five seconds ("Pacing Limitations"). */
  orders_every: z.number().min(0).max(60).default(5),
});
type IbkrSettings = z.output<typeof ibkrSettings>;

export const ibkrBrokerKind = {
  traits: ibkrTraits,
  settings: ibkrSettings,
  address: 'url',
  connect: ({ url, simulated, orders_every }, context) =>
    createIbkrConnector({ ...context, url, simulated, ordersEveryMs: orders_every * 1000 }),
  storedCredentials: { kinds: ['gateway_session'], verify: verifyIbkrSession },
} satisfies BrokerKind<IbkrSettings>;

async function verifyIbkrSession(
  { url }: IbkrSettings,
  { account }: StoredCredentialsOf<'gateway_session'>,
  { fetch, timeoutMs }: Required<VerifyCredentialsOptions>,
): Promise<VerifiedAccount> {
  const { host } = new URL(url);
  try {
    const { environment, status, blocked } = await readAccountDetails(
      createIbkrClient({ url, fetch, timeoutMs }),
      account,
    );
    return { accountNumber: account, environment, status, tradingBlocked: blocked };
  } catch (error) {
    if (error instanceof HttpProblem) throw accountNotVerifiedError(host, `can't open this account: ${error.message}`);
    if (error instanceof FailedResponseError && error.status === 401) {
      throw wrongCredentialsError(
        ibkrTraits.label,
        'session',
        `Sign in at ${url} first, in a browser on that machine.`,
      );
    }
    const { kind } = classifyRestError(error);
    throw kind === 'unreadable'
      ? accountNotVerifiedError(host, 'did not return an account', 'broker.url')
      : brokerUnreachableError(host, kind);
  }
}

/** The state of an account's session, kept across requests. */
interface SessionState {
  readonly list: OrderList;
  details: { readonly at: number; readonly found: Promise<IbkrAccount> } | undefined;
}

const DETAILS_MS = 60_000;

/** Returns a function that opens an account through IBKR's Client Portal Gateway, on whose page the owner signs in. */
function createIbkrConnector(options: IbkrOptions & { readonly assets: AssetCatalog }): ConnectBroker {
  const client = createIbkrClient(options);
  const contracts = createContractLookup(client);
  const accounts = new Map<string, SessionState>();
  let isKeptAlive = false;
  const keptOf = (account: string): SessionState => {
    const known = accounts.get(account);
    if (known !== undefined) return known;
    const made: SessionState = { list: createOrderList(client, account, options), details: undefined };
    accounts.set(account, made);
    return made;
  };
  return (credentials, onUnauthorized): Broker => {
    if (!('account' in credentials)) throw new TypeError('these credentials are for a different broker');
    const { account } = credentials;
    const kept = keptOf(account);
    if (!isKeptAlive) startSessionKeepAlive(client);
    isKeptAlive = true;
    const requests = createBrokerRequests((error) => {
      const failure = classifyIbkrError(error);
      if (failure.kind === 'unauthorized') {
        kept.details = undefined;
        onUnauthorized();
      }
      return failure;
    });
    const { read } = requests;
    // IBKR requires these requests at the start of a session. Their responses are cached, because IBKR allows
    // "/portfolio/accounts" only once in five seconds.
    const details = async () => {
      if (kept.details !== undefined && performance.now() - kept.details.at > DETAILS_MS) kept.details = undefined;
      kept.details ??= { at: performance.now(), found: readAccountDetails(client, account) };
      try {
        return await kept.details.found;
      } catch (error) {
        kept.details = undefined;
        throw error;
      }
    };
    const reading = { client, account, list: kept.list, options };
    return {
      ...createUnsupportedMethods(ibkrTraits.label, unsupportedIbkrFeatures),
      ...createIbkrOrderMethods(client, account, { ready: details, contracts, list: kept.list }, requests),
      account: () => read(async () => accountView(reading, await details())),
      positions: () =>
        read(async () => {
          await details();
          return await positionViews(reading);
        }),
      asset: (symbol) =>
        options.assets.find(symbol, () =>
          read(async () => {
            const contract = (await contracts([symbol])).get(symbol);
            return contract === undefined ? undefined : toAsset(symbol, contract);
          }),
        ),
      quotes: (symbols) =>
        read(async () => {
          await details();
          const known = await contracts(symbols);
          const snapshots = await readIbkrSnapshots(
            client,
            [...known.values()].map(({ conid }) => conid),
            options,
          );
          return [...known].flatMap(([symbol, contract]) => {
            const snapshot = snapshots.get(contract.conid);
            return snapshot === undefined ? [] : [toQuote(symbol, contract, snapshot, options.simulated)];
          });
        }),
      bars: (query) =>
        read(async () => {
          await details();
          return await readIbkrBars(client, contracts, query);
        }),
      clock: async () => computeExchangeClock(options.now()),
      calendar: async (query) => computeExchangeCalendar(query),
    };
  };
}

const accountsAnswer = z.object({ accounts: z.array(z.string()), isPaper: z.boolean() });
const portfolioAnswer = z.array(
  z.object({
    accountId: z.string(),
    currency: z.string(),
    clearingStatus: z.string().nullish(),
    brokerageAccess: z.boolean().nullish(),
  }),
);
const summaryAnswer = z.object({
  netLiquidationValue: z.number(),
  totalCashValue: z.number(),
  buyingPower: z.number(),
});

interface IbkrAccount {
  readonly environment: 'paper' | 'live';
  readonly status: string;
  readonly blocked: boolean;
}

/**
 * Reads the details of an account. IBKR requires these requests before any other request about an account.
 * @throws {HttpProblem} 409 if the session has no access to the account, or if the account's currency is not the dollar
 */
async function readAccountDetails(client: RestClient, account: string): Promise<IbkrAccount> {
  const { accounts, isPaper } = accountsAnswer.parse(await client('/iserver/accounts'));
  const portfolios = portfolioAnswer.parse(await client('/portfolio/accounts'));
  const found = portfolios.find(({ accountId }) => accountId === account);
  if (!accounts.includes(account) || found === undefined) {
    throw notOpened(`the session of the Client Portal Gateway has no access to account ${account}`);
  }
  if (found.currency !== 'USD') {
    throw notOpened(`account ${account} is in ${found.currency}, but only dollar accounts are supported`);
  }
  const isOpen = found.clearingStatus == null || found.clearingStatus === 'O';
  return {
    environment: isPaper ? 'paper' : 'live',
    status: isOpen ? 'OPEN' : `CLEARING_${found.clearingStatus}`,
    blocked: !isOpen || found.brokerageAccess === false,
  };
}

function notOpened(detail: string): HttpProblem {
  return new HttpProblem(409, 'account_not_connected', detail, {
    hint: 'Sign in to the Client Portal Gateway as the account’s owner, or choose another account on the home’s own machine with "trade-agent home broker set".',
    members: { credentials: 'gateway_session' },
  });
}

const positionRows = z.array(
  z.object({
    conid: z.number().int(),
    contractDesc: z.string(),
    position: z.number(),
    mktPrice: z.number(),
    mktValue: z.number(),
    avgCost: z.number(),
    avgPrice: z.number(),
    unrealizedPnl: z.number(),
    currency: z.string().nullish(),
    assetClass: z.string(),
  }),
);
const MOST_PAGES = 50;

interface Held extends z.output<typeof positionRows.element> {
  readonly symbol: string;
}

/** Reads all pages of positions. Leaves out closed positions, which have a quantity of zero. */
async function readPositions(client: RestClient, account: string): Promise<Held[]> {
  const held: Held[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const rows = positionRows.parse(await client(`/portfolio/${encodeURIComponent(account)}/positions/${page}`));
    if (rows.length === 0) return held;
    for (const row of rows) if (row.position !== 0) held.push({ ...row, symbol: symbolOf(row) });
  }
  throw new Error('too many pages of positions');
}

/** Matches the OCC symbol and contract size in `AAPL   DEC2026 190 C [AAPL  261218C00190000 100]`. */
const occ = /\[([A-Z][A-Z0-9]{0,5})\s+(\d{6}[CP]\d{8})(?:\s+(\d+))?/;

function symbolOf({ contractDesc, assetClass }: { contractDesc: string; assetClass: string }): string {
  const [, root, rest] = occ.exec(contractDesc) ?? [];
  if (root !== undefined) return `${root}${rest}`;
  return assetClass === 'STK' ? fromIbkrSymbol(contractDesc) : contractDesc;
}

interface Reading {
  readonly client: RestClient;
  readonly account: string;
  readonly list: OrderList;
  readonly options: Pick<IbkrOptions, 'environment' | 'simulated' | 'now' | 'sleep'>;
}

/** Returns the number of units in a `qty` of one; undefined if the position can't be valued or is not in dollars. */
function positionUnits({ assetClass, contractDesc, currency }: Pick<Held, 'assetClass' | 'contractDesc' | 'currency'>) {
  if (currency != null && currency !== 'USD') return undefined;
  const units = occ.exec(contractDesc)?.[3];
  return assetClass === 'OPT' && units !== undefined ? units : unitsOfClass(assetClass);
}

const unitsOfClass = (secType: string): number | undefined =>
  secType === 'STK' ? 1 : secType === 'OPT' ? 100 : undefined;

async function holdings({ client, account, list, options }: Reading) {
  const orders = await list.read();
  const held = await readPositions(client, account);
  // A combination (BAG) has no contract of its own, so the trade counts as unknown.
  const traded = findTodaysTrades(orders, options.now(), ({ id }) => {
    const { conid, secType } = list.contractOf(id) ?? {};
    return conid === undefined || secType === 'BAG' ? undefined : String(conid);
  });
  const conids = new Set([...held.map(({ conid }) => conid), ...(traded ?? []).map(({ id }) => Number(id))]);
  const snapshots = await readIbkrSnapshots(client, [...conids], options);
  const closeOf = (conid: number) => {
    const close = snapshots.get(conid)?.priorClose;
    return close === '0' ? undefined : close;
  };
  return { orders, held, traded, closeOf };
}

async function positionViews(reading: Reading): Promise<Position[]> {
  const { orders, held, closeOf } = await holdings(reading);
  return held.map((row) => {
    const { symbol } = row;
    const qty = new Dec(String(row.position));
    const cost = qty.times(String(row.avgCost));
    const close = new Dec(closeOf(row.conid) ?? String(row.mktPrice));
    const ordered = orders
      .filter((order) => order.symbol === symbol && order.side === 'sell' && !isFinalStatus(order.status))
      .reduce((sum, order) => sum.plus(order.qty ?? 0).minus(order.filled_qty), ZERO);
    const ratio = (part: Dec, whole: Dec) => (whole.isZero() ? '0' : formatAmount(part.div(whole.abs()).toFixed()));
    return positionSchema.parse({
      symbol,
      side: qty.isNegative() ? 'short' : 'long',
      qty: qty.abs().toFixed(),
      qty_available: Dec.max(0, qty.abs().minus(ordered)).toFixed(),
      avg_entry_price: formatMoney(row.avgPrice),
      current_price: formatMoney(row.mktPrice),
      lastday_price: formatMoney(close),
      market_value: formatMoney(row.mktValue),
      cost_basis: formatMoney(cost),
      unrealized_pl: formatMoney(row.unrealizedPnl),
      unrealized_plpc: ratio(new Dec(String(row.unrealizedPnl)), cost),
      change_today: ratio(new Dec(String(row.mktPrice)).minus(close), close),
    });
  });
}

/** Reads `GET /iserver/account/{account}/summary`, and computes the equity at the last close. */
async function accountView(reading: Reading, details: IbkrAccount): Promise<Account> {
  const { client, account, list, options } = reading;
  if (details.environment !== options.environment) {
    throw notOpened(
      `the session of the Client Portal Gateway is for ${details.environment} accounts, but this gateway trades ${options.environment} accounts`,
    );
  }
  const path = `/iserver/account/${encodeURIComponent(account)}/summary`;
  const summary = summaryAnswer.parse(await client(path));
  const { orders, held, traded, closeOf } = await holdings(reading);
  const equity = formatMoney(summary.netLiquidationValue);
  const holding = held.map(({ conid, position, mktPrice }) => ({
    id: String(conid),
    qty: formatAmount(position),
    price: formatAmount(mktPrice),
  }));
  const contracts = new Map<string, ClosingPrice>();
  for (const { id } of orders) {
    const { conid, secType = '' } = list.contractOf(id) ?? {};
    if (conid !== undefined) {
      contracts.set(String(conid), { units: unitsOfClass(secType), price: closeOf(conid) });
    }
  }
  for (const row of held) {
    contracts.set(String(row.conid), { units: positionUnits(row), price: closeOf(row.conid) });
  }
  const lastEquity = traded && computeEquityAtLastClose(equity, holding, traded, contracts);
  return accountSchema.parse({
    account,
    environment: details.environment,
    status: details.status,
    currency: 'USD',
    cash: formatMoney(summary.totalCashValue),
    equity,
    last_equity: lastEquity === undefined ? null : formatMoney(lastEquity.toDecimalPlaces(2)),
    buying_power: formatMoney(summary.buyingPower),
    long_market_value: formatMoney(
      held.reduce((sum, { mktValue }) => (mktValue > 0 ? sum.plus(String(mktValue)) : sum), ZERO),
    ),
    trading_blocked: details.blocked,
    simulated: options.simulated,
  });
}
