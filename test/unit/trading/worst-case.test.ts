import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec, isOnTick } from '../../../src/trading/decimal.ts';
import { checkOrder, type OrderDraft } from '../../../src/trading/order.ts';
import { worstPrice } from '../../../src/trading/price-band.ts';
import { boundedOrder, worstCase } from '../../../src/trading/worst-case.ts';

type Changes = Partial<Record<Exclude<keyof OrderDraft, 'extended_hours'>, string>>;
const order = (changes: Changes): OrderDraft => ({
  account: 'PA3ALICE01',
  environment: 'paper',
  symbol: 'AAPL',
  side: 'buy',
  type: 'market',
  time_in_force: 'day',
  extended_hours: false,
  reference_price: '250.00',
  max_slippage: '0.01',
  client_order_id: 'ta-00000001',
  expires_at: '2026-11-24T15:00:00Z',
  ...(changes.notional === undefined ? { qty: '5' } : {}),
  ...(changes as Partial<OrderDraft>),
});

describe('the worst case of a purchase', () => {
  it.each<[string, Changes, string, string | null, string]>([
    [
      'at the market',
      {},
      '1262.50',
      '252.50',
      'Costs at most $1,262.50: nothing is bought above $252.50 a share.',
    ],
    [
      'at a limit',
      { type: 'limit', limit_price: '249.99' },
      '1249.95',
      '249.99',
      'Costs at most $1,249.95: nothing is bought above $249.99 a share.',
    ],
    [
      'by a stop',
      { type: 'stop', stop_price: '260.00' },
      '1313.00',
      '262.60',
      'Costs at most $1,313.00: nothing is bought above $262.60 a share.',
    ],
    [
      'by a stop limit',
      { type: 'stop_limit', stop_price: '260.00', limit_price: '261.00' },
      '1305.00',
      '261.00',
      'Costs at most $1,305.00: nothing is bought above $261.00 a share.',
    ],
    [
      'for an amount',
      { notional: '500.00' },
      '500.00',
      null,
      'Costs at most $500.00. How many shares that buys is up to the price.',
    ],
    [
      'of a fraction, to the cent above',
      { qty: '0.333' },
      '84.09',
      '252.50',
      'Costs at most $84.09: nothing is bought above $252.50 a share.',
    ],
    [
      'below a dollar, to the tick below',
      { reference_price: '0.3333' },
      '1.69',
      '0.3366',
      'Costs at most $1.69: nothing is bought above $0.3366 a share.',
    ],
  ])('%s', (_, changes, cash, price, text) => {
    expect(worstCase(order(changes))).toEqual({ cash, price, text });
  });
});

describe('the worst case of a sale', () => {
  it.each<[string, Changes, string, string, string]>([
    [
      'at the market',
      {},
      '1237.50',
      '247.50',
      'Brings at least $1,237.50 if all is sold: nothing is sold below $247.50 a share.',
    ],
    [
      'at a limit',
      { type: 'limit', limit_price: '251.00' },
      '1255.00',
      '251.00',
      'Brings at least $1,255.00 if all is sold: nothing is sold below $251.00 a share.',
    ],
    [
      'by a stop',
      { type: 'stop', stop_price: '240.00' },
      '1188.00',
      '237.60',
      'Brings at least $1,188.00 if all is sold: nothing is sold below $237.60 a share.',
    ],
    [
      'by a stop limit',
      { type: 'stop_limit', stop_price: '240.00', limit_price: '239.00' },
      '1195.00',
      '239.00',
      'Brings at least $1,195.00 if all is sold: nothing is sold below $239.00 a share.',
    ],
    [
      'for an amount, which may take more shares',
      { notional: '500.00' },
      '500.00',
      '247.50',
      'Brings $500.00 if all is sold: nothing is sold below $247.50 a share, so at most 2.0203 shares go.',
    ],
    [
      'of a fraction, to the cent below',
      { qty: '0.333' },
      '82.41',
      '247.50',
      'Brings at least $82.41 if all is sold: nothing is sold below $247.50 a share.',
    ],
  ])('%s', (_, changes, cash, price, text) => {
    expect(worstCase(order({ side: 'sell', ...changes }))).toEqual({ cash, price, text });
  });
});

const exits = { take_profit_limit_price: '300.00', stop_loss_stop_price: '230.00' };

describe('the worst case of an order with exits', () => {
  it.each<[string, Changes, string, string, string]>([
    [
      'a bracket at the market',
      { order_class: 'bracket', ...exits },
      '1262.50',
      '252.50',
      "Costs at most $1,262.50: nothing is bought above $252.50 a share. Once bought, it is sold at $300.00 a share or more. If the stop at $230.00 is reached, it sells at no less than $227.70 a share, so the whole loses at most $124.00 before fees, unless the price jumps past the stop's limit.",
    ],
    [
      'a bracket with limits of its own',
      {
        order_class: 'bracket',
        ...exits,
        type: 'limit',
        limit_price: '249.99',
        stop_loss_limit_price: '229.00',
      },
      '1249.95',
      '249.99',
      "Costs at most $1,249.95: nothing is bought above $249.99 a share. Once bought, it is sold at $300.00 a share or more. If the stop at $230.00 is reached, it sells at no less than $229.00 a share, so the whole loses at most $104.95 before fees, unless the price jumps past the stop's limit.",
    ],
    [
      'an entry with a take profit alone',
      { order_class: 'oto', take_profit_limit_price: '300.00' },
      '1262.50',
      '252.50',
      'Costs at most $1,262.50: nothing is bought above $252.50 a share. Once bought, it is sold at $300.00 a share or more. Nothing stops a loss.',
    ],
    [
      'the exits of what is held',
      { order_class: 'oco', side: 'sell', type: 'limit', ...exits },
      '1138.50',
      '227.70',
      "Brings at least $1,138.50 if all is sold: at $300.00 a share or more, or, once the stop at $230.00 is reached, at no less than $227.70 a share, unless the price jumps past the stop's limit: then it is not sold.",
    ],
  ])('%s', (_, changes, cash, price, text) => {
    const draft = order(changes);
    checkOrder(draft);
    expect(worstCase(draft)).toEqual({ cash, price, text });
  });
});

