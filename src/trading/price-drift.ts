import { type Dec, decimal } from './decimal.ts';
import type { Side } from './order.ts';
import type { Quote } from './views.ts';

/**
 * What an order would trade at now, in dollars a share: the ask for a buy, the bid for a sell. A side without a quote is
 * written as zero by brokers; then the last trade stands in, and without one there is no price.
 */
export function priceNow(side: Side, quote: Pick<Quote, 'bid' | 'ask' | 'last'>): string | undefined {
  return [side === 'buy' ? quote.ask : quote.bid, quote.last].find((text) => decimal(text).gt(0));
}

/** A price and how far from it another may lie: a fraction, `"0.01"` is 1 %. */
interface Band {
  readonly around: string;
  readonly fraction: string;
}

/** On which side of the band a price lies; undefined within it, its edges included. Exact: nothing is divided. */
export function beyond(price: string, { around, fraction }: Band): 'above' | 'below' | undefined {
  const reference = decimal(around);
  const moved: Dec = decimal(price).minus(reference);
  if (moved.abs().lte(reference.times(fraction))) return undefined;
  return moved.isNegative() ? 'below' : 'above';
}

/** The side on which a price hurts an order. */
export const hurts: Readonly<Record<Side, 'above' | 'below'>> = { buy: 'above', sell: 'below' };
