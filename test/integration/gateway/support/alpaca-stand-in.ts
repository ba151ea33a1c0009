import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOnLoopback } from '../../../../src/net/http-server.ts';
import { newYorkDate, ONE_DAY_MS } from '../../../../src/trading/new-york-time.ts';

export interface StandInOrder {
  readonly id: string;
  readonly owner: string;
  readonly request: Record<string, unknown>;
  status: string;
}

/** What a test can do to a submission instead of having it answered. */
export interface SubmissionControl {
  /** Takes the order, if its id is new. */
  accept(): StandInOrder;
  answer(status: number, body: unknown): void;
  /** Closes the connection without a word. */
  drop(): void;
  readonly request: Record<string, unknown>;
}

type Decision = (control: SubmissionControl) => void | Promise<void>;
type Fields = Record<string, unknown>;

const openStatuses = ['new', 'accepted', 'pending_new', 'held', 'partially_filled'];
const accounts: Record<string, string> = { alice: 'PA3ALICE01', bob: 'PA3BOB0001' };
const symbols = ['AAPL', 'MSFT', 'BRK.B'];

export type AlpacaStandIn = Awaited<ReturnType<typeof startAlpacaStandIn>>;

/**
 * Speaks the shapes of Alpaca's API, and misbehaves on request in the ways the sandbox's own broker cannot: late
 * orders, reads that lag, odd refusals.
 */
export async function startAlpacaStandIn() {
  const server = await listenOnLoopback(0, () => 0);
  const broker = {
    url: server.url,
    /** Every order ever taken. */
    book: [] as StandInOrder[],
    /** Every submission that arrived, taken or not. */
    submissions: [] as Fields[],
    requests: [] as string[],
    price: { bid: 179.99, ask: 180.01, last: 180 },
    /** When both sides were quoted and the last trade was made. Undefined: now. */
    quotedAt: undefined as Date | undefined,
    marketOpen: true,
    /** The exchange's time. Undefined: now. */
    now: undefined as Date | undefined,
    account: {} as Fields,
    asset: { tradable: true, fractionable: true },
    /** Decides about the next submissions, one each; then they are accepted. */
    onSubmit: [] as Decision[],
    /** Every PATCH of an order that arrived, taken or not. */
    replacements: [] as Fields[],
    /** Decides about the next replacements, one each; then open orders are replaced. */
    onReplace: [] as Decision[],
    /** The next cancels are done, and their answers lost. */
    lostCancels: 0,
    positions: [position] as Fields[],
    /** GETs of this path alone answer with 500. */
    failing: undefined as string | undefined,
    /** Look-ups by client_order_id that find nothing although the order is there. */
    hiddenLookups: 0,
    /** Every GET answers with this status while set. */
    readsFail: undefined as number | undefined,
    calendar: [{ date: newYorkDate(Date.now() - ONE_DAY_MS), open: '09:30', close: '16:00' }] as Fields[],
    /** Newest first. */
    activities: [] as Fields[],
    tokens: new Map([
      ['broker-token-of-alice', 'alice'],
      ['broker-token-of-bob', 'bob'],
    ]),
    close: () => server.close(),
  };
  server.serve((request, response) => void handle(broker, request, response));
  return broker;
}