describe('the worst case by what is traded', () => {
  it.each<[string, Changes, string, string, string]>([
    [
      'contracts of a hundred shares',
      {
        symbol: 'AAPL261218C00190000',
        qty: '2',
        type: 'limit',
        limit_price: '2.50',
        position_intent: 'buy_to_open',
      },
      '500.00',
      '2.50',
      'Costs at most $500.00: nothing is bought above $2.50 a share. All of that is lost if the option expires worthless.',
    ],
    [
      'a covered call, whose shares may go',
      {
        symbol: 'AAPL261218C00200000',
        side: 'sell',
        qty: '2',
        type: 'limit',
        limit_price: '1.20',
        position_intent: 'sell_to_open',
      },
      '240.00',
      '1.20',
      'Brings at least $240.00 if all is sold: nothing is sold below $1.20 a share. If it is assigned, until 18 Dec 2026, 200 AAPL go at $200.00 a share, $40,000.00 in all, whatever they are worth then.',
    ],
    [
      'a cash-secured put, whose shares may come',
      {
        symbol: 'AAPL261218P00180000',
        side: 'sell',
        qty: '1',
        type: 'limit',
        limit_price: '2.00',
        position_intent: 'sell_to_open',
      },
      '200.00',
      '2.00',
      'Brings at least $200.00 if all is sold: nothing is sold below $2.00 a share. If it is assigned, until 18 Dec 2026, 100 AAPL are bought at $180.00 a share, $18,000.00 in all, whatever they are worth then.',
    ],
    [
      'coins, on their own tick',
      { symbol: 'SHIB/USD', qty: '1000000', reference_price: '0.000012345', time_in_force: 'gtc' },
      '12.47',
      '0.000012468',
      'Costs at most $12.47: nothing is bought above $0.000012468 per SHIB.',
    ],
  ])('%s', (_, changes, cash, price, text) => {
    const draft = order(changes);
    checkOrder(draft);
    expect(worstCase(draft)).toEqual({ cash, price, text });
  });
});

it.each([
  ['buy', 'Nothing bounds the price: once the trail is reached, it buys at whatever is asked.'],
  ['sell', 'Nothing bounds the price: once the trail is reached, it sells at whatever is bid.'],
])('a trailing stop to %s says that nothing bounds it', (side, text) => {
  const trailing = order({ side, type: 'trailing_stop', trail_percent: '2' });
  expect(worstCase(trailing)).toEqual({ cash: null, price: null, text });
  expect(boundedOrder(trailing)).toBe(trailing);
});

describe('how an order goes out', () => {
  it('a market order as a limit', () => {
    expect(boundedOrder(order({}))).toEqual(order({ type: 'limit', limit_price: '252.50' }));
  });

  it('a stop as a stop limit', () => {
    expect(boundedOrder(order({ side: 'sell', type: 'stop', stop_price: '240.00' }))).toEqual(
      order({ side: 'sell', type: 'stop_limit', stop_price: '240.00', limit_price: '237.60' }),
    );
  });

  it('a stop loss with a limit, and its entry with one', () => {
    const bracket = order({ order_class: 'bracket', ...exits });
    expect(boundedOrder(bracket)).toEqual({
      ...bracket,
      type: 'limit',
      limit_price: '252.50',
      stop_loss_limit_price: '227.70',
    });
    const own = order({ order_class: 'bracket', ...exits, stop_loss_limit_price: '229.00' });
    expect(boundedOrder(own).stop_loss_limit_price).toBe('229.00');
  });

  it('a limit and a stop limit as they are', () => {
    for (const bounded of [
      order({ type: 'limit', limit_price: '249.99' }),
      order({ type: 'stop_limit', stop_price: '260.00', limit_price: '261.00' }),
    ]) {
      expect(boundedOrder(bounded)).toBe(bounded);
    }
  });
});

it('the band’s price is on the tick, within the band, and never on the wrong side of what it is around', () => {
  const around = fc.oneof(
    fc.integer({ min: 1, max: 9999 }).map((ticks) => new Dec(ticks).div(10_000).toFixed(4)),
    fc.integer({ min: 100, max: 100_000_00 }).map((ticks) => new Dec(ticks).div(100).toFixed(2)),
  );
  const slippage = fc
    .integer({ min: 1, max: 100_000 })
    .map((millionths) => new Dec(millionths).div(1_000_000).toFixed());
  fc.assert(
    fc.property(fc.constantFrom('buy', 'sell'), around, slippage, (side, price, fraction) => {
      const worst = worstPrice(side, price, fraction);
      expect(isOnTick(worst)).toBe(true);
      const allowed = new Dec(price).times(fraction);
      const away = side === 'buy' ? new Dec(worst).minus(price) : new Dec(price).minus(worst);
      expect(away.gte(0) && away.lte(allowed)).toBe(true);
      checkOrder(order({ side, type: 'limit', limit_price: worst, reference_price: price }));
    }),
    { numRuns: 1000 },
  );
});
