import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events.ts';
import { TradeAgentError } from '../../../src/trading/errors.ts';
import { createWorld, options, play } from './world.ts';

const statuses = (events: AgentEvent[]) =>
  events.flatMap((event) => (event.type === 'approval' ? [event.approval.status] : []));

describe('a question', () => {
  it('is answered from the account, streamed, with the tool calls shown', async () => {
    const agent = await (await createWorld()).agent();
    const { events, result } = await play(agent.run({ prompt: 'what do I own' }, options()));
    expect(result).toMatchObject({ status: 'done', orders: [], approvals: [] });
    expect(result.text).toContain('| MSFT | 25 |');
    expect(result.usage.model).toBe('built-in planner');
    const deltas = events.flatMap((event) => (event.type === 'text' ? [event.delta] : []));
    expect(deltas.join('')).toBe(result.text);
    expect(deltas.length).toBeGreaterThan(1);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['thread', 'tool_call', 'tool_result', 'text', 'result']),
    );
  });

  it('about who is signed in is answered only after login', async () => {
    const world = await createWorld();
    const signedIn = await play((await world.agent()).run({ prompt: 'who am I' }, options()));
    expect(signedIn.result).toMatchObject({ status: 'done', text: expect.stringContaining('Alice Example') });
    const stranger = await world.agent({ session: undefined });
    const before = await play(stranger.run({ prompt: 'who am I' }, options()));
    expect(before.result).toMatchObject({ status: 'failed', error: { code: 'login_required' } });
    expect(JSON.stringify(before)).not.toContain('Alice');
  });

  it.each(['what do I own', 'quote AAPL', 'open orders', 'buy 5 AAPL'])(
    'needs a login: %s',
    async (prompt) => {
      const world = await createWorld();
      const agent = await world.agent({ session: undefined });
      const { result } = await play(agent.run({ prompt }, options()));
      expect(result).toMatchObject({ status: 'failed', error: { code: 'login_required' } });
      expect(world.phone.asked).toEqual([]);
    },
  );

  it('the planner cannot parse fails as usage and says what it understands', async () => {
    const agent = await (await createWorld()).agent();
    const { result } = await play(agent.run({ prompt: 'write me a poem' }, options()));
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'usage', hint: expect.stringContaining('help') },
    });
    expect(result.text).toContain('write me a poem');
  });
});

