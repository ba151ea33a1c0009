import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { AccountLimits } from '../../../src/gateway/policy/rules.ts';
import { newYorkDate, ONE_DAY_MS } from '../../../src/trading/new-york-time.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from '../approval/foreign-world.ts';
import { lostEntirely } from '../gateway/support/alpaca-stand-in.ts';
import { type DeskWorld, startDesk } from '../gateway/support/desk.ts';
import { limited } from '../gateway/support/limited.ts';
import { answerOf, closedAfter, startWorld, type World } from '../gateway/support/world.ts';

const within = (limits: AccountLimits) => startWorld({ rules: limited(limits) });
const refused = async (response: Promise<Response>, members: object) => {
  const body = { code: 'policy_denied', ...members };
  expect(await answerOf(response)).toMatchObject({ status: 403, body });
};
const sell = { side: 'sell', limit_price: '179.00', reference_price: '179.99' } as const;

describe('the loss of a day', () => {
  const loses = (world: World) => {
    world.broker.account = { equity: '98499.99', last_equity: '99000' };
  };

  it('beyond its limit makes trading reduce: buys are refused, sales up to the holding pass, cancels always', async () => {
    const world = await within({ max_day_loss: '500' });
    expect((await world.order()).status).toBe(201);
    loses(world);
    await refused(world.order(), {
      reason: 'TRADING_REDUCING_ONLY',
      reasons: ['TRADING_REDUCING_ONLY', 'LOSS_EXCEEDS_MAX_PER_DAY'],
    });
    // Alice holds 40.
    expect((await world.order({ ...sell, qty: '30' })).status).toBe(201);
    await refused(world.order({ ...sell, qty: '10.5' }), {
      reason: 'TRADING_REDUCING_ONLY',
      limit: '10',
      value: '10.5',
    });
    expect((await world.order({ ...sell, qty: '10' })).status).toBe(201);
    const [bought] = world.broker.book;
    expect((await world.cancel(bought?.id ?? '')).status).toBe(204);
  });

  it('is remembered for the rest of New York’s day, whatever is won back', async () => {
    const world = await within({ max_day_loss: '500' });
    loses(world);
    expect((await world.order()).status).toBe(403);
    world.broker.account = { equity: '99500', last_equity: '99000' };
    world.restart();
    await refused(world.order(), { reasons: ['TRADING_REDUCING_ONLY'] });
    const trading = (await world.read('/v1/policy')).body.trading as Record<string, string>;
    expect(trading).toMatchObject({ state: 'reducing', by: 'max_day_loss' });
    world.clock.advance(Date.parse(trading.until ?? '') - world.clock.now() - 60_000);
    world.broker.quotedAt = new Date();
    expect((await world.order()).status).toBe(403);
    world.clock.advance(60_000);
    expect((await world.order()).status).toBe(201);
  });

  it('is counted from the last close: what an account has gained since stops nothing', async () => {
    const world = await within({ max_day_loss: '500' });
    world.broker.account = { equity: '98499.99', last_equity: '98000' };
    expect((await world.order()).status).toBe(201);
  });
});

describe('the loss of a day with money that came or went', () => {
  const deposit = (world: World, net_amount: string) => {
    const now = world.broker.now ?? new Date();
    world.broker.activities.unshift({
      ...{ id: `20261124::${randomUUID()}`, activity_type: net_amount.startsWith('-') ? 'CSW' : 'CSD' },
      ...{ date: newYorkDate(now.getTime()), created_at: now.toISOString(), net_amount, status: 'executed' },
    });
  };
  const asked = ({ broker }: World) => broker.requests.filter((one) => one.includes('/account/activities'));

  it('is not what was withdrawn', async () => {
    const world = await within({ max_day_loss: '500' });
    world.broker.account = { equity: '89000', last_equity: '99000' };
    deposit(world, '-10000');
    expect((await world.order()).status).toBe(201);
    expect(asked(world)).toHaveLength(1);
    world.broker.account = { equity: '88499.99', last_equity: '99000' };
    await refused(world.order(), { reasons: ['TRADING_REDUCING_ONLY', 'LOSS_EXCEEDS_MAX_PER_DAY'] });
  });

  it('is not hidden by a deposit, though it came a moment ago', async () => {
    const world = await within({ max_day_loss: '500' });
    expect((await world.order()).status).toBe(201);
    world.broker.account = { equity: '99500', last_equity: '99000' };
    deposit(world, '1000.01');
    await refused(world.order(), { reasons: ['TRADING_REDUCING_ONLY', 'LOSS_EXCEEDS_MAX_PER_DAY'] });
  });

  it('lets nothing be bought where the broker tells no day of the close, and sales pass', async () => {
    const world = await within({ max_day_loss: '500' });
    world.broker.account = { balance_asof: undefined };
    await refused(world.order(), { reasons: ['FACT_UNAVAILABLE'] });
    expect((await world.order({ ...sell, qty: '30' })).status).toBe(201);
  });

  it('is asked for by nobody without a limit on it', async () => {
    const world = await within({ max_day_notional: '5000' });
    expect((await world.order()).status).toBe(201);
    expect(asked(world)).toEqual([]);
  });
});

