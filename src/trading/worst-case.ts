import { dollars, sharePrice, shares } from './amounts.ts';
import { Dec } from './decimal.ts';
import type { OrderDraft } from './order.ts';
import { worstPrice } from './price-band.ts';
import type { WorstCase } from './proposal.ts';

/**
 * The order as it goes out to the broker: what was approved bounds what can happen there too. A market order becomes a
 * limit order at `reference_price` × (1 ± `max_slippage`), a stop a stop-limit with that band around its stop price.
 * A purchase for an amount in dollars is bounded by the amount, and goes out as the market order that it is: Alpaca's
 * contract takes amounts with market orders. A sale for an amount is bounded in shares by none (the lower the price, the
 * more it takes), so it goes out under the limit. A trailing stop has no price until it is reached, so nothing bounds it.
 */
export function boundedOrder(draft: OrderDraft): OrderDraft {
  const { side, type, notional, stop_price, reference_price, max_slippage } = draft;
  if (type === 'market' && side === 'buy' && notional !== undefined) return draft;
  if (type === 'market') {
    return { ...draft, type: 'limit', limit_price: worstPrice(side, reference_price, max_slippage) };
  }
  if (type === 'stop' && stop_price !== undefined) {
    return { ...draft, type: 'stop_limit', limit_price: worstPrice(side, stop_price, max_slippage) };
  }
  return draft;
}

/**
 * The worst that an order's own fills can come to, for the person who approves it: exactly what the broker is held to
 * by {@link boundedOrder}. Before the broker's fees and taxes. It says nothing of what the position may lose afterwards.
 */
export function worstCase(draft: OrderDraft): WorstCase {
  const { side, qty, notional, limit_price: limit } = boundedOrder(draft);
  const buys = side === 'buy';
  if (limit === undefined && notional !== undefined) {
    return {
      cash: new Dec(notional).toFixed(2),
      price: null,
      text: `Costs at most ${dollars(notional)}. How many shares that buys is up to the price.`,
    };
  }
  if (limit === undefined) {
    return {
      cash: null,
      price: null,
      text: `Nothing bounds the price: once the trail is reached, it ${buys ? 'buys at whatever is asked' : 'sells at whatever is bid'}.`,
    };
  }
  const each = sharePrice(limit);
  const exact = qty === undefined ? new Dec(notional ?? 0) : new Dec(qty).times(limit);
  const cash = exact.toFixed(2, buys ? Dec.ROUND_UP : Dec.ROUND_DOWN);
  if (buys) {
    return {
      cash,
      price: limit,
      text: `Costs at most ${dollars(cash)}: nothing is bought above ${each} a share.`,
    };
  }
  const most = exact.div(limit).toDecimalPlaces(4, Dec.ROUND_UP).toFixed();
  return {
    cash,
    price: limit,
    text:
      qty === undefined
        ? `Brings ${dollars(cash)} if all is sold: nothing is sold below ${each} a share, so at most ${shares(most)} shares go.`
        : `Brings at least ${dollars(cash)} if all is sold: nothing is sold below ${each} a share.`,
  };
}