describe('an order', () => {
  it('is placed after the phone approved exactly it', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    world.phone.auto = () => 'approve';
    const { events, result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(statuses(events)).toEqual(['drafted', 'requested', 'approved', 'executing', 'executed']);
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', side: 'buy', qty: '5', status: 'filled' }],
      approvals: [{ status: 'executed', order: { reference_price: '180.00' } }],
    });
    expect(result.text).toContain('BUY 5 AAPL MKT: filled 5 at $180.00');
    expect(world.gateway.book).toHaveLength(1);
    const [asked] = world.phone.asked;
    expect(asked?.bindingMessage).toBe(`BUY 5 AAPL MKT ${result.approvals[0]?.code}`);
    expect(asked?.details.identifier).toBe(result.orders[0]?.client_order_id);
    expect(asked?.details.locations).toEqual([world.gateway.url]);
  });

  it('is not placed when the phone denies it', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'deny';
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'denied', error: { code: 'approval_denied' }, orders: [] });
    expect(world.gateway.posts).toEqual([]);
  });

  it('is not placed when nobody decides in time, which is told apart from a denial', async () => {
    const world = await createWorld();
    world.phone.scripted.push({ status: 'expired' });
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'expired', error: { code: 'approval_expired' } });
    expect(world.gateway.posts).toEqual([]);
  });

  it('is neither asked for nor placed with approval "deny"', async () => {
    const world = await createWorld();
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options('deny')));
    expect(result).toMatchObject({ status: 'denied', approvals: [{ status: 'cancelled' }] });
    expect(world.phone.asked).toEqual([]);
    expect(world.gateway.posts).toEqual([]);
  });

  it('is not even proposed in a read-only run', async () => {
    const world = await createWorld();
    const agent = await world.agent({ readOnly: true });
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'blocked', error: { code: 'blocked' }, approvals: [] });
    expect(world.phone.asked).toEqual([]);
  });

  it('of half a position asks the portfolio first', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    const { result, events } = await play(
      (await world.agent()).run({ prompt: 'sell half my MSFT' }, options()),
    );
    expect(result.orders).toMatchObject([{ symbol: 'MSFT', side: 'sell', qty: '12.5' }]);
    expect(events.flatMap((event) => (event.type === 'tool_call' ? [event.name] : []))).toEqual([
      'get_portfolio',
      'place_order',
    ]);
  });

  it.each([
    ['buy 5 ZZZZ', 'unknown_symbol', 'failed'],
    ['buy 500 AAPL', 'insufficient_funds', 'blocked'],
    ['sell 26 MSFT', 'insufficient_funds', 'blocked'],
    ['sell 1 AAPL', 'insufficient_funds', 'blocked'],
    ['sell all AAPL', 'invalid_order', 'failed'],
  ])('that cannot work is refused before the phone rings: %s', async (prompt, code, status) => {
    const world = await createWorld();
    const { result } = await play((await world.agent()).run({ prompt }, options()));
    expect(result).toMatchObject({ status, error: { code, hint: expect.any(String) }, approvals: [] });
    expect(result.text.length).toBeGreaterThan(10);
    expect(world.phone.asked).toEqual([]);
  });

  it('at market waits for the opening, a limit order need not', async () => {
    const world = await createWorld();
    world.gateway.open = false;
    world.phone.auto = () => 'approve';
    const agent = await world.agent();
    const closed = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(closed.result).toMatchObject({ status: 'blocked', error: { code: 'market_closed' } });
    const limit = await play(agent.run({ prompt: 'buy 5 AAPL limit 180 gtc' }, options()));
    expect(limit.result.status).toBe('done');
  });

  it('whose approval cannot be asked for ends with the reason', async () => {
    const world = await createWorld();
    world.phone.requestError = new TradeAgentError('provider_error', 'the provider refused the request');
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'provider_error' },
      approvals: [{ status: 'cancelled' }],
    });
  });

  it('that the gateway refuses ends blocked with the gateway’s reason', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = [{ status: 403, code: 'details_mismatch' }];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'gateway_refused' },
      approvals: [{ status: 'blocked' }],
      orders: [],
    });
  });

  it('is recorded in the audit log from proposal to answer, without a token', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    const text = readFileSync(join(world.folder, 'audit.jsonl'), 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event }) => event)).toEqual([
      'proposed',
      'requested',
      'approved',
      'sending',
      'answered',
    ]);
    expect(new Set(lines.map(({ client_order_id }) => client_order_id)).size).toBe(1);
    expect(lines.at(-1)).toMatchObject({ sub: 'alice-sub', placed: { status: 'filled' } });
    expect(text).not.toContain('PLANTED');
  });
});

describe('a price that moves between approval and trade', () => {
  const moveOnce = (world: Awaited<ReturnType<typeof createWorld>>, prices: string[]) => {
    world.phone.auto = () => {
      const ask = prices.shift();
      if (ask !== undefined) world.gateway.quotes.set('AAPL', { bid: ask, ask });
      return 'approve';
    };
  };

  it('beyond the allowed slippage brings a new approval at the new price, not a silent change', async () => {
    const world = await createWorld();
    moveOnce(world, ['190.00']);
    const { result, events } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(world.phone.asked.map(({ details }) => details.reference_price)).toEqual(['180.00', '190.00']);
    expect(new Set(world.phone.asked.map(({ details }) => details.identifier)).size).toBe(2);
    expect(result).toMatchObject({
      status: 'done',
      approvals: [{ status: 'blocked' }, { status: 'executed', order: { reference_price: '190.00' } }],
    });
    expect(world.gateway.posts).toHaveLength(1);
    expect(events.some((event) => event.type === 'notice' && /moved/.test(event.message))).toBe(true);
  });

  it('within it changes nothing', async () => {
    const world = await createWorld();
    moveOnce(world, ['181.80']);
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result.status).toBe('done');
    expect(world.phone.asked).toHaveLength(1);
  });

  it('again and again ends blocked after the third approval', async () => {
    const world = await createWorld();
    moveOnce(world, ['190.00', '200.00', '210.00', '220.00']);
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'blocked', error: { code: 'price_moved' } });
    expect(world.phone.asked).toHaveLength(3);
    expect(world.gateway.posts).toEqual([]);
  });

  it('as the gateway sees it is asked about again too', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = [{ status: 409, code: 'price_moved' }];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result.status).toBe('done');
    expect(world.phone.asked).toHaveLength(2);
    expect(world.gateway.book).toHaveLength(1);
  });
});

