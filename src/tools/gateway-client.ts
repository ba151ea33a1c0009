import { z } from 'zod';
import { READ_SCOPES } from '../auth/profile.ts';
import type { Session } from '../auth/session.ts';
import { type Activity, activitiesSchema, type TradingDay, tradingDaySchema } from '../trading/activity.ts';
import { decimalString } from '../trading/decimal.ts';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import { type MessageDraft, type SentMessage, sentMessageSchema } from '../trading/message.ts';
import type { OrderDraft } from '../trading/order.ts';
import {
  type Account,
  accountSchema,
  type Bar,
  barSchema,
  clockSchema,
  type MarketClock,
  type Order,
  orderSchema,
  type Position,
  positionSchema,
  type Quote,
  quoteSchema,
} from '../trading/views.ts';
import { gatewayError, isNotTaken, isRefusal, recordedRefusal } from './gateway-problem.ts';
import { messageError } from './message-problem.ts';

/** What the gateway answered to an order; `replayed` when it had carried out this very order before. */
export interface PlacedOrder {
  readonly order: Order;
  readonly replayed: boolean;
}

/** `absent`: neither gateway nor broker knows it, which proves nothing while it may still be on its way. */
export type OrderOutcome =
  | { readonly status: 'placed'; readonly order: Order }
  | { readonly status: 'refused'; readonly refusal: TradeAgentError }
  | { readonly status: 'absent' };

/** `absent`: the gateway has not sent it, and is not sending it. `unknowable`: nobody will ever know. */
export type MessageOutcome =
  | { readonly status: 'sent'; readonly message: SentMessage }
  | { readonly status: 'refused'; readonly refusal: TradeAgentError }
  | { readonly status: 'unknowable' }
  | { readonly status: 'absent' };

/** The gateway's HTTP interface, typed. Every call has a time-out. */
export interface GatewayClient {
  account(): Promise<Account>;
  positions(): Promise<Position[]>;
  orders(query?: { status?: 'open' | 'closed' | 'all'; limit?: number }): Promise<Order[]>;
  /** @throws {TradeAgentError} `not_found` */
  order(id: string): Promise<Order>;
  /** What became of an order sent under a client_order_id. @throws {TradeAgentError} `outcome_unknown` */
  outcome(clientOrderId: string): Promise<OrderOutcome>;
  /** In the order asked. @throws {TradeAgentError} `unknown_symbol` */
  quotes(symbols: readonly string[]): Promise<Quote[]>;
  /** Prices over time, oldest first. `start` in milliseconds since the epoch; at most 1000 bars from there. */
  bars(query: { symbol: string; timeframe: '1Day' | '1Hour'; start: number }): Promise<Bar[]>;
  /** Equity at the end of each day of the last month, oldest first, dollars. */
  equityHistory(): Promise<string[]>;
  /** Equity at the end of each day as far back as asked for (`1M`, `1A`, `5A`), oldest first. */
  valueHistory(period: string): Promise<DatedValue[]>;
  clock(): Promise<MarketClock>;
  /** Whether the gateway can reach the person's account elsewhere (`broker`, `slack`) now. */
  isConnected(connection: string): Promise<boolean>;
  /** Trading days from one date to another, both included. */
  calendar(query: { start: string; end: string }): Promise<TradingDay[]>;
  /**
   * All that happened in the account after an instant (milliseconds since the epoch), oldest first.
   * @throws {TradeAgentError} `gateway_refused` where that is more than can be read
   */
  activities(query: { after: number }): Promise<Activity[]>;
  /**
   * Places an approved order. A time-out, a lost connection, a 5xx or an answer that is not the gateway's arrives as
   * `outcome_unknown`: the order may have been taken, so ask {@link outcome} before anything else. `details.sent` is
   * false where it never left, or the gateway says that it was not taken: the approval still stands.
   */
  placeOrder(draft: OrderDraft, approvalToken: string): Promise<PlacedOrder>;
  /**
   * Sends an approved message. `details.sent` is false where it certainly was not sent, and may be tried again;
   * `outcome_unknown` with `details.final` where it may have been, and nobody will ever know.
   */
  sendMessage(draft: MessageDraft, approvalToken: string): Promise<SentMessage>;
  /** What became of a message. @throws {TradeAgentError} where the gateway gives no answer */
  messageOutcome(clientMessageId: string): Promise<MessageOutcome>;
  /** Cancels, and returns the order as it is then. @throws {TradeAgentError} `not_found`, `gateway_refused` */
  cancelOrder(id: string): Promise<Order>;
}

/** What the account was worth at an instant (RFC 3339), dollars. */
export interface DatedValue {
  readonly at: string;
  readonly equity: string;
}

