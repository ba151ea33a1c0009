import { formatDollarAmount, formatSharePrice } from './amounts.ts';
import { contractMultiplier, formatQuantity, formatUnitPrice, quantityQuestion, symbolTicks } from './asset-class.ts';
import { Dec } from './decimal.ts';
import { assignmentEffect } from './option-cover.ts';
import type { OrderDraft } from './order.ts';
import { priceBand } from './order-types.ts';
import { worstPrice } from './price-band.ts';
import type { WorstCase } from './proposal.ts';

/**
 * Returns the order as it is sent, with the approved bounds in its terms, so that the broker also enforces them. A
 * market order becomes a limit order at `reference_price` × (1 ± `max_slippage`). A stop becomes a stop-limit with that
 * band around its stop price, and a stop loss without a limit gets a limit in the same way. A buy in dollars is bounded
 * by its amount and stays a market order, the only type for which Alpaca accepts amounts. A sale in dollars becomes a
 * limit order, because it sells more shares the lower the price is. A trailing stop stays unbounded, because it has no
 * price until it triggers.
 */
export function boundedOrder(draft: OrderDraft): OrderDraft {
  return boundedStopLoss(boundedEntry(draft));
}

function boundedEntry(draft: OrderDraft): OrderDraft {
  const limit = sentLimitPrice(draft);
  if (limit === undefined || limit === draft.limit_price) return draft;
  return { ...draft, type: priceBand(draft.type)?.goesOutAs ?? draft.type, limit_price: limit };
}

type BoundedTerms = Pick<OrderDraft, 'symbol' | 'side' | 'reference_price' | 'max_slippage'> & {
  readonly type: string;
  readonly qty?: string | null | undefined;
  readonly limit_price?: string | null | undefined;
  readonly stop_price?: string | null | undefined;
};

/** Returns the limit price that is sent ({@link boundedOrder}), or undefined for an order without a limit. */
export function sentLimitPrice(order: BoundedTerms): string | undefined {
  const { symbol, side, type, qty, limit_price, stop_price, reference_price, max_slippage } = order;
  const band = priceBand(type)?.around;
  // A market buy in dollars is bounded by its amount.
  const isBoundByAmount = band === 'reference_price' && side === 'buy' && qty == null;
  const around = band === 'stop_price' ? stop_price : band === undefined || isBoundByAmount ? null : reference_price;
  if (around == null) return limit_price ?? undefined;
  return worstPrice(side, around, max_slippage, symbolTicks(symbol));
}

function boundedStopLoss(draft: OrderDraft): OrderDraft {
  const { stop_loss_stop_price: stop, stop_loss_limit_price, max_slippage, symbol } = draft;
  if (stop === undefined || stop_loss_limit_price !== undefined) return draft;
  return { ...draft, stop_loss_limit_price: worstPrice('sell', stop, max_slippage, symbolTicks(symbol)) };
}

/**
 * Returns the worst case of the order's own fills, within the bounds of {@link boundedOrder}. Excludes fees, taxes and
 * later losses.
 */
export function computeWorstCase(draft: OrderDraft): WorstCase {
  const order = boundedOrder(draft);
  if (order.order_class === 'oco') return ocoWorstCase(order);
  const entry = addOptionText(entryWorstCase(order), order);
  return order.order_class === undefined ? entry : { ...entry, text: addExitText(entry.text, order) };
}

function addOptionText(worst: WorstCase, order: OrderDraft): WorstCase {
  const { position_intent: intent } = order;
  const more =
    intent === 'buy_to_open' ? 'You lose all of it if the option expires worthless.' : assignmentEffect(order)?.text;
  return more === undefined ? worst : { ...worst, text: `${worst.text} ${more}` };
}

function entryWorstCase({ symbol, side, qty, notional, limit_price: limit }: OrderDraft): WorstCase {
  const buys = side === 'buy';
  if (limit === undefined && notional !== undefined) {
    return {
      cash: new Dec(notional).toFixed(2),
      price: null,
      text: `Costs at most ${formatDollarAmount(notional)}. ${quantityQuestion(symbol)} that buys depends on the price.`,
    };
  }
  if (limit === undefined) {
    return {
      cash: null,
      price: null,
      text: `The price is unbounded: once triggered, the order ${buys ? 'buys' : 'sells'} at the market price.`,
    };
  }
  const each = formatUnitPrice(symbol, limit);
  const exact = qty === undefined ? new Dec(notional ?? 0) : dollarValue(qty, limit, symbol);
  const cash = exact.toFixed(2, buys ? Dec.ROUND_UP : Dec.ROUND_DOWN);
  if (buys) {
    return {
      cash,
      price: limit,
      text: `Costs at most ${formatDollarAmount(cash)} (limit ${each}).`,
    };
  }
  const most = exact.div(limit).toDecimalPlaces(4, Dec.ROUND_UP).toFixed();
  return {
    cash,
    price: limit,
    text:
      qty === undefined
        ? `Brings in ${formatDollarAmount(cash)} if it all sells (limit ${each}), selling at most ${formatQuantity(symbol, most)}.`
        : `Brings in at least ${formatDollarAmount(cash)} if it all sells (limit ${each}).`,
  };
}

/** Adds what the exits of an entry sell for. The stop always has a limit here, because `boundedOrder` adds one. */
function addExitText(entry: string, order: OrderDraft): string {
  const { symbol, qty = '0', limit_price = '0', take_profit_limit_price: profit } = order;
  const { stop_loss_stop_price: stop, stop_loss_limit_price: least } = order;
  const takes = profit === undefined ? '' : ` It takes profit at ${formatUnitPrice(symbol, profit)} or more.`;
  if (stop === undefined || least === undefined) return `${entry}${takes} There is no stop loss.`;
  const lost = dollarValue(qty, limit_price, symbol).minus(dollarValue(qty, least, symbol));
  return (
    `${entry}${takes} If the stop at ${formatSharePrice(stop, symbolTicks(symbol))} is reached, it sells at no less than ${formatUnitPrice(symbol, least)}, ` +
    `so the total loss is at most ${formatDollarAmount(lost.toFixed(2, Dec.ROUND_UP))} before fees, unless the price jumps past the stop's limit.`
  );
}

function ocoWorstCase(order: OrderDraft): WorstCase {
  const { symbol, qty = '0', take_profit_limit_price: profit = '0' } = order;
  const { stop_loss_stop_price: stop = '0', stop_loss_limit_price: least = '0' } = order;
  const cash = dollarValue(qty, least, symbol).toFixed(2, Dec.ROUND_DOWN);
  return {
    cash,
    price: least,
    text:
      `Brings in at least ${formatDollarAmount(cash)} if it all sells: at ${formatUnitPrice(symbol, profit)} or more, or, once the stop at ${formatSharePrice(stop, symbolTicks(symbol))} ` +
      `is reached, at no less than ${formatUnitPrice(symbol, least)}. If the price jumps past the stop's limit, it does not sell.`,
  };
}

function dollarValue(qty: string, price: string, symbol: string): Dec {
  return new Dec(qty).times(price).times(contractMultiplier(symbol));
}
