import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dec } from '../../../src/trading/decimal.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import type { Order, Position, Quote } from '../../../src/trading/views.ts';
import { options, play } from '../agent/world.ts';
import { openMarketAt, orderWays } from './order-ways.ts';
import type { Person } from './world.ts';

/** Crypto and options from sentence, command and tool to the paper broker, on a Tuesday noon or a Sunday. */

const TUESDAY = '2026-11-24T17:00:00Z';
const SUNDAY = '2026-11-29T17:00:00Z';
const SLIPPAGE = '0.05';
const { typed, called } = orderWays(SLIPPAGE);

type Setting = Awaited<ReturnType<typeof openMarketAt>>;

const positionOf = async (alice: Person, symbol: string): Promise<Position | undefined> => {
  const { positions } = (await alice.send('GET', '/v1/positions')).body as { positions: Position[] };
  return positions.find((position) => position.symbol === symbol);
};
const quoteOf = async (alice: Person, symbol: string): Promise<Quote> => {
  const { body } = await alice.send('GET', `/v1/quotes?symbols=${encodeURIComponent(symbol)}`);
  const [quote] = (body as { quotes: Quote[] }).quotes;
  if (quote === undefined) throw new Error(JSON.stringify(body));
  return quote;
};
const refused = async (alice: Person, request: ProposalRequestInput) => (await alice.ask(request)).body;

/** What the phone's page shows of the question that is open. */
async function card({ world }: Setting) {
  const [request] = await world.phone.requests('alice', { waitSeconds: 10 });
  if (request === undefined) throw new Error('the phone was never asked');
  return request;
}

async function said(setting: Setting, prompt: string) {
  const { agent, alice } = setting;
  const running = play(agent.run({ prompt }, options()));
  const request = await card(setting);
  await alice.tap(request.code);
  return { ...(await running), request };
}

describe('a coin, on a Sunday', () => {
  let setting: Setting;
  let alice: Person;
  beforeAll(async () => {
    setting = await openMarketAt(Date.parse(SUNDAY), SLIPPAGE);
    ({ alice } = setting);
  });
  afterAll(() => setting.close());

  it('goes from a sentence to a fill, while the exchange is closed', async () => {
    expect((await alice.send('GET', '/v1/clock')).body).toMatchObject({ is_open: false });
    const { result, request } = await said(setting, 'buy 0.01 BTC');
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'BTC/USD', qty: '0.01', status: 'filled', asset_class: 'crypto' }],
    });
    expect(request.details).toMatchObject({
      subject: { symbol: 'BTC/USD', qty: '0.01', time_in_force: 'gtc' },
      provenance: {
        fields: {
          symbol: { source: 'computed', from: 'the asset list, by name' },
          qty: { source: 'user' },
          time_in_force: { source: 'default' },
        },
      },
      warnings: expect.not.arrayContaining([expect.stringContaining('market is closed')]),
    });
    expect(await positionOf(alice, 'BTC/USD')).toMatchObject({ side: 'long' });
  });

  it('goes by typed command and by a tool’s call, for dollars, and never beyond its worst case', async () => {
    for (const request of [
      typed('buy', 'eth/usd', { amount: '100', tif: 'gtc' }),
      called({ symbol: 'ETH/USD', side: 'buy', notional: 120 }),
    ]) {
      const proposal = await alice.propose(request);
      expect(proposal.worst_case?.text).toMatch(
        /^Costs at most \$1[02]0\.00 \(limit .* That is 0\.\d+ ETH\. The broker keeps up to 0\.25%/,
      );
      await alice.tap(proposal.code);
      const { result } = await alice.until(proposal.id, 'executed');
      const order = result as Order;
      expect(order).toMatchObject({ symbol: 'ETH/USD', status: 'filled' });
      const paid = new Dec(order.filled_qty).times(order.filled_avg_price ?? 0);
      expect(paid.lte(proposal.worst_case?.cash ?? 0)).toBe(true);
    }
  });

  it('rests at its limit, and is cancelled', async () => {
    const { last } = await quoteOf(alice, 'BTC/USD');
    const limit = new Dec(last).times('0.5').toFixed(2);
    const { result } = await alice.approved(typed('buy', 'BTC/USD', { qty: '0.01', limit }));
    const { id, status } = result as Order;
    expect(status).toMatch(/new|accepted/);
    expect((await alice.send('DELETE', `/v1/orders/${id}`)).status).toBeLessThan(300);
    expect((await alice.send('GET', `/v1/orders/${id}`)).body).toMatchObject({ status: 'canceled' });
  });

  it('that is for this moment alone is over at once where nobody sells at its limit', async () => {
    const { last } = await quoteOf(alice, 'BTC/USD');
    const limit = new Dec(last).times('0.5').toFixed(2);
    const { result } = await alice.approved(typed('buy', 'BTC/USD', { qty: '0.02', limit, tif: 'ioc' }));
    const { id } = result as Order;
    const { status, filled_qty } = (await alice.send('GET', `/v1/orders/${id}`)).body as unknown as Order;
    expect(status).toMatch(/canceled|expired/);
    expect(filled_qty).toBe('0');
  });

  it('is sold whole by a sentence', async () => {
    const held = await positionOf(alice, 'BTC/USD');
    const { result } = await said(setting, 'sell all my BTC');
    expect(result).toMatchObject({ orders: [{ side: 'sell', qty: held?.qty, status: 'filled' }] });
    expect(await positionOf(alice, 'BTC/USD')).toBeUndefined();
  });

  it('that is not held is not sold, and a share waits for Monday', async () => {
    expect(await refused(alice, typed('sell', 'SOL/USD', { qty: '1' }))).toMatchObject({
      code: 'insufficient_funds',
    });
    expect(await refused(alice, typed('buy', 'AAPL', { qty: '1' }))).toMatchObject({ code: 'market_closed' });
  });
});

