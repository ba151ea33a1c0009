import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import type { MessageDraft } from '../../../src/trading/message.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anAccount, anOrder, aPosition, aQuote } from '../../fixtures/builders.ts';
import { ProposalsStandIn } from './proposals-stand-in.ts';

/** The gateway's HTTP interface over a real socket, with a book and its proposals in memory. */
export class GatewayStandIn {
  url = '';
  readonly book: Order[] = [];
  readonly sent: MessageDraft[] = [];
  readonly quotes = new Map([
    ['AAPL', { bid: '179.98', ask: '180.00' }],
    ['MSFT', { bid: '399.90', ask: '400.00' }],
    ['NVDA', { bid: '119.99', ask: '120.00' }],
  ]);
  readonly positions = [aPosition({ symbol: 'MSFT', qty: '25' }), aPosition({ symbol: 'NVDA', qty: '60' })].map(
    (one) => ({ ...one, qty_available: one.qty }),
  );
  open = true;
  buyingPower = '50000.00';
  assetName = 'Apple Inc.';
  connected = new Set(['broker', 'slack', 'gmail']);
  /** Orders that protect a position: cancelling one needs approval. */
  readonly protecting = new Set<string>();
  /** Whether market orders fill at once. */
  fills = true;
  readonly proposals = new ProposalsStandIn(this);
  /** Awaited before each answer. */
  onRequest: ((request: IncomingMessage) => Promise<void> | void) | undefined;
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #down = false;

  get down(): boolean {
    return this.#down;
  }

  /** Nobody answers, and pending requests get no answer either. */
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

  addOpenOrder(symbol: string, id: string, change: Partial<Order> = {}): void {
    this.book.push(anOrder({ id, client_order_id: crypto.randomUUID(), symbol, qty: '1', ...change }));
  }

  priceOf(symbol: string, side: 'buy' | 'sell'): string | undefined {
    return this.quotes.get(symbol)?.[side === 'buy' ? 'ask' : 'bid'];
  }

  place({ account: _, environment: _e, reference_price, max_slippage: _s, expires_at: _x, ...draft }: OrderDraft) {
    const filled = {
      status: 'filled',
      filled_qty: draft.qty ?? '1',
      filled_avg_price: reference_price,
      filled_at: '2026-11-24T15:00:00Z',
    } as const;
    const fields = { qty: null, limit_price: null, ...draft } as Partial<Order>;
    const order = anOrder({ id: `ord-${this.book.length + 1}`, ...fields, ...(this.fills ? filled : {}) });
    this.book.push(order);
    return { ...order };
  }

  send(draft: MessageDraft) {
    this.sent.push(draft);
    return { service_id: `17.${this.sent.length}`, sent_at: '2026-11-24T15:00:00Z' };
  }

  cancel(id: string): Order {
    const order = this.#order(id);
    order.status = 'canceled';
    return { ...order };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.down) return void response.destroy();
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    try {
      const body = await text(request);
      await this.onRequest?.(request);
      const url = new URL(request.url ?? '/', this.url);
      const answer = url.pathname.startsWith('/v1/proposals')
        ? await this.proposals.answer(request, url, body)
        : { status: 200, body: this.#answer(request.method, url) };
      if (answer === 'drop') return void response.destroy();
      send(answer.status, answer.body);
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      send(error.status, error.toProblem());
    }
  }

  #answer(method: string | undefined, { pathname, searchParams }: URL): unknown {
    const asked = (name: string) => searchParams.get(name) ?? '';
    const id = pathname.slice('/v1/orders/'.length);
    if (method === 'DELETE') {
      if (this.protecting.has(this.#order(id).id))
        throw new HttpProblem(409, 'approval_required', 'the order protects a position');
      return this.cancel(id);
    }
    switch (pathname) {
      case '/v1/account':
        return anAccount({
          cash: this.buyingPower,
          buying_power: this.buyingPower,
          equity: '67200.00',
          last_equity: '67000.00',
        });
      case '/v1/positions':
        return { positions: this.positions };
      case '/v1/clock':
        return {
          timestamp: '2026-11-24T15:00:00Z',
          is_open: this.open,
          next_open: '2026-11-25T14:30:00Z',
          next_close: '2026-11-24T21:00:00Z',
        };
      case '/v1/orders':
        return { orders: this.book.filter(({ status }) => asked('status') !== 'open' || status === 'new') };
      case '/v1/connections':
        return { connections: [{ name: asked('name'), connected: this.connected.has(asked('name')) }] };
      case '/v1/quotes':
        return {
          quotes: asked('symbols')
            .split(',')
            .map((symbol) => this.#quote(symbol)),
          missing: [],
        };
    }
    return this.#order(id);
  }

  #order(id: string): Order {
    const order = this.book.find((one) => one.id === id);
    if (order === undefined) throw new HttpProblem(404, 'not_found', 'there is no such order');
    return order;
  }

  #quote(symbol: string) {
    const quote = this.quotes.get(symbol);
    if (quote === undefined) throw new HttpProblem(404, 'unknown_symbol', `there is no symbol ${symbol}`);
    return aQuote({ symbol, name: this.assetName, ...quote, last: quote.ask });
  }
}