async function handle(broker: AlpacaStandIn, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', broker.url);
  const answer = (status: number, body?: unknown) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(body === undefined ? undefined : JSON.stringify(body));
  broker.requests.push(`${request.method} ${url.pathname}`);
  const owner = broker.tokens.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
  if (owner === undefined) return answer(401, { code: 40110000, message: 'request is not authorized' });
  if (request.method === 'GET' && broker.readsFail !== undefined) {
    return answer(broker.readsFail, { message: 'internal server error' });
  }
  if (request.method === 'GET' && broker.failing === url.pathname) {
    return answer(500, { message: 'internal server error' });
  }
  if (request.method === 'POST' && url.pathname === '/v2/orders') {
    return submit(broker, owner, JSON.parse(await text(request)), answer, () => request.socket.destroy());
  }
  const mine = broker.book.filter((order) => order.owner === owner);
  const [, , collection, id] = url.pathname.split('/');
  switch (collection) {
    case 'account':
      if (id === 'activities') return answer(200, activitiesPage(broker, url.searchParams));
      return answer(200, {
        id: randomUUID(),
        account_number: accounts[owner],
        status: 'ACTIVE',
        currency: 'USD',
        cash: '50000.00',
        equity: '100000.12',
        last_equity: '99000',
        balance_asof: newYorkDate((broker.now?.getTime() ?? Date.now()) - ONE_DAY_MS),
        buying_power: '50000.00',
        long_market_value: '50000.12',
        trading_blocked: false,
        ...broker.account,
      });
    case 'calendar':
      return answer(200, broker.calendar);
    case 'clock':
      return answer(200, {
        timestamp: (broker.now ?? new Date()).toISOString(),
        is_open: broker.marketOpen,
        next_open: '2030-01-02T14:30:00Z',
        next_close: '2030-01-02T21:00:00Z',
      });
    case 'positions':
      return answer(200, broker.positions);
    case 'assets':
      if (id === undefined && url.searchParams.get('asset_class') === 'crypto') return answer(200, []);
      if (id === undefined)
        return answer(
          200,
          symbols.map((symbol) => assetJson(symbol, broker)),
        );
      if (!symbols.includes(id)) return answer(404, { code: 40410000, message: 'asset not found' });
      return answer(200, assetJson(id, broker));
    case 'stocks':
      return id === 'bars' ? answer(200, bars) : answer(200, snapshots(broker, url.searchParams.get('symbols') ?? ''));
    case 'orders:by_client_order_id': {
      const wanted = url.searchParams.get('client_order_id');
      const found = mine.find((order) => order.request.client_order_id === wanted);
      if (found === undefined || broker.hiddenLookups-- > 0) {
        return answer(404, { code: 40410000, message: `order not found for ${wanted}` });
      }
      broker.hiddenLookups = 0;
      return answer(200, orderJson(found));
    }
    case 'orders': {
      if (id === undefined) {
        const isOpen = ({ status }: StandInOrder) => openStatuses.includes(status);
        const listed = url.searchParams.get('status') === 'open' ? mine.filter(isOpen) : mine;
        return answer(200, listed.map(orderJson));
      }
      const found = mine.find((order) => order.id === id);
      if (found === undefined) return answer(404, { code: 40410000, message: `order not found for ${id}` });
      if (request.method === 'GET') return answer(200, orderJson(found));
      if (request.method === 'PATCH') {
        const changes = JSON.parse(await text(request)) as Record<string, unknown>;
        return replace(broker, found, changes, answer, () => request.socket.destroy());
      }
      if (found.status === 'filled') return answer(422, { code: 42210000, message: 'order is not cancelable' });
      found.status = 'canceled';
      if (broker.lostCancels > 0) {
        broker.lostCancels--;
        return void request.socket.destroy();
      }
      return void response.writeHead(204).end();
    }
    default:
      return answer(404, { code: 40410000, message: 'endpoint not found' });
  }
}

function activitiesPage({ activities }: AlpacaStandIn, query: URLSearchParams) {
  const token = query.get('page_token');
  const asked = query.get('category') === 'non_trade_activity';
  const listed = activities.filter(({ activity_type }) => !asked || activity_type !== 'FILL');
  const from = token === null ? 0 : listed.findIndex(({ id }) => id === token) + 1;
  return listed.slice(from, from + Number(query.get('page_size')));
}

type Answer = (status: number, body?: unknown) => void;

async function submit(broker: AlpacaStandIn, owner: string, request: Fields, answer: Answer, drop: () => void) {
  broker.submissions.push(request);
  const take = (): StandInOrder => ({ id: randomUUID(), owner, request, status: 'accepted' });
  await decide(broker, { owner, request, decides: broker.onSubmit, refusal: () => undefined, take }, answer, drop);
}

/** PATCH: the earlier order ends as replaced, and another stands in its place. */
async function replace(
  broker: AlpacaStandIn,
  earlier: StandInOrder,
  request: Fields,
  answer: Answer,
  drop: () => void,
) {
  broker.replacements.push(request);
  const { owner } = earlier;
  const take = (): StandInOrder => {
    const { trail, ...rest } = request;
    const trailed = earlier.request.trail_price === undefined ? 'trail_percent' : 'trail_price';
    const trails = trail === undefined ? {} : { [trailed]: trail };
    earlier.status = 'replaced';
    return {
      id: randomUUID(),
      owner,
      request: { ...earlier.request, ...rest, ...trails },
      status: 'accepted',
    };
  };
  const refusal = () => (earlier.status === 'accepted' ? undefined : `order is already in "${earlier.status}" state`);
  await decide(broker, { owner, request, decides: broker.onReplace, refusal, take }, answer, drop);
}

/** As a test says; otherwise the order is taken, unless its id was used or it is refused. */
async function decide(
  broker: AlpacaStandIn,
  {
    owner,
    request,
    decides,
    refusal,
    take,
  }: {
    owner: string;
    request: Fields;
    decides: Decision[];
    refusal: () => string | undefined;
    take: () => StandInOrder;
  },
  answer: Answer,
  drop: () => void,
): Promise<void> {
  const isKnown = () =>
    broker.book.some((order) => order.owner === owner && order.request.client_order_id === request.client_order_id);
  const accept = () => {
    if (isKnown() || refusal() !== undefined) throw new Error('a test has an order taken twice');
    const order = take();
    broker.book.push(order);
    return order;
  };
  const control = decides.shift();
  if (control !== undefined) return void (await control({ accept, answer, drop, request }));
  if (isKnown()) return answer(422, { code: 40010001, message: 'client_order_id must be unique' });
  const message = refusal();
  if (message !== undefined) return answer(422, { code: 42210000, message });
  answer(200, orderJson(accept()));
}

