import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import {
  CANCEL_SCOPE,
  MANDATE_SCOPE,
  PROPOSE_MESSAGES_SCOPE,
  PROPOSE_ORDERS_SCOPE,
  READ_SCOPES,
  type Scope,
} from '../../oauth/scopes.ts';
import { safeLine } from '../../text/sanitize.ts';
import { activitiesSchema, tradingDaySchema } from '../../trading/activity.ts';
import { readAllActivities } from '../../trading/activity-pages.ts';
import { decimalString } from '../../trading/decimal.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import { type ListedContract, listedContractSchema } from '../../trading/listed-contract.ts';
import { articleSchema, corporateActionSchema } from '../../trading/market-news.ts';
import { historyTimeframe } from '../../trading/period.ts';
import type { DatedEquity } from '../../trading/portfolio/returns.ts';
import { mandateReference, type Proposal, type ProposalRequestInput, proposalSchema } from '../../trading/proposal.ts';
import {
  accountSchema,
  assetSchema,
  type BarAdjustment,
  barSchema,
  clockSchema,
  orderSchema,
  positionSchema,
  quoteSchema,
} from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { type AccountRequests, createAccountRequests, withProposalAccount } from './account-requests.ts';
import { createEventRequests, type EventRequests } from './event-requests.ts';
import {
  createGatewayRequests,
  type GatewayAccess,
  type GatewayClientOptions,
  type GatewayRequests,
  parseResponseBody,
  withQuery,
} from './gateway-requests.ts';
import { createSafeguardRequests, type SafeguardRequests, withAccountOwner } from './safeguard-requests.ts';

interface ProposalQuery {
  /** Long-poll timeout in seconds, at most 25. */
  readonly waitSeconds?: number;
  /** `updated_at` of the last known state. A newer state is returned immediately. */
  readonly since?: string;
  readonly signal?: AbortSignal;
}

const [, PORTFOLIO_READ, ORDERS_READ] = READ_SCOPES;

/**
 * Timeout in milliseconds. Long, because the gateway sends several requests to the broker and one to the identity
 * provider before it responds.
 */
const PROPOSE_TIMEOUT_MS = 30_000;

/** Matches the gateway's IDs, which are UUIDs or similar. Other text from a model is never put into a path. */
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

/** Typed requests to the gateway's HTTP interface. Every call has a timeout. */
export interface GatewayClient
  extends MarketRequests,
    SafeguardRequests,
    AccountRequests,
    EventRequests,
    ReturnType<typeof accountRequests>,
    ReturnType<typeof proposalRequests> {
  inAccount(account: string): GatewayClient;
}

export function createGatewayClient(session: GatewayAccess, options: GatewayClientOptions = {}): GatewayClient {
  const requests = createGatewayRequests(session, options);
  return {
    inAccount: (account) => createGatewayClient(session, { ...options, account }),
    ...createAccountRequests(requests),
    ...accountRequests(requests),
    ...marketRequests(requests),
    ...proposalRequests(requests),
    ...createSafeguardRequests(requests),
    ...createEventRequests(requests),
  };
}

interface OrderQuery {
  readonly status?: 'open' | 'closed' | 'all';
  readonly limit?: number;
  readonly symbols?: readonly string[];
  /** Only orders submitted at or before this instant. */
  readonly until?: string;
}

const equitySchema = z.object({
  at: z.string(),
  equity: decimalString,
  flow: decimalString.optional(),
});