export interface GatewayClientOptions {
  /** Ends reads and cancels; never an order that is on its way. */
  readonly signal?: AbortSignal;
  /** For one request, milliseconds. */
  readonly timeoutMs?: number;
  /** For an order: longer than the gateway's own wait for the broker, so that it can say what became of it. */
  readonly orderTimeoutMs?: number;
}

const [MARKET_READ, PORTFOLIO_READ, ORDERS_READ] = READ_SCOPES;
const ORDERS_CANCEL = 'orders:cancel';

/** Of activities, a hundred each: more trades than a person makes in years. */
const MOST_PAGES = 200;

/** The gateway's ids are UUIDs or the like; what else a model may send never becomes part of a path. */
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

export function createGatewayClient(session: Session, options: GatewayClientOptions = {}): GatewayClient {
  const { signal, timeoutMs = 15_000, orderTimeoutMs = 30_000 } = options;
  const base = session.profile.gateway.replace(/\/+$/, '');

  const unreachable = (cause: unknown, ms: number): TradeAgentError => {
    if (signal?.aborted) return isTradeAgentError(signal.reason) ? signal.reason : interrupted();
    if (isTradeAgentError(cause)) return cause;
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    return new TradeAgentError(
      'gateway_unreachable',
      timedOut ? `the gateway did not answer within ${ms / 1000} seconds` : 'the gateway cannot be reached',
      { hint: `Check that ${base} is up, then try again.` },
    );
  };

  /** Any answer, its body as JSON where it is that. @throws {TradeAgentError} where none came */
  const send = async (path: string, init: RequestInit, scopes: readonly string[]) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const combined = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const once = async () => {
      const response = await session.fetch(`${base}${path}`, { ...init, signal: combined }, scopes);
      return { ok: response.ok, status: response.status, body: await bodyOf(response) };
    };
    try {
      return await once().catch((error: unknown) => {
        // A server may close an idle connection just as it is used again. A question can be asked twice.
        if (init.method !== undefined || combined.aborted || !isConnectionLost(error)) throw error;
        return once();
      });
    } catch (error) {
      throw unreachable(error, timeoutMs);
    }
  };

  /** @throws {TradeAgentError} for every answer that isn't a success */
  const request = async (path: string, init: RequestInit, scopes: readonly string[]): Promise<unknown> => {
    const response = await send(path, init, scopes);
    if (response.ok) return response.body;
    throw gatewayError(response.status, response.body);
  };

  const read = async <T>(path: string, schema: z.ZodType<T>, scope: string): Promise<T> => {
    return parse(schema, await request(path, { headers: { accept: 'application/json' } }, [scope]));
  };

  /** Sends what was approved. Whatever keeps its answer from us leaves the outcome unknown, unless it never left. */
  const post = async (
    path: string,
    approved: object,
    approvalToken: string,
    what: 'order' | 'message',
  ): Promise<{ response: Response; body: unknown }> => {
    try {
      const response = await session.fetchWithApproval(
        `${base}${path}`,
        {
          method: 'POST',
          headers: { accept: 'application/json', 'content-type': 'application/json' },
          body: JSON.stringify(approved),
          signal: AbortSignal.timeout(orderTimeoutMs),
        },
        approvalToken,
      );
      return { response, body: await bodyOf(response) };
    } catch (error) {
      if (isTradeAgentError(error) && error.details.sent === false) throw error;
      throw outcomeUnknown(`the gateway did not say what became of the ${what}`);
    }
  };

  const client: GatewayClient = {
    account: () => read('/v1/account', accountSchema, PORTFOLIO_READ),
    positions: async () =>
      (await read('/v1/positions', z.object({ positions: z.array(positionSchema) }), PORTFOLIO_READ))
        .positions,
    orders: async ({ status = 'open', limit = 50 } = {}) =>
      (
        await read(
          `/v1/orders?status=${status}&limit=${limit}`,
          z.object({ orders: z.array(orderSchema) }),
          ORDERS_READ,
        )
      ).orders,
    order: async (id) => read(`/v1/orders/${orderId(id)}`, orderSchema, ORDERS_READ),
    outcome: async (clientOrderId) => {
      const response = await send(
        `/v1/orders:by_client_order_id?client_order_id=${encodeURIComponent(clientOrderId)}`,
        { headers: { accept: 'application/json' } },
        [ORDERS_READ],
      );
      if (response.ok) return { status: 'placed', order: parse(orderSchema, response.body) };
      const error = gatewayError(response.status, response.body);
      // Without a problem of the gateway's, a 404 comes from something else at its address.
      if (error.code !== 'not_found' || error.details.problem === undefined) throw error;
      const refusal = recordedRefusal(response.body);
      return refusal === undefined ? { status: 'absent' } : { status: 'refused', refusal };
    },
    quotes: async (symbols) => {
      const list = symbols.map(encodeURIComponent).join(',');
      const { quotes } = await read(
        `/v1/quotes?symbols=${list}`,
        z.object({ quotes: z.array(quoteSchema) }),
        MARKET_READ,
      );
      return symbols.map((symbol) => {
        const quote = quotes.find((candidate) => candidate.symbol === symbol);
        if (quote !== undefined) return quote;
        throw new TradeAgentError('unknown_symbol', `there is no quote for ${symbol}`, {
          hint: 'Check the ticker symbol.',
          details: { symbol },
        });
      });
    },
    bars: async ({ symbol, timeframe, start }) => {
      const query = new URLSearchParams({
        symbol,
        timeframe,
        start: new Date(start).toISOString(),
        limit: '1000',
      });
      return (await read(`/v1/bars?${query}`, z.object({ bars: z.array(barSchema) }), MARKET_READ)).bars;
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
          z.object({ points: z.array(z.object({ at: z.string(), equity: decimalString })) }),
          PORTFOLIO_READ,
        )
      ).points,
    clock: () => read('/v1/clock', clockSchema, MARKET_READ),
    isConnected: async (connection) =>
      (
        await read(
          `/v1/connections?${new URLSearchParams({ name: connection })}`,
          z.object({ connections: z.array(z.object({ name: z.string(), connected: z.boolean() })) }),
          PORTFOLIO_READ,
        )
      ).connections.some(({ name, connected }) => name === connection && connected),
    calendar: async ({ start, end }) =>
      (
        await read(
          `/v1/calendar?${new URLSearchParams({ start, end })}`,
          z.object({ days: z.array(tradingDaySchema) }),
          MARKET_READ,
        )
      ).days,
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
    placeOrder: async (draft, approvalToken) => {
      const { response, body } = await post('/v1/orders', draft, approvalToken, 'order');
      const replayed = response.headers.get('idempotent-replay') === 'true';
      if (response.ok) return { order: taken(orderSchema, body, 'order'), replayed };
      const error = gatewayError(response.status, body, replayed);
      if (isNotTaken(error)) throw neverSent(error);
      throw isRefusal(error) ? error : outcomeUnknown(error.message);
    },
    sendMessage: async (draft, approvalToken) => {
      const { response, body } = await post('/v1/messages', draft, approvalToken, 'message');
      if (response.ok) return taken(sentMessageSchema, body, 'message');
      throw messageError(response.status, body);
    },
    messageOutcome: async (clientMessageId) => {
      const response = await send(
        `/v1/messages/${encodeURIComponent(clientMessageId)}`,
        { headers: { accept: 'application/json' } },
        [ORDERS_READ],
      );
      if (response.ok) return { status: 'sent', message: parse(sentMessageSchema, response.body) };
      const error = messageError(response.status, response.body);
      // Without a problem of the gateway's, an answer comes from something else at its address.
      if (error.details.problem === undefined) throw error;
      if (error.code === 'not_found') return { status: 'absent' };
      if (error.details.final === true) return { status: 'unknowable' };
      if (error.code === 'message_rejected') return { status: 'refused', refusal: error };
      throw error;
    },
    cancelOrder: async (id) => {
      await request(`/v1/orders/${orderId(id)}`, { method: 'DELETE' }, [ORDERS_CANCEL]);
      return client.order(id);
    },
  };
  return client;
}

