import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dec, isOnTick } from '../../../src/trading/decimal.ts';
import { checkOrder, type OrderDraft } from '../../../src/trading/order.ts';
import { worstPrice } from '../../../src/trading/price-band.ts';
import { boundedOrder, computeWorstCase } from '../../../src/trading/worst-case.ts';
import { alwaysIn } from '../../fixtures/always.ts';
import { anOrderDraft, type OrderChanges } from '../../fixtures/builders.ts';

type Changes = Partial<Record<Exclude<keyof OrderDraft, 'extended_hours'>, string>>;
const order = (changes: Changes) =>
  anOrderDraft({
    type: 'market',
    reference_price: '250.00',
    client_order_id: 'ta-00000001',
    max_fees: '0',
    ...(changes as OrderChanges),
  });
const worst = (changes: Changes) => {
  const draft = order(changes);
  checkOrder(draft);
  const { cash, price, text } = computeWorstCase(draft);
  return `${cash} ${price}: ${text}`;
};
const limit = (price: string) => ({ type: 'limit', limit_price: price });

const bought = (cash: string, price: string) =>
  `${cash} ${price}: Costs at most ${dollars(cash)} (limit $${price} a share).`;
const sold = (cash: string, price: string) =>
  `${cash} ${price}: Brings in at least ${dollars(cash)} if it all sells (limit $${price} a share).`;
const dollars = (cash: string) => `$${cash.replace(/(\d)(\d{3})\./, '$1,$2.')}`;

it.each<[string, Changes, string]>([
  ['at the market', {}, bought('1262.50', '252.50')],
  ['at a limit', limit('249.99'), bought('1249.95', '249.99')],
  [
    'by a stop',
    { type: 'stop', stop_price: '260.00' },
    `${bought('1313.00', '262.60')} If the price jumps past that limit, it does not buy.`,
  ],
  [
    'by a stop limit',
    { ...limit('261.00'), type: 'stop_limit', stop_price: '260.00' },
    `${bought('1305.00', '261.00')} If the price jumps past that limit, it does not buy.`,
  ],
  [
    'for an amount',
    { notional: '500.00' },
    '500.00 252.50: Costs at most $500.00 (limit $252.50 a share). That is 1.980198019 shares.',
  ],
  ['of a fraction, to the cent above', { qty: '0.333' }, bought('84.09', '252.50')],
  ['below a dollar, to the tick below', { reference_price: '0.3333' }, bought('1.69', '0.3366')],
])('the worst case of a purchase %s', (_, changes, told) => {
  expect(worst(changes)).toBe(told);
});

it.each<[string, Changes, string]>([
  ['at the market', {}, sold('1237.50', '247.50')],
  ['at a limit', limit('251.00'), sold('1255.00', '251.00')],
  [
    'by a stop',
    { type: 'stop', stop_price: '240.00' },
    `${sold('1188.00', '237.60')} If the price jumps past that limit, it does not sell.`,
  ],
  [
    'by a stop limit',
    { ...limit('239.00'), type: 'stop_limit', stop_price: '240.00' },
    `${sold('1195.00', '239.00')} If the price jumps past that limit, it does not sell.`,
  ],
  [
    'for an amount, at the current price',
    { notional: '500.00' },
    '495.00 247.50: Brings in at least $495.00 if it all sells (limit $247.50 a share). That is 2 shares.',
  ],
  ['of a fraction, to the cent below', { qty: '0.333' }, sold('82.41', '247.50')],
])('the worst case of a sale %s', (_, changes, told) => {
  expect(worst({ side: 'sell', ...changes })).toBe(told);
});

const exits = { take_profit_limit_price: '300.00', stop_loss_stop_price: '230.00' };
const profit = 'It takes profit at $300.00 a share or more.';
const writes = { side: 'sell', position_intent: 'sell_to_open' };
const jumps = "unless the price jumps past the stop's limit";

