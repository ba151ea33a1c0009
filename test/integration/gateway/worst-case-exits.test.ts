import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import type { OrderClass } from '../../../src/trading/order-classes.ts';
import { worstPrice } from '../../../src/trading/price-band.ts';
import type { Quote } from '../../../src/trading/views.ts';
import { computeWorstCase } from '../../../src/trading/worst-case.ts';
import { playUntil } from '../../fixtures/play-until.ts';
import { creepingPath, dollarsBetween, hostileMarket } from './support/hostile-market.ts';
import { expectNoWorse, sumOf } from './support/within-worst-case.ts';
import {
  type Fill,
  type Outcome,
  openWorstCaseWorld,
  type Terms,
  times,
  type WorstCaseWorld,
} from './support/worst-case-world.ts';

vi.mock('../../../src/trading/worst-case.ts', async (original) =>
  (await import('./support/loose-bound.ts')).withLooseBound(original),
);

/*
 * As worst-case.test.ts, of orders that have exits: no leg goes beyond what was approved, and no more is sold than there is.
 */

/** Of each kind; each path is longer than one of an order of one part. */
const PATHS = Math.ceil(Number(process.env.WORST_CASE_PATHS ?? 125));
const TIME_LIMIT = Math.max(120_000, PATHS * 500);
const SYMBOL = 'AAPL';

let world: WorstCaseWorld;

beforeEach(async () => {
  world = await openWorstCaseWorld();
  world.fund('1000000000', { [SYMBOL]: '100000000' });
});

interface Kind {
  readonly order_class: OrderClass;
  readonly profit: boolean;
  readonly stop: boolean;
}
const kinds: readonly (readonly [string, Kind])[] = [
  ['a bracket', { order_class: 'bracket', profit: true, stop: true }],
  ['an OTO with a stop loss', { order_class: 'oto', profit: false, stop: true }],
  ['an OTO with a take profit', { order_class: 'oto', profit: true, stop: false }],
  ['an OCO', { order_class: 'oco', profit: true, stop: true }],
];

const creeping = fc.record({
  ...hostileMarket,
  path: creepingPath,
  start: fc.oneof(
    fc.integer({ min: 500, max: 9999 }).map((ticks) => new Dec(ticks).div(10_000).toFixed()),
    dollarsBetween(100, 2000_00),
  ),
  qty: fc.integer({ min: 1, max: 40 }).map(String),
  entry: fc.constantFrom('market', 'limit'),
  /** Whether the stop has a limit of its own below it. */
  ownLimit: fc.boolean(),
});
type Creeping = typeof creeping extends fc.Arbitrary<infer T> ? T : never;

/** Exits around the entry, or around the price now. */
function termsOf({ order_class, profit, stop }: Kind, chance: Creeping, quote: Quote): Terms {
  const { start, near, further, slippage, ownLimit } = chance;
  const isHeld = order_class === 'oco';
  const reference = isHeld ? quote.bid : quote.ask;
  const type = isHeld ? 'limit' : chance.entry;
  const limit = isHeld || type === 'market' ? undefined : formatPrice(times(start, further));
  const dearest = isHeld ? reference : (limit ?? worstPrice('buy', reference, slippage));
  const at = formatPrice(Dec.max(times(Dec.min(dearest, reference).toFixed(), 88 + (near % 11)), '0.0002'));
  const above = Dec.max(times(dearest, 100 + (further % 20)), new Dec(dearest).plus('0.01'));
  return {
    ...{ side: isHeld ? 'sell' : 'buy', type, order_class, qty: chance.qty },
    ...{ time_in_force: 'gtc', max_slippage: slippage },
    ...(limit !== undefined && { limit_price: limit }),
    ...(profit && { take_profit_limit_price: formatPrice(above) }),
    ...(stop && { stop_loss_stop_price: at }),
    ...(stop && ownLimit && { stop_loss_limit_price: formatPrice(times(at, 95)) }),
  };
}

const value = ({ qty, price: at }: Fill) => new Dec(qty).times(at);

function expectEachWithin({ order_class, stop }: Kind, outcome: Outcome): void {
  const { draft, bounded, fills, legs } = outcome;
  const isHeld = order_class === 'oco';
  const entry = isHeld ? [] : fills;
  const exits = exitsOf(outcome);
  const worst = computeWorstCase(draft);
  for (const fill of entry) expectNoWorse('buy', fill, worst.price ?? 'none');
  for (const { isStop, fills: sold } of exits) {
    const least = isStop ? bounded.stop_loss_limit_price : bounded.take_profit_limit_price;
    for (const fill of sold) expectNoWorse('sell', fill, least ?? 'none');
  }
  const sales = exits.flatMap((exit) => exit.fills);
  const bought = sumOf(entry, ({ qty }) => qty);
  const sold = sumOf(sales, ({ qty }) => qty);
  expect(sold.lte(isHeld ? (draft.qty ?? 0) : bought), `${sold} sold`).toBe(true);
  expect(legs.length).toBe(Number(stop) + Number(bounded.take_profit_limit_price !== undefined) - Number(isHeld));
  const cash = new Dec(worst.cash ?? 'none');
  if (isHeld) {
    if (sold.eq(draft.qty ?? 0)) expect(sumOf(sales, value).gte(cash)).toBe(true);
    return;
  }
  expect(sumOf(entry, value).lte(cash)).toBe(true);
  // What the person was told that the whole can lose, where its exits were traded.
  const lost = /total loss is at most \$([\d,.]+)/.exec(worst.text)?.[1]?.replaceAll(',', '');
  expect(lost ?? worst.text).toMatch(stop ? /^[\d.]+$/ : /There is no stop loss/);
  if (lost === undefined || sold.isZero() || !sold.eq(bought)) return;
  expect(sumOf(entry, value).minus(sumOf(sales, value)).lte(lost), `more than ${lost} lost`).toBe(true);
}

/** Where there is no entry, the order is one of them. */
const exitsOf = ({ draft, fills, legs }: Outcome) => [
  ...(draft.order_class === 'oco' ? [{ isStop: false, fills }] : []),
  ...legs,
];

function play(kind: Kind, parameters?: fc.Parameters<[Creeping]>): Promise<void> {
  const seen = { entered: 0, profits: 0, stops: 0 };
  const few = PATHS / 50;
  return playUntil(
    fc.asyncProperty(creeping, async (chance) => {
      const outcome = await world.trade(SYMBOL, chance, (quote) => termsOf(kind, chance, quote));
      if (outcome instanceof HttpProblem) {
        expect(outcome.code).toBe('broker_rejected');
        return;
      }
      expectEachWithin(kind, outcome);
      const traded = exitsOf(outcome).filter(({ fills }) => fills.length > 0);
      seen.entered += outcome.fills.length + traded.length === 0 ? 0 : 1;
      seen.profits += traded.some(({ isStop }) => !isStop) ? 1 : 0;
      seen.stops += traded.some(({ isStop }) => isStop) ? 1 : 0;
    }),
    PATHS,
    () => seen.entered >= PATHS / 10 && seen.stops >= (kind.stop ? few : 0) && seen.profits >= (kind.profit ? few : 0),
    parameters,
  );
}

describe('whatever the market does after an order with exits was approved', () => {
  it.each(kinds)(
    'no leg of %s goes beyond what was approved, and no more is sold than there is',
    (_, kind) => play(kind),
    TIME_LIMIT,
  );

  it.each(kinds)('with its bounds taken out %s does', async (_, kind) => {
    world.takeOutBounds();
    await expect(play(kind, { endOnFailure: true })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('is beyond') },
    });
  });
});
