import { beforeEach, describe, expect, it } from 'vitest';
import { newYorkDate } from '../../../src/trading/new-york-time.ts';
import type { OrderChanges } from '../../fixtures/builders.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});

const place = (changes?: OrderChanges) => world.order(changes);
const session = (at: Date) => ({ date: newYorkDate(at.getTime()), open: '00:00', close: '23:59' });
const market = { type: 'market' } as const;

describe('the price', () => {
  it('may move up to max_slippage, for a buy by the ask', async () => {
    world.broker.price = { bid: 1, ask: 181.81, last: 1 };
    expect((await place({ ...market, reference_price: '180.01' })).status).toBe(201);
  });

  it('further up, a buy is not placed', async () => {
    world.broker.price.ask = 181.82;
    await world.refuses(place(market), 409, 'price_moved', {
      current_price: '181.82',
      reference_price: '180.01',
      detail: 'AAPL is at 181.82, more than 1% above the approved 180.01',
    });
  });

  it('however far down, a buy is placed', async () => {
    world.broker.price.ask = 17.82;
    expect((await place(market)).status).toBe(201);
  });

  it('however far up, a sell is placed', async () => {
    world.broker.price = { bid: 1800, ask: 1801, last: 1800 };
    expect((await place({ ...market, side: 'sell' })).status).toBe(201);
  });

  it('is the bid for a sell', async () => {
    world.broker.price = { bid: 170, ask: 180, last: 180 };
    await world.refuses(place({ ...market, side: 'sell' }), 409, 'price_moved', {
      current_price: '170.00',
      detail: 'AAPL is at 170.00, more than 1% below the approved 180.01',
    });
  });

  it('is guarded for limit orders that would trade alike, and not for those that wait', async () => {
    world.broker.price.ask = 200;
    await world.refuses(place({ limit_price: '200.00' }), 409, 'price_moved');
    expect((await place()).status).toBe(201);
  });

  it('is the last trade where nobody quotes', async () => {
    world.broker.price = { bid: 0, ask: 0, last: 200 };
    await world.refuses(place(market), 409, 'price_moved', { current_price: '200.00' });
    world.broker.price.last = 180;
    expect((await place(market)).status).toBe(201);
  });

  it('must be known', async () => {
    world.broker.price = { bid: 0, ask: 0, last: 0 };
    await world.refuses(place(), 409, 'price_unavailable');
  });

  it('is none where the quote is older than the session', async () => {
    world.broker.quotedAt = new Date(Date.now() - 30 * 3_600_000);
    await world.refuses(place(), 409, 'price_unavailable');
  });
});

describe('while the market is closed', () => {
  beforeEach(() => {
    world.broker.marketOpen = false;
  });
  it.each<OrderChanges>([
    market,
    { type: 'stop', stop_price: '181.00' },
    { type: 'trailing_stop', trail_price: '2.00' },
  ])('is refused, with the next opening: %j', async (changes) => {
    const next_open = '2030-01-02T14:30:00.000Z';
    await world.refuses(place(changes), 409, 'market_closed', { next_open });
  });

  it.each<OrderChanges>([
    { type: 'limit' },
    { type: 'stop_limit', stop_price: '181.00' },
    { type: 'limit', time_in_force: 'opg' },
  ])('may wait: %j', async (changes) => {
    expect((await place(changes)).status).toBe(201);
  });

  it('a quote of the last session is a price, days later', async () => {
    world.broker.quotedAt = new Date(Date.now() - 70 * 3_600_000);
    world.broker.calendar = [session(world.broker.quotedAt)];
    expect((await place()).status).toBe(201);
  });

  it('a quote from before the last session is none', async () => {
    world.broker.quotedAt = new Date(Date.now() - 70 * 3_600_000);
    world.broker.calendar = [session(world.broker.quotedAt), session(new Date(Date.now() - 40 * 3_600_000))];
    await world.refuses(place(), 409, 'price_unavailable');
  });
});

describe('the account and the symbol', () => {
  it.each([
    { trading_blocked: true },
    { account_blocked: true },
    { trade_suspended_by_user: true },
    { status: 'ACCOUNT_UPDATED' },
  ])('an account with %j places no order', async (account) => {
    world.broker.account = account;
    await world.refuses(place(), 422, 'blocked', { reason: 'ACCOUNT_BLOCKED' });
  });

  it('an unknown symbol is no order', async () => {
    await world.refuses(place({ symbol: 'ZZZZ' }), 422, 'unknown_symbol', { fields: ['symbol'] });
  });

  it('a symbol that is not tradable is no order', async () => {
    world.broker.asset = { tradable: false, fractionable: true };
    await world.refuses(place(), 422, 'symbol_not_tradable');
  });

  it('a fraction of a symbol traded whole is no order', async () => {
    world.broker.asset = { tradable: true, fractionable: false };
    await world.refuses(place({ qty: '0.5' }), 422, 'symbol_not_fractionable', { fields: ['qty'] });
  });
});

it('a rule of the operator’s can refuse, with all the facts before it', async () => {
  const strict = await startWorld({
    rules: {
      current: async () => ({
        digest: 'of the rules',
        limitsOf: () => undefined,
        cedar: {
          evaluate({ owner, approval }, action, { order, holdings, market }) {
            const known = owner === 'alice' && approval === 'tap' && holdings?.equity === '100000.12';
            const isMeant = order?.symbol === 'AAPL' && market?.ask === '180.01' && action === 'place';
            if (!known || !isMeant) return { forbidden: [] };
            return { forbidden: [{ reason: 'SYMBOL_RESTRICTED', id: 'no-aapl', message: 'no AAPL today' }] };
          },
        },
      }),
    },
  });
  await strict.refuses(strict.order(), 403, 'policy_denied', {
    reason: 'SYMBOL_RESTRICTED',
    reasons: ['SYMBOL_RESTRICTED'],
    policy: 'of the rules',
  });
});
