import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import {
  CANCEL_SCOPE,
  PROPOSE_MESSAGES,
  PROPOSE_ORDERS,
  READ_SCOPES,
  type Scope,
  USE_MANDATES,
} from '../../oauth/scopes.ts';
import { safeLine } from '../../text/shown-text.ts';
import { type Activity, activitiesSchema } from '../../trading/activity.ts';
import { decimalString } from '../../trading/decimal.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import type { DatedEquity } from '../../trading/portfolio/returns.ts';
import {
  askedUnder,
  type Proposal,
  type ProposalRequestInput,
  proposalSchema,
} from '../../trading/proposal.ts';
import {
  type Account,
  accountSchema,
  type Order,
  orderSchema,
  type Position,
  positionSchema,
} from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { type AccountRequests, ofAccounts, proposedIn } from './account-requests.ts';
import { type EventRequests, ofEvents } from './event-requests.ts';
import {
  type GatewayAccess,
  type GatewayClientOptions,
  type GatewayRequests,
  gatewayRequests,
  parse,
} from './gateway-requests.ts';
import { inAccountOf, type KeptRequests, ofKept } from './kept-requests.ts';
import { type MarketRequests, ofMarket } from './market-requests.ts';

interface ProposalLook {
  /** Long-poll timeout in seconds, at most 25. */
  readonly waitSeconds?: number;
  /** The known `updated_at`; newer changes are answered at once. */
  readonly since?: string;
  readonly signal?: AbortSignal;
}

/** The gateway's HTTP interface, typed. Every call has a timeout. */
export interface GatewayClient extends MarketRequests, KeptRequests, AccountRequests, EventRequests {
  /** The client for one of the person's accounts, by number. */
  inAccount(account: string): GatewayClient;
  account(): Promise<Account>;
  positions(): Promise<Position[]>;
  /** Newest first, at most 500. @param query.until only orders submitted at or before this instant */
  orders(query?: {
    status?: 'open' | 'closed' | 'all';
    limit?: number;
    symbols?: readonly string[];
    until?: string;
  }): Promise<Order[]>;
  order(id: string): Promise<Order>;
  /** Daily closing equity of the last month in dollars, oldest first. */
  equityHistory(): Promise<string[]>;
  /** Daily closing equity over a period (`1M`, `1A`, `5A`), oldest first, with known cash flows. */
  valueHistory(period: string): Promise<DatedEquity[]>;
  /** Whether the person's account at `connection` (`broker`, `slack`) is connected. */
  isConnected(connection: string): Promise<boolean>;
  /**
   * Activities after an instant (epoch milliseconds), oldest first.
   * @throws {TradeAgentError} `gateway_refused` for too many
   */
  activities(query: { after: number }): Promise<Activity[]>;
  /**
   * Proposes; the gateway asks the person and executes what they approve. The same key and request is the same
   * proposal, so a lost answer can be retried.
   * @throws {TradeAgentError} the refusal; `gateway_unreachable` with `details.sent` false if it certainly was not sent
   */
  propose(request: ProposalRequestInput, key: string): Promise<Proposal>;
  /** @throws {TradeAgentError} `not_found` */
  proposal(id: string, look?: ProposalLook): Promise<Proposal>;
  /** Newest first. */
  proposals(query?: { state?: 'open' | 'all'; limit?: number }): Promise<Proposal[]>;
  /** This client's proposal under a key. */
  proposed(key: string): Promise<Proposal | undefined>;
  /**
   * Withdraws a proposal, on the phone too.
   * @throws {TradeAgentError} `not_found`; `outcome_unknown` while it is executed; `details.problem` is
   * `proposal_settled` if it already ended
   */
  withdraw(id: string): Promise<Proposal>;
  /**
   * Returns the cancelled order.
   * @throws {TradeAgentError} `not_found`, `gateway_refused`; `details.problem` is `approval_required` if the order
   * protects a position, so that cancelling it must be proposed
   */
  cancelOrder(id: string): Promise<Order>;
}

const [, PORTFOLIO_READ, ORDERS_READ] = READ_SCOPES;

/** The gateway makes several broker requests and one to the identity provider. */
const PROPOSING_MS = 30_000;

/** Of a hundred activities each. */
const MOST_PAGES = 200;

/** Gateway ids are UUIDs or similar; nothing else a model sends gets into a path. */
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

export function createGatewayClient(
  session: GatewayAccess,
  options: GatewayClientOptions = {},
): GatewayClient {
  const requests = gatewayRequests(session, options);
  return {
    inAccount: (account) => createGatewayClient(session, { ...options, account }),
    ...ofAccounts(requests),
    ...ofAccount(requests),
    ...ofMarket(requests),
    ...ofProposals(requests),
    ...ofKept(requests),
    ...ofEvents(requests),
  };
}

function ofAccount({
  request,
  read,
}: GatewayRequests): Pick<
  GatewayClient,
  | 'account'
  | 'positions'
  | 'orders'
  | 'order'
  | 'cancelOrder'
  | 'equityHistory'
  | 'valueHistory'
  | 'activities'
  | 'isConnected'