/** For `onSubmit` and `onReplace`: the request never arrives. */
export const lostEntirely = ({ drop }: SubmissionControl) => drop();

/** For `onSubmit` and `onReplace`: the broker takes it, and its answer is lost. */
export const takenButLost = ({ accept, drop }: SubmissionControl) => {
  accept();
  drop();
};

/** For `onSubmit` and `onReplace`: the broker takes it, and something else is answered. */
export const takenBut =
  (status: number, body: unknown) =>
  ({ accept, answer }: SubmissionControl) => {
    accept();
    answer(status, body);
  };

/** For `onSubmit` and `onReplace`: the broker takes it, and answers about another order. */
export const takenAsAnother = ({ accept, answer }: SubmissionControl) =>
  answer(200, { ...orderJson(accept()), client_order_id: 'ta-another-order' });

/** For `onSubmit` and `onReplace`: the broker takes nothing. */
export const refusedWith =
  (status: number, body: unknown) =>
  ({ answer }: SubmissionControl) =>
    answer(status, body);

export const insufficient = refusedWith(403, { code: 40310000, message: 'insufficient buying power' });
export const tooMany = refusedWith(429, { code: 42910000, message: 'too many requests' });

export function orderJson(order: StandInOrder) {
  const { request } = order;
  const at = new Date().toISOString();
  return {
    id: order.id,
    client_order_id: request.client_order_id,
    created_at: at,
    submitted_at: at,
    filled_at: null,
    symbol: request.symbol,
    asset_class: 'us_equity',
    qty: request.qty ?? null,
    notional: request.notional ?? null,
    filled_qty: request.filled_qty ?? '0',
    filled_avg_price: null,
    order_class: '',
    type: request.type,
    side: request.side,
    time_in_force: request.time_in_force,
    limit_price: request.limit_price ?? null,
    stop_price: request.stop_price ?? null,
    trail_price: request.trail_price ?? null,
    trail_percent: request.trail_percent ?? null,
    extended_hours: request.extended_hours ?? false,
    status: order.status,
  };
}

function assetJson(symbol: string, broker: AlpacaStandIn) {
  return {
    id: randomUUID(),
    class: 'us_equity',
    exchange: 'NASDAQ',
    symbol,
    name: `${symbol} Inc.`,
    status: 'active',
    marginable: false,
    shortable: false,
    ...broker.asset,
  };
}

function snapshots(broker: AlpacaStandIn, list: string) {
  const t = (broker.quotedAt ?? new Date()).toISOString();
  const one = {
    latestTrade: { t, x: 'V', p: broker.price.last, s: 100, c: ['@'], i: 1, z: 'C' },
    latestQuote: {
      t,
      ax: 'V',
      ap: broker.price.ask,
      as: 1,
      bx: 'V',
      bp: broker.price.bid,
      bs: 1,
      c: ['R'],
      z: 'C',
    },
    prevDailyBar: { t, o: 178, h: 181, l: 177.5, c: 178.5, v: 1000, n: 10, vw: 178.3 },
  };
  return Object.fromEntries(list.split(',').flatMap((symbol) => (symbols.includes(symbol) ? [[symbol, one]] : [])));
}

const position = {
  asset_id: randomUUID(),
  symbol: 'AAPL',
  exchange: 'NASDAQ',
  asset_class: 'us_equity',
  asset_marginable: false,
  qty: '40',
  qty_available: '40',
  avg_entry_price: '150.123456',
  side: 'long',
  market_value: '7200.00',
  cost_basis: '6004.94',
  unrealized_pl: '1195.06',
  unrealized_plpc: '0.19901280612295876528',
  unrealized_intraday_pl: '60.00',
  unrealized_intraday_plpc: '0.0084',
  current_price: '180',
  lastday_price: '178.5',
  change_today: '0.0084033613445378',
};

const bar = (t: string, c: number) => ({
  t,
  o: 178.1,
  h: 181.123,
  l: 0.12345,
  c,
  v: 1234567,
  n: 10,
  vw: 179.5,
});
const bars = {
  bars: { AAPL: [bar('2029-12-28T05:00:00Z', 180.1), bar('2029-12-27T05:00:00Z', 179)] },
  next_page_token: null,
};
