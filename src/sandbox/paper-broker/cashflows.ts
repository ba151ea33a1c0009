import { Dec } from '../../trading/decimal.ts';
import type { EntryRecord } from './records.ts';

/**
 * Dollars that came (less than nothing: went) by activity type, one number a window: what was booked after the window
 * before had ended, up to its own end, so that each flow stands where the equity first has it.
 * @param asked `ALL`, or activity types with commas between them, each told though nothing was booked
 * @param ends where the first window's predecessor ends, then where each window does; milliseconds since the epoch
 */
export function cashflows(
  asked: string,
  entries: readonly EntryRecord[],
  ends: readonly number[],
): Record<string, number[]> {
  const [from = 0] = ends;
  const until = ends.at(-1) ?? from;
  const within = entries.filter(({ at, amount }) => amount !== null && at > from && at <= until);
  const types =
    asked === 'ALL' ? [...new Set(within.map(({ type }) => type))].sort() : [...new Set(asked.split(','))];
  return Object.fromEntries(
    types.map((type) => {
      const sums = ends.slice(1).map(() => new Dec(0));
      for (const entry of within) {
        if (entry.type !== type) continue;
        const window = ends.findIndex((end) => entry.at <= end) - 1;
        sums[window] = (sums[window] ?? new Dec(0)).plus(entry.amount ?? 0);
      }
      return [type, sums.map((sum) => sum.toDecimalPlaces(2).toNumber())];
    }),
  );
}