it.each<[string, Changes, string]>([
  [
    'a bracket at the market',
    { order_class: 'bracket', ...exits },
    `${bought('1262.50', '252.50')} ${profit} If the stop at $230.00 is reached, it sells at no less than $227.70 a share, so the total loss is at most $124.00 before fees, ${jumps}.`,
  ],
  [
    'a bracket with limits of its own',
    { order_class: 'bracket', ...exits, ...limit('249.99'), stop_loss_limit_price: '229.00' },
    `${bought('1249.95', '249.99')} ${profit} If the stop at $230.00 is reached, it sells at no less than $229.00 a share, so the total loss is at most $104.95 before fees, ${jumps}.`,
  ],
  [
    'an entry with a take profit alone',
    { order_class: 'oto', take_profit_limit_price: '300.00' },
    `${bought('1262.50', '252.50')} ${profit} There is no stop loss.`,
  ],
  [
    'the exits of what is held',
    { order_class: 'oco', side: 'sell', type: 'limit', ...exits },
    `1138.50 227.70: Brings in at least $1,138.50 if it all sells: at $300.00 a share or more, or, once the stop at $230.00 is reached, at no less than $227.70 a share. If the price jumps past the stop's limit, it does not sell.`,
  ],
  [
    'contracts of a hundred shares',
    { symbol: 'AAPL261218C00190000', qty: '2', ...limit('2.50'), position_intent: 'buy_to_open' },
    `${bought('500.00', '2.50')} You lose all of it if the option expires worthless.`,
  ],
  [
    'a covered call, whose shares may go',
    { symbol: 'AAPL261218C00200000', ...writes, qty: '2', ...limit('1.20') },
    `${sold('240.00', '1.20')} If assigned by Dec 18, 2026, 200 AAPL are sold at $200.00 a share, $40,000.00 total, regardless of the market price then.`,
  ],
  [
    'a cash-secured put, whose shares may come',
    { symbol: 'AAPL261218P00180000', ...writes, qty: '1', ...limit('2.00') },
    `${sold('200.00', '2.00')} If assigned by Dec 18, 2026, 100 AAPL are bought at $180.00 a share, $18,000.00 total, regardless of the market price then.`,
  ],
  [
    'coins, on their own tick',
    { symbol: 'SHIB/USD', qty: '1000000', reference_price: '0.000012345', time_in_force: 'gtc' },
    '12.47 0.000012468: Costs at most $12.47 (limit $0.000012468 per SHIB).',
  ],
])('the worst case of %s', (_, changes, told) => {
  expect(worst(changes)).toBe(told);
});

it.each([
  ['buy', 'The price is unbounded: once triggered, the order buys at the market price.'],
  ['sell', 'The price is unbounded: once triggered, the order sells at the market price.'],
])('a trailing stop to %s says that nothing bounds it', (side, text) => {
  const trailing = order({ side, type: 'trailing_stop', trail_percent: '2' });
  expect(computeWorstCase(trailing)).toEqual({ cash: null, price: null, text });
  expect(boundedOrder(trailing)).toBe(trailing);
});

it('a market stop says that it sells at any price, and goes out as a stop', () => {
  const stop = order({ side: 'sell', type: 'stop_market', stop_price: '170.00' });
  const text =
    'The price is unbounded: once $170.00 a share is reached, the order sells at the market price, even if the price jumps far below it.';
  expect(computeWorstCase(stop)).toEqual({ cash: null, price: null, text });
  expect(boundedOrder(stop)).toEqual({ ...stop, type: 'stop' });
});

describe('how an order goes out', () => {
  it('a market order as a limit', () => {
    expect(boundedOrder(order({}))).toEqual(order({ type: 'limit', limit_price: '252.50' }));
  });

  it('a stop as a stop limit', () => {
    const stop = order({ side: 'sell', type: 'stop', stop_price: '240.00' });
    expect(boundedOrder(stop)).toEqual({ ...stop, type: 'stop_limit', limit_price: '237.60' });
  });

  it('a stop loss with a limit, and its entry with one', () => {
    const bracket = order({ order_class: 'bracket', ...exits });
    const limits = { limit_price: '252.50', stop_loss_limit_price: '227.70' };
    expect(boundedOrder(bracket)).toEqual({ ...bracket, type: 'limit', ...limits });
    const own = order({ order_class: 'bracket', ...exits, stop_loss_limit_price: '229.00' });
    expect(boundedOrder(own).stop_loss_limit_price).toBe('229.00');
  });

  it('a limit and a stop limit as they are', () => {
    for (const changes of [limit('249.99'), { ...limit('261.00'), type: 'stop_limit', stop_price: '260.00' }]) {
      const bounded = order(changes);
      expect(boundedOrder(bounded)).toBe(bounded);
    }
  });
});

it('the band’s price is on the tick, within the band, and never on the wrong side of what it is around', () => {
  const ticks = (min: number, max: number, places: number) =>
    fc.integer({ min, max }).map((count) => new Dec(count).div(10 ** places).toFixed(places));
  const around = fc.oneof(ticks(1, 9999, 4), ticks(100, 100_000_00, 2));
  const slippage = ticks(1, 100_000, 6);
  alwaysIn(1000)(fc.constantFrom('buy', 'sell'), around, slippage, (side, price, fraction) => {
    const worst = worstPrice(side, price, fraction);
    expect(isOnTick(worst)).toBe(true);
    const allowed = new Dec(price).times(fraction);
    const away = side === 'buy' ? new Dec(worst).minus(price) : new Dec(price).minus(worst);
    expect(away.gte(0) && away.lte(allowed)).toBe(true);
    checkOrder(order({ side, type: 'limit', limit_price: worst, reference_price: price }));
  });
});