describe('the day', () => {
  it('turns at New York’s midnight, and what it has used up is given back then', async () => {
    const world = await within({ max_day_notional: '1000' });
    expect((await world.order()).status).toBe(201);
    await refused(world.order(), {
      reason: 'NOTIONAL_EXCEEDS_MAX_PER_DAY',
      limit: '1000.00',
      value: '1800.00',
    });
    world.clock.advance(ONE_DAY_MS);
    expect((await world.order()).status).toBe(201);
    // The clock of the machine is set back: the day was over already.
    world.clock.advance(-ONE_DAY_MS);
    expect((await world.order()).status).toBe(403);
  });

  it('is not refilled by what a sale brings in', async () => {
    const world = await within({ max_day_notional: '1900' });
    expect((await world.order()).status).toBe(201);
    world.broker.onSubmit.push(({ accept, answer, request }) => {
      const order = accept();
      order.status = 'filled';
      answer(200, { ...request, id: order.id, status: 'filled', filled_qty: '5', filled_avg_price: '180' });
    });
    await world.order(sell);
    expect((await world.order()).status).toBe(403);
  });
});

describe('an order that is over', () => {
  it('no longer counts as open, as soon as the broker tells so', async () => {
    const world = await within({ max_open_orders: 1, max_day_notional: '2000' });
    expect((await world.order()).status).toBe(201);
    await refused(world.order(), { reason: 'ORDERS_EXCEED_MAX_OPEN' });
    const [first] = world.broker.book;
    if (first === undefined) throw new Error('nothing was placed');
    // Cancelled by hand, with two of five filled: $360 of $900 stay used.
    first.status = 'canceled';
    first.request.filled_qty = '2';
    expect((await world.order()).status).toBe(201);
    expect((await world.read('/v1/policy')).body.today).toEqual({
      day_messages: 0,
      day_notional: '1260.00',
      day_orders: 2,
      last_minute: 2,
      open_orders: 1,
    });
  });
});

describe('an order whose outcome is unknown', () => {
  it('is not settled by the look of another order at the account, however late, and goes on counting', async () => {
    const world = await within({ max_open_orders: 1 });
    // Taken or not, nobody knows; it was not.
    world.broker.onSubmit.push(lostEntirely);
    expect((await world.order()).status).toBe(504);
    for (const ms of [0, 60_000, 3_600_000]) {
      world.clock.advance(ms);
      await refused(world.order(), { reason: 'ORDERS_EXCEED_MAX_OPEN' });
    }
  });
});

describe('a halt', () => {
  let desk: DeskWorld;
  /** Something happens right after the claim, before the order goes out. */
  const startedWith = async (happens: (world: DeskWorld) => Promise<unknown>) => {
    desk = await startDesk();
    desk.onClaimed = async () => void (await happens(desk));
  };

  const halts = ({ stores, clock }: DeskWorld) => stores.halts.halt('alice', 'terminal A', clock.now());
  const reduces = ({ stores, clock }: DeskWorld) =>
    stores.halts.restrict('alice', 'terminal A', undefined, clock.now());
  it.each<[string, (world: DeskWorld) => Promise<unknown>, string]>([
    ['a halt', halts, 'TRADING_HALTED'],
    ['reducing, of a purchase', reduces, 'TRADING_REDUCING_ONLY'],
  ])('stops what is claimed and not sent yet: %s', async (_, happens, reason) => {
    await startedWith(happens);
    const draft = desk.draft({ qty: '5', limit_price: '180.00' });
    const approved = { draft, digest: 'digest' };
    const caller = desk.caller();
    await expect(desk.desk.placeApproved(approved, caller)).rejects.toMatchObject({
      ...{ status: 409, code: 'not_placed' },
      options: { members: { reason, reasons: [reason] } },
    });
    expect(desk.alpaca.submissions).toEqual([]);
    expect(await desk.journal.find('alice', draft.client_order_id)).toMatchObject({ state: 'rejected' });
    // It is given back, and stays so when it is asked for again.
    const usage = await desk.journal.usage('alice', draft.account, desk.clock.now());
    expect(usage).toMatchObject({ day_notional: '0.00', day_orders: 0 });
    await expect(desk.desk.placeApproved(approved, caller)).rejects.toMatchObject({ code: 'not_placed' });
  });

  it('lets what makes a position smaller go out where it may only reduce', async () => {
    await startedWith(reduces);
    const approved = { draft: desk.draft({ ...sell, qty: '5' }), digest: 'digest' };
    expect(await desk.desk.placeApproved(approved, desk.caller())).toMatchObject({ replay: false });
  });
});