function accountRequests({ request, read, list, retryRateLimited }: GatewayRequests) {
  const order = async (id: string) => await read(`/v1/orders/${requireOrderId(id)}`, orderSchema, ORDERS_READ);
  return {
    account: () => read('/v1/account', accountSchema, PORTFOLIO_READ),
    positions: () => list('/v1/positions', 'positions', positionSchema, PORTFOLIO_READ),
    /** Returns orders, newest first, at most 500. */
    orders: ({ status = 'open', limit = 50, symbols = [], until }: OrderQuery = {}) => {
      const query = { status, limit, symbols: symbols.join(',') || undefined, until };
      return list(withQuery('/v1/orders', query), 'orders', orderSchema, ORDERS_READ);
    },
    order,
    /**
     * Returns the canceled order.
     * @throws {TradeAgentError} `not_found`, `gateway_refused`; `details.problem` is `approval_required` if the order
     *   protects a position, in which case the cancellation must be proposed
     */
    cancelOrder: async (id: string) => {
      await request(`/v1/orders/${requireOrderId(id)}`, { method: 'DELETE' }, [CANCEL_SCOPE]);
      return await order(id);
    },
    /** Returns the daily closing equity of the last month in dollars, oldest first. */
    equityHistory: async () => {
      const path = '/v1/portfolio/history?period=1M&timeframe=1D';
      const points = await list(path, 'points', z.object({ equity: decimalString }), PORTFOLIO_READ);
      return points.map(({ equity }) => equity);
    },
    /** Returns the equity over a period (`1W`, `1M`, `10A`), oldest first, with known cash flows. */
    valueHistory: (period: string): Promise<DatedEquity[]> =>
      list(
        withQuery('/v1/portfolio/history', { period, timeframe: historyTimeframe(period) }),
        'points',
        equitySchema,
        PORTFOLIO_READ,
      ),
    /**
     * Returns the activities after an instant (epoch milliseconds), oldest first. Those that were corrected are left out.
     */
    activities: async ({ after }: { after: number }) => {
      const start = new Date(after).toISOString();
      return readAllActivities((page) =>
        retryRateLimited(() =>
          read(withQuery('/v1/activities', { after: start, page }), activitiesSchema, PORTFOLIO_READ),
        ),
      );
    },
    /** Returns whether the person's account is connected. @param connection `broker` or `slack` */
    isConnected: async (connection: string) => {
      const path = withQuery('/v1/connections', { name: connection });
      const schema = z.object({ name: z.string(), connected: z.boolean() });
      const connections = await list(path, 'connections', schema, PORTFOLIO_READ);
      return connections.some(({ name, connected }) => name === connection && connected);
    },
  };
}

function proposalRequests({ request, list, send, timeoutMs, accountOf, account }: GatewayRequests) {
  const listed = (query: Readonly<Record<string, string | number>>) =>
    list(withQuery('/v1/proposals', query), 'proposals', proposalSchema, ORDERS_READ);
  return {
    /**
     * Makes a proposal. The gateway asks the person, and executes the proposal if they approve it. Repeating a request
     * with the same key returns the same proposal.
     * @throws {TradeAgentError} the gateway's refusal; `gateway_unreachable`, with `details.sent` false if the request
     * was not sent
     */
    propose: (proposal: ProposalRequestInput, key: string): Promise<Proposal> =>
      send('POST', '/v1/proposals', proposalSchema, {
        body: withAccountOwner(accountOf, withProposalAccount(account, proposal)),
        headers: { 'idempotency-key': key },
        scopes: proposingScopes(proposal),
        ms: PROPOSE_TIMEOUT_MS,
      }),
    /** Reads a proposal. @throws {TradeAgentError} `not_found` */
    proposal: async (id: string, { waitSeconds, since, signal }: ProposalQuery = {}) => {
      const answer = await request(
        withQuery(`/v1/proposals/${requireProposalId(id)}`, { wait: waitSeconds, since }),
        { headers: { accept: 'application/json' }, ...defined({ signal }) },
        [ORDERS_READ],
        timeoutMs + (waitSeconds ?? 0) * 1000,
      );
      return parseResponseBody(proposalSchema, answer);
    },
    /** Returns proposals, newest first. */
    proposals: ({ state = 'all', limit = 100 }: { state?: 'open' | 'all'; limit?: number } = {}) =>
      listed({ state, limit }),
    proposed: async (key: string) => (await listed({ key })).at(0),
    /**
     * Withdraws a proposal, so that the phone no longer asks about it.
     * @throws {TradeAgentError} `not_found`; `outcome_unknown` while it is being executed; `details.problem` is
     * `proposal_settled` if it has already ended
     */
    withdraw: async (id: string) => {
      const init = { method: 'DELETE', headers: { accept: 'application/json' } };
      const scopes = [PROPOSE_ORDERS_SCOPE, PROPOSE_MESSAGES_SCOPE] as const;
      return parseResponseBody(proposalSchema, await request(`/v1/proposals/${requireProposalId(id)}`, init, scopes));
    },
  };
}

function proposingScopes(proposal: ProposalRequestInput): Scope[] {
  const { proposeScope } = kinds[proposal.kind];
  return mandateReference(proposal) === undefined ? [proposeScope] : [proposeScope, MANDATE_SCOPE];
}

function requireOrderId(id: string): string {
  if (idPattern.test(id)) return id;
  throw new TradeAgentError('not_found', 'that is not an order ID', {
    hint: 'List the orders to see their IDs.',
  });
}