function neverSent({ code, message, hint, details }: TradeAgentError): TradeAgentError {
  return new TradeAgentError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, sent: false },
  });
}

/** Whether the connection broke under a request, so that nobody answered it. */
function isConnectionLost(error: unknown): boolean {
  const code = isTradeAgentError(error)
    ? error.details.reason
    : ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

function orderId(id: string): string {
  if (idPattern.test(id)) return id;
  throw new TradeAgentError('not_found', 'that is not an order’s id', {
    hint: 'List the orders to see their ids.',
  });
}

function outcomeUnknown(message: string): TradeAgentError {
  return new TradeAgentError('outcome_unknown', message, {
    hint: 'Go on with "trade-agent resume": it asks what became of the order before anything else.',
  });
}

function interrupted(): TradeAgentError {
  return new TradeAgentError('interrupted', 'stopped before the gateway answered');
}

/** The body as JSON, or undefined where it is none. A broken connection while reading it still throws. */
async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** It was taken, whatever it says of it. */
function taken<T>(schema: z.ZodType<T>, body: unknown, what: 'order' | 'message'): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw outcomeUnknown(`the gateway’s answer to the ${what} cannot be read`);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new TradeAgentError(
    'gateway_refused',
    `the gateway’s answer is not what it should be${field === '' ? '' : ` (field ${field})`}`,
    { hint: 'The gateway may be of another version.', details: { problem: 'malformed_response' } },
  );
}
