import type { MarketClock } from './views.ts';

/**
 * Whether an order has to wait for the market to open: one that would trade at whatever price comes, queued overnight,
 * would meet the next opening's, which nobody approved. Limit orders may wait at the broker, among them all that name an
 * auction.
 */
export function waitsForOpening(
  { type }: { readonly type: string },
  { is_open }: Pick<MarketClock, 'is_open'>,
): boolean {
  return !is_open && type !== 'limit' && type !== 'stop_limit';
}