describe('two orders in one message', () => {
  const prompt = 'buy 5 AAPL and sell 2 MSFT';

  it('are carried out as each is approved, in the reverse order too', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const placed: string[] = [];
    const running = play(agent.run({ prompt }, options()), (event) => {
      if (event.type !== 'order') return;
      placed.push(event.order.symbol);
      // The first order must not wait for the second's decision.
      if (event.order.symbol === 'MSFT') world.phone.decide('AAPL', 'approve');
    });
    await world.phone.untilAsked(2);
    world.phone.decide('MSFT', 'approve');
    const { result } = await running;
    expect(placed).toEqual(['MSFT', 'AAPL']);
    expect(result).toMatchObject({
      status: 'done',
      approvals: [{ status: 'executed' }, { status: 'executed' }],
    });
    expect(world.gateway.book.map(({ symbol }) => symbol).sort()).toEqual(['AAPL', 'MSFT']);
    expect(world.phone.overlapping).toBe(false);
  });

  it('may be denied and approved one by one', async () => {
    const world = await createWorld();
    world.phone.auto = ({ details }) => (details.symbol === 'AAPL' ? 'deny' : 'approve');
    const { result } = await play((await world.agent()).run({ prompt }, options()));
    expect(result.status).toBe('denied');
    expect(
      result.approvals.map((one) => [one.kind === 'message' ? '' : one.order.symbol, one.status]),
    ).toEqual([
      ['AAPL', 'denied'],
      ['MSFT', 'executed'],
    ]);
    expect(world.gateway.book.map(({ symbol }) => symbol)).toEqual(['MSFT']);
  });
});

describe('cancelling', () => {
  it('needs no approval', async () => {
    const world = await createWorld();
    world.gateway.addOpenOrder('AAPL', 'open-order-1');
    const { result } = await play((await world.agent()).run({ prompt: 'cancel my AAPL order' }, options()));
    expect(result).toMatchObject({ status: 'done', orders: [{ id: 'open-order-1', status: 'canceled' }] });
    expect(world.phone.asked).toEqual([]);
  });

  it('of one among several asks which', async () => {
    const world = await createWorld();
    world.gateway.addOpenOrder('AAPL', 'open-order-1');
    world.gateway.addOpenOrder('AAPL', 'open-order-2');
    const agent = await world.agent();
    const { result } = await play(agent.run({ prompt: 'cancel my AAPL order' }, options()));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'usage' } });
    expect(result.text).toContain('open-order-2');
    const all = await play(agent.run({ prompt: 'cancel all orders' }, options()));
    expect(all.result.orders.map(({ status }) => status)).toEqual(['canceled', 'canceled']);
  });
});

describe('a halted session', () => {
  it('proposes nothing, and still cancels', async () => {
    const world = await createWorld();
    world.gateway.addOpenOrder('AAPL', 'o1');
    const agent = await world.agent({ halted: () => true });
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'blocked', error: { code: 'blocked' }, approvals: [] });
    expect(world.phone.asked).toEqual([]);
    await play(agent.run({ prompt: 'cancel my AAPL order' }, options()));
    expect(world.gateway.book).toMatchObject([{ status: 'canceled' }]);
  });

  it('sends nothing that is approved after the halt', async () => {
    const world = await createWorld();
    let halted = false;
    world.phone.auto = () => {
      halted = true;
      return 'approve';
    };
    const agent = await world.agent({ halted: () => halted });
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({
      status: 'blocked',
      error: { code: 'blocked' },
      approvals: [{ status: 'cancelled' }],
    });
    expect(world.gateway.posts).toEqual([]);
  });

  it('asks what became of an order that was on its way, and sends it no second time', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = ['drop_before_accept'];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    const halted = await world.agent({ halted: () => true });
    const resumed = await play(halted.resume(result.thread, options()));
    expect(resumed.result.approvals).toMatchObject([{ status: 'unknown' }]);
    expect(world.gateway.posts).toHaveLength(1);
  });
});
