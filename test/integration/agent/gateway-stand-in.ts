import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ProblemCode } from '../../../src/errors/problem-codes.ts';
import type { MessageDraft } from '../../../src/trading/message.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order } from '../../../src/trading/views.ts';
import { Problem, ProposalsStandIn } from './proposals-stand-in.ts';

/**
 * The gateway's HTTP interface over a real socket, with a book in memory: what it reads of the broker, and the proposals
 * that it asks about and carries out.
 */
export class GatewayStandIn {
  url = '';
  readonly book: Order[] = [];
  readonly sent: MessageDraft[] = [];
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
  /** Accounts elsewhere that are connected. */
  connected = new Set(['broker', 'slack', 'gmail']);
  /** Orders that protect a position: cancelling one needs the person's tap. */
  readonly protecting = new Set<string>();
  /** As it is booked; an order at market is filled at once unless this says otherwise. */
  fills = true;
  readonly proposals: ProposalsStandIn;
  /** Waited for before anything is answered. */
  onRequest: ((request: IncomingMessage) => Promise<void> | void) | undefined;
  #down = false;
  readonly #onBooked: (() => void)[] = [];

  constructor() {
    const gateway = this;
    this.proposals = new ProposalsStandIn({
      get open() {
        return gateway.open;
      },
      get buyingPower() {
        return gateway.buyingPower;
      },
      get positions() {
        return gateway.positions;
      },
      book: this.book,
      protecting: this.protecting,
      connected: this.connected,
      priceOf: (symbol, side) => this.quotes.get(symbol)?.[side === 'buy' ? 'ask' : 'bid'],
      place: (draft) => this.#place(draft),
      send: (draft) => {
        this.sent.push(draft);
        return { service_id: `17.${this.sent.length}`, sent_at: '2026-11-24T15:00:00Z' };
      },
      cancel: (id) => {
        const order = this.book.find((one) => one.id === id) as Order;
        order.status = 'canceled';
        return { ...order };
      },
    });
  }

  get down(): boolean {
    return this.#down;
  }

  /** Nobody answers, and nobody who waits for an answer gets one. */
  set down(down: boolean) {
    this.#down = down;
    if (down) this.#server.closeAllConnections();
  }

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

  addOpenOrder(symbol: string, id: string, change: Partial<Order> = {}): void {
    this.book.push({
      ...toOrder(draftLike(symbol), id),
      ...change,
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
    const problem = (status: number, code: ProblemCode, detail: string = code) =>
      send(status, { type: `urn:trade-agent:problem:${code}`, title: code, status, code, detail });
    if (this.down) return void response.destroy();
    const body = await textOf(request);
    await this.onRequest?.(request);
    if (/^\/v1\/(proposals|halt)/.test(url.pathname)) {
      return await this.#proposal(request, url, body, response, send);
    }
    const id = url.pathname.slice('/v1/orders/'.length);
    if (request.method === 'DELETE') {
      const order = this.book.find((candidate) => candidate.id === id);
      if (order === undefined) return problem(404, 'not_found', 'there is no such order');
      if (this.protecting.has(id)) return problem(409, 'approval_required', 'the order protects a position');
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
      case '/v1/connections': {
        const name = url.searchParams.get('name') ?? '';
        return send(200, { connections: [{ name, connected: this.connected.has(name) }] });
      }
      case '/v1/quotes': {
        const symbols = (url.searchParams.get('symbols') ?? '').split(',');
        const unknown = symbols.find((symbol) => !this.quotes.has(symbol));
        if (unknown !== undefined) return problem(404, 'unknown_symbol', `there is no symbol ${unknown}`);
        return send(200, { quotes: symbols.map((symbol) => this.#quote(symbol)) });
      }
    }
    const order = this.book.find((candidate) => candidate.id === id);
    return order === undefined ? problem(404, 'not_found') : send(200, order);
  }

  async #proposal(
    request: IncomingMessage,
    url: URL,
    body: string,
    response: ServerResponse,
    send: (status: number, body: unknown) => void,
  ): Promise<void> {
    const sub = /^Bearer PLANTED-SESSION-TOKEN\.(.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    try {
      const answer = await this.proposals.answer(request, url, sub, body);
      if (answer === 'drop') return void response.destroy();
      send(answer.status, answer.body);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      send(error.answer.status, error.answer.body);
    }
  }

  #place(draft: OrderDraft): Order {
    const order = toOrder(draft, `ord-${this.book.length + 1}`);
    if (!this.fills)
      Object.assign(order, { status: 'new', filled_qty: '0', filled_avg_price: null, filled_at: null });
    this.book.push(order);
    for (const wake of this.#onBooked.splice(0)) wake();
    return { ...order };
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
    client_order_id: randomUUID(),
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
