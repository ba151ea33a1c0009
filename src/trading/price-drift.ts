import { type Dec, decimal } from './decimal.ts';
import type { Side } from './order.ts';
import type { Quote } from './views.ts';

/**
 * The price an order would trade at now: ask for a buy, bid for a sell; the last trade if the side has no quote
 * (brokers send zero).
 */
export function priceNow(side: Side, quote: Pick<Quote, 'bid' | 'ask' | 'last'>): string | undefined {
  return [side === 'buy' ? quote.ask : quote.bid, quote.last].find((text) => decimal(text).gt(0));
}

/** On which side of the band a price lies; undefined within it, its edges included. Exact: nothing is divided. */
export function beyond(
  price: string,
  { around, fraction }: { readonly around: string; readonly fraction: string },
): 'above' | 'below' | undefined {
  const reference = decimal(around);
  const moved: Dec = decimal(price).minus(reference);
  if (moved.abs().lte(reference.times(fraction))) return undefined;
  return moved.isNegative() ? 'below' : 'above';
}

export const hurts: Readonly<Record<Side, 'above' | 'below'>> = { buy: 'above', sell: 'below' };
