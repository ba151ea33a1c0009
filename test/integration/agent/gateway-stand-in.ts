import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { orderDigest } from '../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order } from '../../../src/trading/views.ts';

/** What happens to the next `POST /v1/orders`. */
export type PostFault =
  | 'drop_after_accept'
  | 'drop_before_accept'
  | 'answer_503'
  | { status: number; code: string };

/**
 * The gateway's HTTP interface over a real socket, with a book in memory. Takes an order only with the token for its
 * digest, and each client_order_id once.
 */
export class GatewayStandIn {
  url = '';
  readonly book: Order[] = [];
  readonly posts: OrderDraft[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly quotes = new Map([
    ['AAPL', { bid: '179.98', ask: '180.00' }],
    ['MSFT', { bid: '399.90', ask: '400.00' }],
    ['NVDA', { bid: '119.99', ask: '120.00' }],
  ]);
  positions = [position('MSFT', '25', '400.00'), position('NVDA', '60', '120.00')];
  open = true;
  buyingPower = '50000.00';
  assetName = 'Apple Inc.';
  faults: PostFault[] = [];
  /** Each answered by a lookup as if the order weren't there. */
  hiddenLookups = 0;
  down = false;
  onPost: (() => Promise<void>) | undefined;
  readonly #onBooked: (() => void)[] = [];

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Resolves once the book holds this many orders. */
  async untilBooked(count: number): Promise<void> {
    while (this.book.length < count) await new Promise<void>((resolve) => this.#onBooked.push(resolve));
  }

  addOpenOrder(symbol: string, id: string): void {
    this.book.push({
      ...toOrder(draftLike(symbol), id),
      status: 'new',
      filled_qty: '0',
      filled_avg_price: null,
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    };
    const problem = (status: number, code: string, detail = code) =>
      send(status, { type: `urn:trade-agent:problem:${code}`, title: code, status, code, detail });
    if (this.down) return void response.destroy();
    if (request.method === 'POST') return this.#post(request, response, send, problem);
    const id = url.pathname.slice('/v1/orders/'.length);
    if (request.method === 'DELETE') {
      const order = this.book.find((candidate) => candidate.id === id);
      if (order === undefined) return problem(404, 'order_not_found', 'there is no such order');
      order.status = 'canceled';
      return void response.writeHead(204).end();
    }
    switch (url.pathname) {
      case '/v1/account':
        return send(200, account(this.buyingPower));
      case '/v1/positions':
        return send(200, { positions: this.positions });
      case '/v1/clock':
        return send(200, {
          timestamp: '2026-11-24T15:00:00Z',
          is_open: this.open,
          next_open: '2026-11-25T14:30:00Z',
          next_close: '2026-11-24T21:00:00Z',
        });
      case '/v1/orders': {
        const open = url.searchParams.get('status') === 'open';
        return send(200, { orders: this.book.filter((order) => !open || order.status === 'new') });
      }
      case '/v1/orders:by_client_order_id': {
        const wanted = url.searchParams.get('client_order_id');
        const order = this.book.find((candidate) => candidate.client_order_id === wanted);
        if (order === undefined || this.hiddenLookups-- > 0) return problem(404, 'order_not_found');
        return send(200, order);
      }
      case '/v1/quotes': {
        const symbols = (url.searchParams.get('symbols') ?? '').split(',');
        const unknown = symbols.find((symbol) => !this.quotes.has(symbol));
        if (unknown !== undefined) return problem(404, 'unknown_symbol', `there is no symbol ${unknown}`);
        return send(200, { quotes: symbols.map((symbol) => this.#quote(symbol)) });
      }
    }
    const order = this.book.find((candidate) => candidate.id === id);
    return order === undefined ? problem(404, 'order_not_found') : send(200, order);
  }

  async #post(
    request: IncomingMessage,
    response: ServerResponse,
    send: (status: number, body: unknown, headers?: Record<string, string>) => void,
    problem: (status: number, code: string, detail?: string) => void,
  ): Promise<void> {
    const draft = JSON.parse(await textOf(request)) as OrderDraft;
    this.posts.push(draft);
    await this.onPost?.();
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (token !== tokenFor(orderDigest(draft))) return problem(403, 'details_mismatch');
    const fault = this.faults.shift();
    if (fault === 'drop_before_accept') return void response.destroy();
    if (fault === 'answer_503') return problem(503, 'broker_unavailable');
    if (typeof fault === 'object') return problem(fault.status, fault.code);
    const earlier = this.book.find((order) => order.client_order_id === draft.client_order_id);
    if (earlier !== undefined) return send(200, earlier, { 'idempotent-replay': 'true' });
    const order = toOrder(draft, `ord-${this.book.length + 1}`);
    this.book.push(order);
    for (const wake of this.#onBooked.splice(0)) wake();
    if (fault === 'drop_after_accept') return void response.destroy();
    send(201, order);
  }

  #quote(symbol: string) {
    const quote = this.quotes.get(symbol);
    return {
      symbol,
      name: this.assetName,
      bid: quote?.bid,
      ask: quote?.ask,
      last: quote?.ask,
      previous_close: '175.00',
      at: '2026-11-24T15:00:00Z',
      simulated: true,
    };
  }
}

/** Recognisable, so that a test can search for it wherever it must not be. */
export const TOKEN_MARK = 'PLANTED-APPROVAL-TOKEN';

/** The token of an approval, as these stand-ins have it. */
export function tokenFor(digest: string): string {
  return `${TOKEN_MARK}.${digest}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function account(buyingPower: string) {
  return {
    account: 'PA3ALICE01',
    environment: 'paper',
    status: 'ACTIVE',
    currency: 'USD',
    cash: buyingPower,
    equity: '67200.00',
    last_equity: '67000.00',
    buying_power: buyingPower,
    long_market_value: '17200.00',
    trading_blocked: false,
    simulated: true,
  };
}

function position(symbol: string, qty: string, price: string) {
  return {
    symbol,
    side: 'long',
    qty,
    qty_available: qty,
    avg_entry_price: price,
    current_price: price,
    lastday_price: price,
    market_value: '10000.00',
    cost_basis: '9000.00',
    unrealized_pl: '1000.00',
    unrealized_plpc: '0.1111',
    change_today: '0.01',
  };
}

function draftLike(symbol: string): OrderDraft {
  return {
    account: 'PA3ALICE01',
    environment: 'paper',
    symbol,
    side: 'buy',
    qty: '1',
    type: 'limit',
    limit_price: '1.00',
    time_in_force: 'gtc',
    extended_hours: false,
    reference_price: '1.00',
    max_slippage: '0.01',
    client_order_id: `earlier-${symbol}`,
    expires_at: '2026-11-24T15:00:00Z',
  };
}

function toOrder(draft: OrderDraft, id: string): Order {
  return {
    id,
    client_order_id: draft.client_order_id,
    symbol: draft.symbol,
    side: draft.side,
    type: draft.type,
    time_in_force: draft.time_in_force,
    qty: draft.qty ?? null,
    notional: draft.notional ?? null,
    limit_price: draft.limit_price ?? null,
    stop_price: draft.stop_price ?? null,
    trail_price: draft.trail_price ?? null,
    trail_percent: draft.trail_percent ?? null,
    extended_hours: draft.extended_hours,
    status: 'filled',
    filled_qty: draft.qty ?? '1',
    filled_avg_price: draft.reference_price,
    submitted_at: '2026-11-24T15:00:00Z',
    filled_at: '2026-11-24T15:00:00Z',
  };
}
