import { Dec, price, type Tick, tickDecimals, usTicks } from './decimal.ts';

/**
 * The worst price within a fraction of another one, on the tick, as brokers write it: the most a buy may pay, the least
 * a sell may take. Rounded towards the other price, so that it never lies beyond the band.
 * @param around dollars a share, on its tick; then the result is never on its wrong side
 * @param fraction `"0.01"` is 1 %, below 1
 * @param ticks of what is traded (`ticksOf`); a share's where they are left out
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
  return price(exact.toDecimalPlaces(places, buys ? Dec.ROUND_FLOOR : Dec.ROUND_CEIL), ticks);
}
