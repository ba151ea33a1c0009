import { type Dec, parseDecimal } from './decimal.ts';
import type { Side } from './order.ts';
import type { Quote } from './views.ts';

/**
 * Returns the price at which an order would trade now: the ask for a buy, the bid for a sell, or the last trade if
 * there is no such quote (brokers then send zero).
 */
export function currentPrice(side: Side, quote: Pick<Quote, 'bid' | 'ask' | 'last'>): string | undefined {
  return [side === 'buy' ? quote.ask : quote.bid, quote.last].find((text) => parseDecimal(text).gt(0));
}

/**
 * Returns the side of the band on which a price is; undefined inside the band or on its edge. Compares exactly,
 * without dividing.
 */
export function sideOutsideBand(
  price: string,
  { around, fraction }: { readonly around: string; readonly fraction: string },
): 'above' | 'below' | undefined {
  const reference = parseDecimal(around);
  const moved: Dec = parseDecimal(price).minus(reference);
  if (moved.abs().lte(reference.times(fraction))) return undefined;
  return moved.isNegative() ? 'below' : 'above';
}

export const adverseSide: Readonly<Record<Side, 'above' | 'below'>> = { buy: 'above', sell: 'below' };
