import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { type OrderDraft, sides } from '../../../src/trading/order.ts';
import { computeWorstCase } from '../../../src/trading/worst-case.ts';
import { playUntil } from '../../fixtures/play-until.ts';
import { hostileMarket } from './support/hostile-market.ts';
import { expectWithin } from './support/within-worst-case.ts';
import {
  type Outcome,
  openWorstCaseWorld,
  type Terms,
  times,
  type WorstCaseWorld,
} from './support/worst-case-world.ts';

vi.mock('../../../src/trading/worst-case.ts', async (original) =>
  (await import('./support/loose-bound.ts')).withLooseBound(original),
);

/** Of each type of order. */
const PATHS = Number(process.env.WORST_CASE_PATHS ?? 250);
/** So many must end in a fill, in part at least, and so many without a whole one, or the market was not hostile. */
const ENOUGH = PATHS / 10;
/** Ms that the paths of one type may take; more where more are asked for. */
const TIME_LIMIT = Math.max(120_000, PATHS * 500);
const SYMBOL = 'AAPL';

let world: WorstCaseWorld;

beforeEach(async () => {
  world = await openWorstCaseWorld();
  world.fund('1000000000', { [SYMBOL]: '100000000' });
});

const hostile = fc.record({
  ...hostileMarket,
  side: fc.constantFrom(...sides),
  start: fc.oneof(
    fc.integer({ min: 500, max: 9999 }).map((ticks) => new Dec(ticks).div(10_000).toFixed()),
    fc.integer({ min: 100, max: 2000_00 }).map((ticks) => new Dec(ticks).div(100).toFixed()),
  ),
  whole: fc.integer({ min: 1, max: 40 }).map(String),
  parts: fc.integer({ min: 1, max: 40_000_000 }).map((millionths) => new Dec(millionths).div(1e6).toFixed()),
  sized: fc.constantFrom('whole', 'parts', 'dollars'),
  inForce: fc.constantFrom('day', 'gtc', 'ioc', 'fok'),
});
type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

function termsOf(type: OrderDraft['type'], chance: Hostile): Terms {
  const sized = type === 'trailing_stop' || type === 'stop_market' ? 'whole' : chance.sized;
  // The broker accepts purchases of a fraction from $1, at the limit or the current price.
  const least = new Dec('1.2').div(chance.start);
  const qty = sized === 'parts' ? Dec.max(chance.parts, least).toFixed(6, Dec.ROUND_UP) : chance.whole;
  const mayHaste = sized === 'whole' && (type === 'market' || type === 'limit');
  return {
    side: chance.side,
    type,
    ...(sized === 'dollars' ? { notional: chance.dollars } : { qty }),
    time_in_force: mayHaste || (sized === 'whole' && chance.inForce === 'gtc') ? chance.inForce : 'day',
    ...(type.startsWith('stop') ? { stop_price: formatPrice(times(chance.start, chance.near)) } : {}),
    ...(type.endsWith('limit') ? { limit_price: formatPrice(times(chance.start, chance.further)) } : {}),
    ...(type === 'trailing_stop' ? { trail_percent: '2' } : {}),
    ...(type === 'stop_market' ? { side: 'sell' } : {}),
    max_slippage: chance.slippage,
  };
}

/** Undefined where the broker refuses it. */
async function trade(type: OrderDraft['type'], chance: Hostile): Promise<Outcome | undefined> {
  const outcome = await world.trade(SYMBOL, chance, () => termsOf(type, chance));
  if (!(outcome instanceof HttpProblem)) return outcome;
  expect(outcome.code).toBe('broker_rejected');
  return undefined;
}

function play(type: OrderDraft['type'], parameters?: fc.Parameters<[Hostile]>): Promise<void> {
  const seen = { filled: 0, heldBack: 0 };
  return playUntil(
    fc.asyncProperty(hostile, async (chance) => {
      const outcome = await trade(type, chance);
      if (outcome === undefined) return;
      expectWithin(outcome);
      seen.filled += outcome.fills.length === 0 ? 0 : 1;
      seen.heldBack += outcome.whole ? 0 : 1;
    }),
    PATHS,
    () => seen.filled >= ENOUGH && seen.heldBack >= ENOUGH,
    parameters,
  );
}

describe('whatever the market does after an order was approved', () => {
  const types = ['market', 'limit', 'stop', 'stop_limit'] as const;

  it.each(types)('a %s order never costs more nor brings less than its worst case', (type) => play(type), TIME_LIMIT);

  it.each(types)('with its bound taken out a %s order does', async (type) => {
    world.takeOutBounds();
    await expect(play(type, { endOnFailure: true })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('is beyond') },
    });
  });

  it.each(['trailing_stop', 'stop_market'] as const)(
    'a %s says that nothing bounds it, and it trades at any price',
    async (type) => {
      let beyond = 0;
      const property = fc.asyncProperty(hostile, async (chance) => {
        const outcome = await trade(type, chance);
        if (outcome === undefined) return;
        const { draft, fills } = outcome;
        expect(computeWorstCase(draft)).toMatchObject({
          cash: null,
          price: null,
          text: expect.stringMatching(/^The price is unbounded/),
        });
        const reference = new Dec(draft.reference_price);
        beyond += fills.some(({ price: at }) => reference.minus(at).abs().gt(reference.times('0.5'))) ? 1 : 0;
      });
      await playUntil(property, PATHS, () => beyond > 0);
    },
    TIME_LIMIT,
  );
});
