import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { symbolAssetClass, symbolTicks } from '../../../src/trading/asset-class.ts';
import { Dec, formatPrice } from '../../../src/trading/decimal.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { putCollateralDollars } from '../../../src/trading/option-cover.ts';
import type { Quote } from '../../../src/trading/views.ts';
import { playUntil } from '../../fixtures/play-until.ts';
import { dollarsBetween, hostileMarket } from './support/hostile-market.ts';
import { expectWithin } from './support/within-worst-case.ts';
import { openWorstCaseWorld, type Terms, times, type WorstCaseWorld } from './support/worst-case-world.ts';

vi.mock('../../../src/trading/worst-case.ts', async (original) =>
  (await import('./support/loose-bound.ts')).withLooseBound(original),
);

/*
 * As worst-case.test.ts, of coins and of options: whatever their market does once an order was approved, it costs no more
 * and brings no less than the card said, and no option is sold that its account could not bear.
 */

/** Of each kind. */
const PATHS = Number(process.env.WORST_CASE_PATHS ?? 60);
/** So many must end in a fill, and so many without a whole one, or nothing was shown. */
const ENOUGH = PATHS / 10;
const TIME_LIMIT = Math.max(120_000, PATHS * 500);
const COIN = 'ETH/USD';
const CALL = 'AAPL261218C00230000';
const PUT = 'AAPL261218P00230000';

/** What is behind the puts and calls of a path: more of them are refused. */
const CASH = '50000';
const HELD = { AAPL: '300', [COIN]: '100' };

let world: WorstCaseWorld;

beforeEach(async () => {
  world = await openWorstCaseWorld();
});

interface Kind {
  readonly symbols: readonly string[];
  readonly sides: readonly ('buy' | 'sell')[];
}
const kinds: readonly (readonly [string, Kind])[] = [
  ['a coin', { symbols: [COIN], sides: ['buy', 'sell'] }],
  ['a long option', { symbols: [CALL, PUT], sides: ['buy'] }],
  ['a covered call', { symbols: [CALL], sides: ['sell'] }],
  ['a cash-secured put', { symbols: [PUT], sides: ['sell'] }],
];

const hostileTo = ({ symbols, sides }: Kind) =>
  fc.record({
    ...hostileMarket,
    symbol: fc.constantFrom(...symbols),
    side: fc.constantFrom(...sides),
    /** Of the coin, or of the share that the option is on; there mostly where an option has a price. */
    start: fc.oneof(dollarsBetween(150_00, 320_00), dollarsBetween(1_00, 4000_00)),
    /** A coin's stop has a limit always. */
    type: fc.constantFrom('market', 'limit', 'stop', 'stop_limit'),
    coins: fc.integer({ min: 1, max: 900_000_000 }).map((parts) => new Dec(parts).div(1e8).toFixed()),
    byAmount: fc.boolean(),
    contracts: fc.integer({ min: 1, max: 4 }).map(String),
    haste: fc.boolean(),
  });
type Hostile = ReturnType<typeof hostileTo> extends fc.Arbitrary<infer T> ? T : never;

function termsOf(chance: Hostile, quote: Quote): Terms {
  const { symbol, side, near, further, haste } = chance;
  const ticks = symbolTicks(symbol);
  const around = (percent: number) => formatPrice(times(quote.last, percent, '0.01'), ticks);
  const isOption = symbolAssetClass(symbol) === 'us_option';
  const type = chance.type === 'stop' && !isOption ? 'stop_limit' : chance.type;
  const hasty = isOption ? 'day' : type === 'stop_limit' ? 'gtc' : 'ioc';
  // A sale for an amount is proposed as the coins that are worth it.
  const byAmount = !isOption && chance.byAmount && side === 'buy';
  return {
    side,
    type,
    ...(byAmount ? { notional: chance.dollars } : { qty: isOption ? chance.contracts : chance.coins }),
    time_in_force: haste ? hasty : 'gtc',
    ...(type.startsWith('stop') && { stop_price: around(near) }),
    ...(type.endsWith('limit') && { limit_price: around(further) }),
    ...(isOption && { position_intent: `${side}_to_open` as const }),
    max_slippage: chance.slippage,
  };
}

/** Calls that were written by shares, puts by cash, and nothing else is short. */
async function expectCovered(): Promise<void> {
  const positions = await world.broker.positions();
  const short = new Map(
    positions.flatMap(({ symbol, side, qty }) => (side === 'short' ? [[symbol, qty.replace('-', '')]] : [])),
  );
  const { [CALL]: calls = '0', [PUT]: puts = '0', ...others } = Object.fromEntries(short);
  expect(others).toEqual({});
  const shares = positions.find(({ symbol }) => symbol === 'AAPL')?.qty ?? '0';
  expect(new Dec(calls).times(100).lte(shares), 'calls without their shares').toBe(true);
  const { cash } = await world.broker.account();
  expect(putCollateralDollars(PUT, puts).lte(new Dec(cash)), 'puts without their cash').toBe(true);
}

function play(kind: Kind, parameters?: fc.Parameters<[Hostile]>): Promise<void> {
  const seen = { filled: 0, heldBack: 0 };
  return playUntil(
    fc.asyncProperty(hostileTo(kind), async (chance) => {
      world.fund(CASH, HELD);
      const outcome = await world.trade(chance.symbol, chance, (quote) => termsOf(chance, quote));
      await expectCovered();
      if (outcome instanceof HttpProblem) return;
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
  it.each(kinds)(
    '%s never costs more nor brings less than its worst case, nor takes what is not there',
    (_, kind) => play(kind),
    TIME_LIMIT,
  );

  it.each(kinds)('with its bound taken out %s does', async (_, kind) => {
    world.takeOutBounds();
    await expect(play(kind, { endOnFailure: true })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('is beyond') },
    });
  });
});
