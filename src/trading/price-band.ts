import { Dec, formatPrice, type Tick, tickDecimals, usTicks } from './decimal.ts';

/**
 * Returns the worst price in a band around a price: the most that a buy pays, or the least that a sell receives.
 * Rounds toward the given price, so that the result never leaves the band.
 * @param fraction below 1; `"0.01"` is 1%
 * @param ticks see `symbolTicks`
 */
export function worstPrice(
  side: 'buy' | 'sell',
  around: string,
  fraction: string,
  ticks: readonly Tick[] = usTicks,
): string {
  const buys = side === 'buy';
  const exact = new Dec(around).times(new Dec(1)[buys ? 'plus' : 'minus'](fraction));
  const places = tickDecimals(exact, ticks);
  return formatPrice(exact.toDecimalPlaces(places, buys ? Dec.ROUND_FLOOR : Dec.ROUND_CEIL), ticks);
}
