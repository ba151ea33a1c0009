import { describe, expect, it } from 'vitest';
import { lotHistory } from '../../../../src/trading/portfolio/lot-history-replay.ts';
import { lotMethods } from '../../../../src/trading/portfolio/lot-pool.ts';
import { aPosition } from '../../../fixtures/builders.ts';
import { seededRandom } from '../../../fixtures/seeded-random.ts';
import { generateAccount, type HeldShares } from './generated-account.ts';

/** 300 accounts take minutes: `LEDGER_ACCOUNTS=300 LEDGER_SEED=7 npx vitest run --project unit <this file>`. */
const ACCOUNTS = Number(process.env.LEDGER_ACCOUNTS ?? 12);
const SEED = Number(process.env.LEDGER_SEED ?? Math.floor(Math.random() * 2 ** 31));

const NANO = 1_000_000_000n;
const toUnits = (decimal: string, places: number): bigint => {
  const [whole = '', fraction = ''] = decimal.split('.');
  if (fraction.length > places) throw new Error(`${decimal} has more than ${places} decimals`);
  return BigInt(whole + fraction.padEnd(places, '0'));
};
const nanos = (qty: { toFixed(): string }) => toUnits(qty.toFixed(), 9);
const cents = (amount: { toFixed(): string } | undefined) => toUnits(amount?.toFixed() ?? 'unknown', 2);
const total = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n);

const position = ({ symbol, nano }: HeldShares) =>
  aPosition({ symbol, qty: `${nano / NANO}.${(nano % NANO).toString().padStart(9, '0')}` });

describe(`accounts with reinvested dividends and splits (seed ${SEED})`, () => {
  it.each(Array.from({ length: ACCOUNTS }, (_, index) => SEED + index))(
    'leave no dust, lose no cent and are complete (seed %i)',
    (seed) => {
      const { activities, held, paid, received } = generateAccount(seededRandom(seed));
      const positions = held.filter(({ nano }) => nano > 0n).map(position);
      for (const method of lotMethods) {
        const { closings, open, incomplete } = lotHistory(activities, method, { positions });
        expect(incomplete).toEqual([]);
        for (const { symbol, nano, lots, slack } of held) {
          const { long = [], short = [] } = open.get(symbol) ?? {};
          expect(short).toEqual([]);
          expect(total(long.map(({ qty }) => nanos(qty)))).toBe(nano);
          if (method !== 'fifo') continue;
          // Each purchase keeps its shares, and none that was sold leaves any.
          const byTime = Map.groupBy(long, ({ at }) => at);
          const shares = [...byTime].map(([at, parts]) => [at, total(parts.map(({ qty }) => nanos(qty)))] as const);
          const exact = new Map(lots.map(({ at, numerator, denominator }) => [at, numerator / denominator]));
          for (const [at, qty] of shares) {
            const off = qty - (exact.get(at ?? 0) ?? 0n);
            expect(off < 0n ? -off : off).toBeLessThanOrEqual(slack);
          }
          for (const [at, qty] of exact) if (qty > slack) expect(byTime.has(at)).toBe(true);
          expect(long.filter(({ at }) => !exact.has(at ?? 0))).toEqual([]);
        }
        const openCost = [...open.values()].flatMap(({ long }) => long.map(({ amount }) => cents(amount)));
        const disallowed = total(closings.map((one) => cents(one.disallowed)));
        const closed = total(closings.map(({ cost }) => cents(cost)));
        expect(total(closings.map(({ proceeds }) => cents(proceeds)))).toBe(received);
        // A disallowed loss is counted once more, in the cost of the replacement shares.
        expect(total(openCost) + closed - disallowed).toBe(paid);
      }
    },
  );
});
