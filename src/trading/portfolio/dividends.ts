import type { Activity } from '../activity.ts';
import { Dec, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';

/** Sums dividends, interest and fees. @param since earliest time, in milliseconds since the epoch */
export function incomeTotals(activities: readonly Activity[], since = Number.NEGATIVE_INFINITY) {
  const sum = (kind: Activity['kind']) =>
    activities
      .filter((activity) => activity.kind === kind && Date.parse(activity.at) >= since)
      .reduce((total, { amount }) => total.plus(amount ?? 0), new Dec(0));
  const [dividends, interest, fees] = [sum('dividend'), sum('interest'), sum('fee')];
  return { dividends, interest, fees, total: dividends.plus(interest).plus(fees) };
}

/**
 * Returns dividends by New York month of booking (`2026-03`), oldest first. Withheld taxes are not added back.
 * Dividends without a symbol are listed under an empty symbol.
 */
export function dividendsByMonth(activities: readonly Activity[]) {
  const months = new Map<string, Map<string, Dec>>();
  for (const { kind, at, symbol, amount } of activities) {
    if (kind !== 'dividend' || amount === null) continue;
    const month = newYorkDate(Date.parse(at)).slice(0, 7);
    const bySymbol = months.get(month) ?? new Map<string, Dec>();
    bySymbol.set(symbol ?? '', (bySymbol.get(symbol ?? '') ?? ZERO).plus(amount));
    months.set(month, bySymbol);
  }
  return [...months]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([month, bySymbol]) => ({
      month,
      total: [...bySymbol.values()].reduce((sum, amount) => sum.plus(amount), ZERO),
      bySymbol,
    }));
}