describe('an option', () => {
  let setting: Setting;
  let alice: Person;
  const CALL = 'AAPL261218C00230000';
  const PUT = 'KO261218P00060000';
  beforeAll(async () => {
    setting = await openMarketAt(Date.parse(TUESDAY), SLIPPAGE);
    ({ alice } = setting);
  });
  afterAll(() => setting.close());

  it('goes from a sentence to a fill: the card says which contract, and what it comes to', async () => {
    const { ask } = await quoteOf(alice, CALL);
    const limit = new Dec(ask).times('1.02').toFixed(2);
    const { result, request } = await said(setting, `buy 1 AAPL 230 call expiring Dec 18 at ${limit}`);
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: CALL, qty: '1', status: 'filled', position_intent: 'buy_to_open' }],
    });
    const most = new Dec(limit).times(100).toFixed(2);
    expect(request.details).toMatchObject({
      subject: { symbol: CALL, position_intent: 'buy_to_open', limit_price: limit },
      worst_case: { cash: most, text: expect.stringContaining('You lose all of it if the option expires worthless') },
      shows: {
        Contract: 'AAPL Dec 18 2026 $230 call, for 100 shares',
        Premium: expect.stringMatching(/^\$[\d.]+ a share, \$[\d,.]+ a contract$/),
      },
      provenance: {
        fields: {
          symbol: { source: 'computed', from: 'the option chain, by expiry and strike' },
          position_intent: { source: 'user' },
          limit_price: { source: 'user' },
        },
      },
    });
    const position = await positionOf(alice, CALL);
    expect(position).toMatchObject({ side: 'long', qty: '1' });
    // A contract is worth a hundred shares at its price.
    expect(new Dec(position?.market_value ?? 0).eq(new Dec(position?.current_price ?? 0).times(100))).toBe(true);
  });

  it('is closed by typed command, and no more of it than is held', async () => {
    expect(await refused(alice, typed('sell', CALL, { qty: '2', close: true }))).toMatchObject({
      code: 'policy_denied',
      reason: 'POSITION_NOT_HELD',
    });
    expect((await alice.approved(typed('sell', CALL, { qty: '1', close: true }))).result).toMatchObject({
      status: 'filled',
      position_intent: 'sell_to_close',
    });
    expect(await positionOf(alice, CALL)).toBeUndefined();
  });

  it('is not sold without its shares or its cash', async () => {
    // Alice holds 40 AAPL.
    expect(await refused(alice, typed('sell', CALL, { qty: '1', limit: '5', open: true }))).toMatchObject({
      code: 'policy_denied',
      reason: 'CALL_NOT_COVERED',
    });
    expect(
      await refused(alice, typed('sell', 'AAPL261218P00230000', { qty: '9', limit: '5', open: true })),
    ).toMatchObject({ code: 'policy_denied', reason: 'PUT_NOT_SECURED' });
  });

  it('that is a put sold by a tool’s call says what assignment means, and keeps its cash from another', async () => {
    const { bid } = await quoteOf(alice, PUT);
    const proposal = await alice.propose(
      called({
        symbol: PUT,
        side: 'sell',
        qty: 1,
        type: 'limit',
        limit_price: bid,
        position_intent: 'sell_to_open',
      }),
    );
    expect(proposal.worst_case?.text).toContain(
      'If assigned by Dec 18, 2026, 100 KO are bought at $60.00 a share, $6,000.00 total',
    );
    await alice.tap(proposal.code);
    expect((await alice.until(proposal.id, 'executed')).result).toMatchObject({ status: 'filled' });
    expect(await positionOf(alice, PUT)).toMatchObject({ side: 'short' });
    const { cash } = (await alice.send('GET', '/v1/account')).body as { cash: string };
    const most = new Dec(cash).minus(6000).div(6000).floor().plus(1).toFixed();
    const tooMany = typed('sell', 'KO261218P00060000', { qty: most, limit: bid, open: true });
    expect(await refused(alice, tooMany)).toMatchObject({ reason: 'PUT_NOT_SECURED' });
  });

  it('that waits is cancelled, and one for the day is over at the close', async () => {
    // Each run draws its own prices. Even after a fall by half, this contract costs more than the limit.
    const deep = 'AAPL261218C00100000';
    const resting = async () => (await alice.approved(typed('buy', deep, { qty: '1', limit: '0.05' }))).result as Order;
    const first = await resting();
    expect(await alice.send('DELETE', `/v1/orders/${first.id}`)).toMatchObject({ status: 204 });
    expect((await alice.send('GET', `/v1/orders/${first.id}`)).body).toMatchObject({ status: 'canceled' });
    const second = await resting();
    expect(second.status).toMatch(/new|accepted/);
    await setting.clock.advance(6 * 3_600_000);
    expect((await alice.send('GET', `/v1/orders/${second.id}`)).body).toMatchObject({
      status: 'expired',
      filled_qty: '0',
    });
  });

  it('ends on its last day: a put that is not worth it is assigned to nobody, and is no position any more', async () => {
    await setting.clock.advance(Date.parse('2026-12-18T22:00:00Z') - setting.clock.now());
    expect(await positionOf(alice, PUT)).toBeUndefined();
  });
});