> {
  return {
    account: () => read('/v1/account', accountSchema, PORTFOLIO_READ),
    positions: async () =>
      (await read('/v1/positions', z.object({ positions: z.array(positionSchema) }), PORTFOLIO_READ))
        .positions,
    orders: async ({ status = 'open', limit = 50, symbols = [], until } = {}) =>
      (
        await read(
          `/v1/orders?${new URLSearchParams({
            status,
            limit: String(limit),
            ...(symbols.length === 0 ? {} : { symbols: symbols.join(',') }),
            ...defined({ until }),
          })}`,
          z.object({ orders: z.array(orderSchema) }),
          ORDERS_READ,
        )
      ).orders,
    order: async (id) => read(`/v1/orders/${orderId(id)}`, orderSchema, ORDERS_READ),
    cancelOrder: async (id) => {
      await request(`/v1/orders/${orderId(id)}`, { method: 'DELETE' }, [CANCEL_SCOPE]);
      return read(`/v1/orders/${orderId(id)}`, orderSchema, ORDERS_READ);
    },
    equityHistory: async () =>
      (
        await read(
          '/v1/portfolio/history?period=1M&timeframe=1D',
          z.object({ points: z.array(z.object({ equity: decimalString })) }),
          PORTFOLIO_READ,
        )
      ).points.map(({ equity }) => equity),
    valueHistory: async (period) =>
      (
        await read(
          `/v1/portfolio/history?${new URLSearchParams({ period, timeframe: '1D' })}`,
          z.object({
            points: z.array(
              z.object({ at: z.string(), equity: decimalString, flow: decimalString.optional() }),
            ),
          }),
          PORTFOLIO_READ,
        )
      ).points,
    activities: async ({ after }) => {
      const found: Activity[] = [];
      let page: string | null = null;
      for (let pages = 0; pages < MOST_PAGES; pages++) {
        const query: URLSearchParams = new URLSearchParams({ after: new Date(after).toISOString() });
        if (page !== null) query.set('page', page);
        const answer: z.output<typeof activitiesSchema> = await read(
          `/v1/activities?${query}`,
          activitiesSchema,
          PORTFOLIO_READ,
        );
        found.push(...answer.activities);
        page = answer.next_page;
        if (page === null) return found.reverse();
      }
      throw new TradeAgentError('gateway_refused', 'the account has more activities than can be read', {
        hint: 'Ask for a shorter time.',
      });
    },
    isConnected: async (connection) =>
      (
        await read(
          `/v1/connections?${new URLSearchParams({ name: connection })}`,
          z.object({ connections: z.array(z.object({ name: z.string(), connected: z.boolean() })) }),
          PORTFOLIO_READ,
        )
      ).connections.some(({ name, connected }) => name === connection && connected),
  };
}

function ofProposals({
  request,
  read,
  timeoutMs,
  accountOf,
  account,
}: GatewayRequests): Pick<GatewayClient, 'propose' | 'proposal' | 'proposals' | 'proposed' | 'withdraw'> {
  return {
    propose: async (proposal, key) =>
      parse(
        proposalSchema,
        await request(
          '/v1/proposals',
          {
            method: 'POST',
            headers: {
              accept: 'application/json',
              'content-type': 'application/json',
              'idempotency-key': key,
            },
            body: JSON.stringify(inAccountOf(accountOf, proposedIn(account, proposal))),
          },
          proposingScopes(proposal),
          PROPOSING_MS,
        ),
      ),
    proposal: async (id, { waitSeconds, since, signal: until } = {}) => {
      const query = new URLSearchParams({
        ...(waitSeconds === undefined ? {} : { wait: String(waitSeconds) }),
        ...defined({ since }),
      });
      const answer = await request(
        `/v1/proposals/${proposalId(id)}${query.size === 0 ? '' : `?${query}`}`,
        { headers: { accept: 'application/json' }, ...defined({ signal: until }) },
        [ORDERS_READ],
        timeoutMs + (waitSeconds ?? 0) * 1000,
      );
      return parse(proposalSchema, answer);
    },
    proposals: async ({ state = 'all', limit = 100 } = {}) =>
      (
        await read(
          `/v1/proposals?state=${state}&limit=${limit}`,
          z.object({ proposals: z.array(proposalSchema) }),
          ORDERS_READ,
        )
      ).proposals,
    proposed: async (key) =>
      (
        await read(
          `/v1/proposals?${new URLSearchParams({ key })}`,
          z.object({ proposals: z.array(proposalSchema) }),
          ORDERS_READ,
        )
      ).proposals[0],
    withdraw: async (id) =>
      parse(
        proposalSchema,
        await request(
          `/v1/proposals/${proposalId(id)}`,
          { method: 'DELETE', headers: { accept: 'application/json' } },
          [PROPOSE_ORDERS, PROPOSE_MESSAGES],
        ),
      ),
  };
}

/** Using a mandate needs one more scope. */
function proposingScopes(proposal: ProposalRequestInput): Scope[] {
  const { proposeScope } = kinds[proposal.kind];
  return askedUnder(proposal) === undefined ? [proposeScope] : [proposeScope, USE_MANDATES];
}

function orderId(id: string): string {
  if (idPattern.test(id)) return id;
  throw new TradeAgentError('not_found', 'that is not an order’s id', {
    hint: 'List the orders to see their ids.',
  });
}

function proposalId(id: string): string {
  if (idPattern.test(id)) return id;
  throw new TradeAgentError('not_found', `there is no approval "${safeLine(id, 64)}"`, {
    hint: 'List them with "trade-agent approvals".',
  });
}
