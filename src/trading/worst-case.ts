import { formatDollarAmount, formatExactPercent, formatSharePrice } from './amounts.ts';
import { contractMultiplier, formatQuantity, formatUnitPrice, symbolTicks, unitWords } from './asset-class.ts';
import { Dec, toPlain } from './decimal.ts';
import { purchaseFeeWords, saleFeeWords } from './fee-words.ts';
import { assignmentEffect } from './option-cover.ts';
import type { OrderDraft } from './order.ts';
import { priceBand, sentOrderType } from './order-types.ts';
import { worstPrice } from './price-band.ts';
import type { WorstCase } from './proposal.ts';

/**
 * Returns the order as it is sent, with the approved bounds in its terms, so that the broker also enforces them. A
 * market order becomes a limit order at `reference_price` × (1 ± `max_slippage`). A stop becomes a stop-limit with that
 * band around its stop price, and a stop loss without a limit gets a limit in the same way. An order in dollars becomes
 * an order for the number of shares that its amount buys at the limit, fees included, because brokers accept amounts
 * only for market orders. A trailing stop stays unbounded, because it has no price until it triggers. A market stop
 * stays unbounded, because its owner chose to sell at any price.
 */
export function boundedOrder(draft: OrderDraft): OrderDraft {
  return boundedStopLoss(boundedEntry(draft));
}

function boundedEntry(draft: OrderDraft): OrderDraft {
  const limit = sentLimitPrice(draft);
  const type = sentOrderType(draft.type);
  if (limit === undefined) return type === draft.type ? draft : { ...draft, type };
  const { notional, qty, ...rest } = draft;
  if (notional !== undefined && qty === undefined) {
    return { ...rest, type, limit_price: limit, qty: toPlain(sharesFor(notional, limit, draft)) };
  }
  return limit === draft.limit_price ? draft : { ...draft, type, limit_price: limit };
}

/** Decimals of a quantity of shares or coins, at every broker that accepts orders in dollars. */
const QTY_DECIMALS = 9;

/**
 * Returns the quantity for an amount in dollars. A purchase includes its fees and is computed at the limit. A sale is
 * computed at the higher of the limit and the reference price.
 */
function sharesFor(notional: string, limit: string, { side, reference_price, max_fees = '0' }: OrderDraft): Dec {
  const shares =
    side === 'buy'
      ? Dec.max(new Dec(notional).minus(max_fees), 0).div(limit)
      : new Dec(notional).div(Dec.max(limit, reference_price));
  return shares.toDecimalPlaces(QTY_DECIMALS, Dec.ROUND_DOWN);
}

type BoundedTerms = Pick<OrderDraft, 'symbol' | 'side' | 'reference_price' | 'max_slippage'> & {
  readonly type: string;
  readonly limit_price?: string | null | undefined;
  readonly stop_price?: string | null | undefined;
};

/** Returns the limit price that is sent ({@link boundedOrder}), or undefined for an order without a limit. */
export function sentLimitPrice(order: BoundedTerms): string | undefined {
  const { symbol, side, type, limit_price, stop_price, reference_price, max_slippage } = order;
  const band = priceBand(type)?.around;
  const around = band === 'stop_price' ? stop_price : band === undefined ? null : reference_price;
  if (around == null) return limit_price ?? undefined;
  return worstPrice(side, around, max_slippage, symbolTicks(symbol));
}

function boundedStopLoss(draft: OrderDraft): OrderDraft {
  const { stop_loss_stop_price: stop, stop_loss_limit_price, max_slippage, symbol } = draft;
  if (stop === undefined || stop_loss_limit_price !== undefined) return draft;
  return { ...draft, stop_loss_limit_price: worstPrice('sell', stop, max_slippage, symbolTicks(symbol)) };
}

/**
 * Returns the worst case of the order's own fills, within the bounds of {@link boundedOrder} and including their fees
 * if the broker's fees are known. Excludes taxes and later losses.
 */
export function computeWorstCase(draft: OrderDraft): WorstCase {
  const order = boundedOrder(draft);
  if (order.order_class === 'oco') return ocoWorstCase(order);
  const entry = addOptionText(addAmountText(entryWorstCase(order), draft, order), order);
  return order.order_class === undefined ? entry : { ...entry, text: addExitText(entry.text, order) };
}

function addAmountText(worst: WorstCase, { notional }: OrderDraft, { symbol, qty, coin_fee }: OrderDraft): WorstCase {
  const coins =
    coin_fee === undefined
      ? ''
      : ` The broker keeps up to ${formatExactPercent(coin_fee)} of the ${unitWords(symbol)} as its fee.`;
  const amount = notional === undefined || qty === undefined ? '' : ` That is ${formatQuantity(symbol, qty)}.`;
  return { ...worst, text: `${worst.text}${amount}${coins}` };
}

function addOptionText(worst: WorstCase, order: OrderDraft): WorstCase {
  const { position_intent: intent } = order;
  const more =
    intent === 'buy_to_open' ? 'You lose all of it if the option expires worthless.' : assignmentEffect(order)?.text;
  return more === undefined ? worst : { ...worst, text: `${worst.text} ${more}` };
}

function entryWorstCase({ symbol, side, qty = '0', limit_price: limit, stop_price, max_fees }: OrderDraft): WorstCase {
  const buys = side === 'buy';
  if (limit === undefined) {
    const when = stop_price === undefined ? 'once triggered' : `once ${formatUnitPrice(symbol, stop_price)} is reached`;
    const jump = stop_price === undefined ? '' : ', even if the price jumps far below it';
    const text = `The price is unbounded: ${when}, the order ${buys ? 'buys' : 'sells'} at the market price${jump}.`;
    return { cash: null, price: null, text };
  }
  const gap = ` If the price jumps past that limit, it does not ${buys ? 'buy' : 'sell'}.`;
  const at = `(limit ${formatUnitPrice(symbol, limit)}).${stop_price === undefined ? '' : gap}`;
  if (!buys) {
    const { cash, text } = proceedsAfterFees(dollarValue(qty, limit, symbol), max_fees);
    return { cash, price: limit, text: `${text} ${at}` };
  }
  const cash = dollarValue(qty, limit, symbol)
    .plus(max_fees ?? 0)
    .toFixed(2, Dec.ROUND_UP);
  return { cash, price: limit, text: `Costs at most ${formatDollarAmount(cash)}${purchaseFeeWords(max_fees)} ${at}` };
}

function proceedsAfterFees(value: Dec, fees: string | undefined): { readonly cash: string; readonly text: string } {
  const cash = value.minus(fees ?? 0).toFixed(2, Dec.ROUND_FLOOR);
  return { cash, text: `Brings in at least ${formatDollarAmount(cash)}${saleFeeWords(fees)} if it all sells` };
}

/** Adds the exits' prices to the text about an entry. The stop always has a limit, because `boundedOrder` adds one. */
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
  const { cash, text } = proceedsAfterFees(dollarValue(qty, least, symbol), order.max_fees);
  return {
    cash,
    price: least,
    text:
      `${text}: at ${formatUnitPrice(symbol, profit)} or more, or, once the stop at ${formatSharePrice(stop, symbolTicks(symbol))} ` +
      `is reached, at no less than ${formatUnitPrice(symbol, least)}. If the price jumps past the stop's limit, it does not sell.`,
  };
}

function dollarValue(qty: string, price: string, symbol: string): Dec {
  return new Dec(qty).times(price).times(contractMultiplier(symbol));
}