function requireProposalId(id: string): string {
  if (idPattern.test(id)) return id;
  throw new TradeAgentError('not_found', `there is no approval "${safeLine(id, 64)}"`, {
    hint: 'List your proposals with "trade-agent approvals".',
  });
}

const [MARKET_READ] = READ_SCOPES;

type MarketRequests = ReturnType<typeof marketRequests>;

/** A query for option contracts, with inclusive bounds. The gateway sets defaults for omitted fields. */
export interface OptionContractQuery {
  readonly underlying: string;
  readonly expires_from?: string | undefined;
  readonly expires_to?: string | undefined;
  readonly right?: ListedContract['right'] | undefined;
  readonly strike_from?: string | undefined;
  readonly strike_to?: string | undefined;
  readonly limit?: number | undefined;
}

interface BarQuery {
  readonly symbol: string;
  readonly timeframe: '1Day' | '1Hour' | '1Min';
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end?: number;
  /** Adjustment of the prices. Defaults to `split`. */
  readonly adjustment?: BarAdjustment;
}

const foundAssetSchema = z.object({ symbol: z.string(), name: z.string() });

function marketRequests({ read, list }: GatewayRequests) {
  return {
    /** Returns quotes in the order of the symbols. @throws {TradeAgentError} `unknown_symbol` */
    quotes: async (symbols: readonly string[]) => {
      const path = `/v1/quotes?symbols=${symbols.map(encodeURIComponent).join(',')}`;
      const quotes = await list(path, 'quotes', quoteSchema, MARKET_READ);
      return symbols.map((symbol) => {
        const quote = quotes.find((candidate) => candidate.symbol === symbol);
        if (quote !== undefined) return quote;
        throw new TradeAgentError('unknown_symbol', `there is no quote for ${symbol}`, {
          hint: 'Check the ticker symbol.',
          details: { symbol },
        });
      });
    },
    /** Returns the available quotes, and the symbols that are unknown or have no current price. */
    availableQuotes: (symbols: readonly string[]) => {
      const path = withQuery('/v1/quotes', { symbols: symbols.join(','), partial: 'true' });
      return read(path, z.object({ quotes: z.array(quoteSchema), missing: z.array(z.string()) }), MARKET_READ);
    },
    /** Returns at most the last 1000 bars, oldest first. */
    bars: ({ symbol, timeframe, start, end, adjustment = 'split' }: BarQuery) => {
      const path = withQuery('/v1/bars', {
        symbol,
        timeframe,
        start: new Date(start).toISOString(),
        end: end === undefined ? undefined : new Date(end).toISOString(),
        limit: 1000,
        adjustment,
      });
      return list(path, 'bars', barSchema, MARKET_READ);
    },
    /** Returns matching assets, best match first. */
    searchAssets: (search: string) =>
      list(withQuery('/v1/assets', { search }), 'assets', foundAssetSchema, MARKET_READ),
    asset: (symbol: string) => read(`/v1/assets/${encodeURIComponent(symbol)}`, assetSchema, MARKET_READ),
    /** Returns contracts sorted by expiry and strike. `more` is true if the list is incomplete. */
    optionContracts: (query: OptionContractQuery) =>
      read(
        withQuery('/v1/option-contracts', { ...query }),
        z.object({ contracts: z.array(listedContractSchema), more: z.boolean() }),
        MARKET_READ,
      ),
    /** Returns news, newest first; about the whole market if `symbols` is empty. The text is from outside sources. */
    news: ({ symbols, limit }: { symbols: readonly string[]; limit: number }) => {
      const path = withQuery('/v1/news', { limit, symbols: symbols.join(',') || undefined });
      return list(path, 'news', articleSchema, MARKET_READ);
    },
    /** Returns corporate actions, earliest first. Both dates are inclusive. `more`: whether the list is incomplete. */
    corporateActions: ({ symbols, ...query }: CorporateActionQuery) =>
      read(
        withQuery('/v1/corporate-actions', { symbols: symbols.join(','), ...query }),
        z.object({ actions: z.array(corporateActionSchema), more: z.boolean() }),
        MARKET_READ,
      ),
    clock: () => read('/v1/clock', clockSchema, MARKET_READ),
    /** Returns the trading days from `start` to `end`, both inclusive. */
    calendar: (days: { readonly start: string; readonly end: string }) =>
      list(withQuery('/v1/calendar', days), 'days', tradingDaySchema, MARKET_READ),
  };
}

interface CorporateActionQuery {
  readonly symbols: readonly string[];
  readonly start: string;
  readonly end: string;
  readonly limit: number;
}
