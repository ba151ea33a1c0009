import { exactPercent, sharePrice } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { beyond, hurts, priceNow } from '../../trading/price-drift.ts';
import { sentLimit } from '../../trading/worst-case.ts';
import type { MarketFacts, OrderFacts } from './decision.ts';
import type { Compared } from './limit-row.ts';
import { isStale } from './price-guard.ts';

/**
 * How far the limit that an order goes out under lies on the side where it hurts: a low bid or a high offer waits, and harms
 * nobody. The limit of a stop is compared with its stop, unless that is reached already. A market order and a stop go out
 * under the limit that their slippage allows, so `max_slippage` can't reach further than this limit.
 */
export function priceDeviation(limit: string, { order, facts: { market } }: Compared) {
  const by = order.limit_price === null ? ' that max_slippage allows' : '';
  const own = deviationOf(limit, { ...order, by, limit_price: sentLimit(order) ?? null }, market);
  if (own !== undefined || order.stop_loss === undefined) return own;
  // An exit is a sale of its own, with a stop and a limit.
  const exit = { symbol: order.symbol, side: 'sell', by: '', ...order.stop_loss } as const;
  return deviationOf(limit, exit, market);
}

function deviationOf(
  limit: string,
  {
    side,
    limit_price,
    stop_price,
    symbol,
    by,
  }: Pick<OrderFacts, 'side' | 'limit_price' | 'stop_price' | 'symbol'> & { readonly by: string },
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
    text: `the limit of ${sharePrice(limit_price)}${by} is more than ${exactPercent(limit)} ${hurts[side]} ${symbol} at ${sharePrice(around)}`,
    limit: new Dec(limit).toFixed(),
    value: new Dec(limit_price).minus(around).abs().div(around).toDecimalPlaces(4, Dec.ROUND_UP).toFixed(),
  };
}