const json = { 'content-type': 'application/json' };

describe('by anybody of the account', () => {
  let world: ForeignWorld;
  let alice: Agent;
  const start = async () => {
    world = closedAfter(await startForeignWorld());
    alice = world.agent('alice', 'trade-agent');
  };
  const { symbol, side, qty, type, time_in_force, limit_price } = anOrderDraft();
  const order = { symbol, side, qty, type, time_in_force, limit_price };
  const states = async () => (await alice.send('GET', '/v1/halt')).body;

  it('trading is made to reduce, and goes on once its owner approves that', async () => {
    await start();
    expect(await states()).toEqual({ halted: false, state: 'active' });
    const other = world.agent('alice', 'somebody-elses');
    expect((await other.send('PUT', '/v1/halt', { state: 'reducing' })).body).toMatchObject({
      ...{ halted: false, state: 'reducing', by: 'somebody-elses' },
      since: expect.any(String),
    });
    expect(await alice.propose({ kind: 'order', order }, 'a-purchase')).toMatchObject({
      status: 403,
      body: { code: 'policy_denied', reasons: ['TRADING_REDUCING_ONLY'] },
    });
    const sale = { ...order, side: 'sell' };
    expect(await alice.propose({ kind: 'order', order: sale }, 'a-sale')).toMatchObject({ status: 201 });
    const { body } = await alice.propose({ kind: 'lift', lift: {} }, 'lift-it');
    expect(body).toMatchObject({ subject: { state: 'reducing' } });
    await expect.poll(() => world.issuer.questions.length).toBe(2);
    await world.decide(String(body.id), 'approve');
    await expect.poll(async () => (await states()).state).toBe('active');
    expect(await alice.propose({ kind: 'order', order }, 'again')).toMatchObject({ status: 201 });
  });

  it.each<[string, Record<string, string>, string]>([
    ['nothing', {}, ''],
    ['nothing, said to be JSON', { 'content-type': 'application/json' }, ''],
    ['nothing, said to be JSON, in chunks', { ...json, 'transfer-encoding': 'chunked' }, ''],
    ['blanks, said to be JSON', json, '\r\n'],
    ['nothing, said to be a form', { 'content-type': 'application/x-www-form-urlencoded' }, ''],
    ['an empty object', json, '{}'],
  ])('trading is halted by %s', async (_, headers, body) => {
    await start();
    const token = await world.issuer.mint({
      claims: { sub: 'alice', client_id: 'trade-agent', scope: 'orders:read orders:cancel' },
    });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const authorization = `Bearer ${token}`;
      const options = { method: 'PUT', headers: { ...headers, authorization }, agent: false };
      request(`${world.url}/v1/halt`, options, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(body);
    });
    expect(status).toBe(200);
    expect(await states()).toMatchObject({ halted: true, state: 'halted' });
  });

  it('is never taken up by who may take it down', async () => {
    await start();
    await alice.send('PUT', '/v1/halt');
    const { body } = await alice.send('PUT', '/v1/halt', { state: 'reducing' });
    expect(body).toMatchObject({ state: 'halted' });
    expect(await alice.send('PUT', '/v1/halt', { state: 'active' })).toMatchObject({ status: 400 });
    expect(await states()).toMatchObject({ halted: true, state: 'halted' });
  });

  it('what it refuses is in the log of decisions', async () => {
    await start();
    await alice.send('PUT', '/v1/halt');
    expect((await alice.propose({ kind: 'order', order }, 'halted')).status).toBe(403);
    const { decisions } = (await alice.send('GET', '/v1/decisions')).body;
    expect(decisions).toMatchObject([{ action: 'place', effect: 'deny', reasons: ['TRADING_HALTED'] }]);
  });
});
