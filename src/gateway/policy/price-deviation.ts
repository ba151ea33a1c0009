import { exactPercent, sharePrice } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { beyond, hurts, priceNow } from '../../trading/price-drift.ts';
import type { MarketFacts, OrderFacts } from './decision.ts';
import type { Compared } from './limit-row.ts';
import { isStale } from './price-guard.ts';

/**
 * How far a limit lies on the side where it hurts: a low bid or a high offer waits, and harms nobody. The limit of a stop
 * is held against its stop, unless that is reached already.
 */
export function priceDeviation(limit: string, { order, facts: { market } }: Compared) {
  const own = deviationOf(limit, order, market);
  if (own !== undefined || order.stop_loss === undefined) return own;
  // An exit is a sale of its own, with a stop and a limit.
  return deviationOf(limit, { symbol: order.symbol, side: 'sell', ...order.stop_loss }, market);
}

function deviationOf(
  limit: string,
  {
    side,
    limit_price,
    stop_price,
    symbol,
  }: Pick<OrderFacts, 'side' | 'limit_price' | 'stop_price' | 'symbol'>,
  market: MarketFacts | null,
) {
  if (limit_price === null) return undefined;
  if (market === null) return 'unavailable';
  const { bid, ask, last, session, quoted_at } = market;
  if (isStale(quoted_at, session)) return 'stale';
  const now = priceNow(side, { bid: bid ?? '0', ask: ask ?? '0', last: last ?? '0' });
  if (now === undefined) return 'unavailable';
  const around =
    stop_price === null
      ? now
      : (side === 'buy' ? Dec.max(stop_price, now) : Dec.min(stop_price, now)).toFixed();
  if (beyond(limit_price, { around, fraction: limit }) !== hurts[side]) return undefined;
  return {
    text: `the limit of ${sharePrice(limit_price)} is more than ${exactPercent(limit)} ${hurts[side]} ${symbol} at ${sharePrice(around)}`,
    limit: new Dec(limit).toFixed(),
    value: new Dec(limit_price).minus(around).abs().div(around).toDecimalPlaces(4, Dec.ROUND_UP).toFixed(),
  };
}
