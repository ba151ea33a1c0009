import { z } from 'zod';
import type { Say } from '../../text/phrase.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
} from '../../trading/amounts.ts';
import { parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import { formatDate } from '../../trading/date-words.ts';
import { Dec, decimalString } from '../../trading/decimal.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import { hasEnded } from '../../trading/order-legs.ts';
import { type Period, periodPhrases, periodStart, periods } from '../../trading/period.ts';
import { type Account, accountSchema, barSchema, type Order, quoteSchema } from '../../trading/views.ts';
import type { FigureIntent } from '../reader/intent.ts';
import { orderList, orderTable } from './order-answers.ts';

/* Figures that are computed from the results of several calls: the cash after the open orders fill. */

const portfolio = z.lazy(() =>
  z.object({ account: accountSchema, positions: z.array(z.object({ symbol: z.string(), qty: decimalString })) }),
);
const quotes = z.lazy(() => z.object({ quotes: z.array(quoteSchema).min(1) }));
const bars = z.lazy(() => z.object({ symbol: z.string(), bars: z.array(barSchema) }));
const contributions = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    contributions: z.object({ positions: z.array(z.object({ symbol: z.string(), profit: z.string() })) }).optional(),
    simulated: z.boolean(),
  }),
);

/** Returns the answer with the figure, from the results of its calls. */
export function formatFigure(intent: FigureIntent, results: readonly unknown[], say: Say): string {
  const [first, second] = results;
  switch (intent.figure) {
    case 'free_cash':
      return freeCash(portfolio.parse(first).account, orderList.parse(second).orders, say);
    case 'cash_after':
      return cashAfter(portfolio.parse(first).account, orderList.parse(second).orders, say);
    case 'affordable':
      return affordable(portfolio.parse(first).account, quotes.parse(second).quotes, intent, say);
    case 'trade':
      return tradeEffect(portfolio.parse(first), quotes.parse(second).quotes, intent, say);
    case 'raise':
      return sharesToSell(portfolio.parse(first), quotes.parse(second).quotes, intent, say);
    case 'progress':
      return progress(quotes.parse(first).quotes, orderList.parse(second), intent.symbol, say);
    case 'extremes':
      return extremes(bars.parse(first), intent.period, say);
    case 'gain':
      return gainOf(contributions.parse(first), intent.symbol ?? '', say);
    case 'margin':
      return marginUse(portfolio.parse(first).account, say);
    case 'rejected':
      return rejectedOrders(orderList.parse(first), intent.symbol, say);
  }
}

const simulatedNote = (isSimulated: boolean | undefined, say: Say) =>
  isSimulated === true ? [say`Prices are simulated.`] : [];

/** Returns the dollars that a fill at the order's own price moves. Undefined if the order has no such price. */
function amountOf(order: Order): Dec | undefined {
  const { qty, filled_qty, notional, limit_price, symbol, legs } = order;
  if (legs !== undefined) return undefined;
  if (qty === null) return notional === null ? undefined : new Dec(notional);
  const shares = parseOptionSymbol(symbol) === undefined ? 1 : 100;
  return limit_price === null ? undefined : new Dec(qty).minus(filled_qty).mul(limit_price).mul(shares);
}

/** Names the orders that have no price of their own. */
function unpricedNote(orders: readonly Order[], say: Say): string[] {
  const unpriced = orders.filter((order) => amountOf(order) === undefined).map(describeOpenOrder);
  return unpriced.length === 0 ? [] : [say`Not counted, because their price is not known yet: ${unpriced.join(', ')}.`];
}

function freeCash({ cash }: Account, orders: readonly Order[], say: Say): string {
  const buys = orders.filter(({ side }) => side === 'buy');
  const needed = Dec.sum(0, ...buys.map((order) => amountOf(order) ?? 0));
  const free = new Dec(cash).minus(needed);
  return [
    say`**${formatDollarAmount(free.toFixed(2))}** of your ${formatDollarAmount(cash)} in cash is free: open purchases need ${formatDollarAmount(needed.toFixed(2))}.`,
    ...unpricedNote(buys, say),
  ].join(' ');
}

function cashAfter({ cash }: Account, orders: readonly Order[], say: Say): string {
  if (orders.length === 0) return [say`No open orders.`, say`Your cash: ${formatDollarAmount(cash)}.`].join(' ');
  const changes = orders.flatMap((order) => {
    const amount = amountOf(order);
    return amount === undefined ? [] : [{ order, change: order.side === 'sell' ? amount : amount.neg() }];
  });
  const list = changes.map(
    ({ order, change }) => `${describeOpenOrder(order)} (${formatSignedDollars(change.toFixed(2))})`,
  );
  const after = Dec.sum(cash, ...changes.map(({ change }) => change));
  return [
    ...(list.length === 0
      ? []
      : [
          say`After these orders fill at their prices, you will have **${formatDollarAmount(after.toFixed(2))}** in cash: ${list.join(', ')}.`,
        ]),
    say`Your cash: ${formatDollarAmount(cash)}.`,
    ...unpricedNote(orders, say),
  ].join(' ');
}

type Quotes = z.output<typeof quotes>['quotes'];

/** Answers how many shares the cash, a part of it, or an amount buys. */
function affordable(account: Account, [quote]: Quotes, { amount, fraction = '1' }: FigureIntent, say: Say): string {
  if (quote === undefined || !new Dec(quote.ask).gt(0)) return say`The price is unknown, so I can’t compute that.`;
  const money = new Dec(amount ?? new Dec(account.cash).mul(fraction));
  const digits = symbolAssetClass(quote.symbol) === 'crypto' ? 6 : 0;
  const count = Dec.max(0, money.div(quote.ask)).toDecimalPlaces(digits, Dec.ROUND_DOWN);
  const rest = money.minus(count.mul(quote.ask));
  return [
    ...(amount === undefined ? [say`Your cash: ${formatDollarAmount(account.cash)}.`] : []),
    say`For ${formatDollarAmount(money.toFixed(2))}, you get **${formatShares(count.toFixed())} ${quote.symbol}** at ${formatSharePrice(quote.ask)} each; ${formatDollarAmount(rest.toFixed(2))} is left.`,
    ...simulatedNote(quote.simulated, say),
  ].join(' ');
}

/** Answers what a purchase or a sale would cost or bring, and how much cash there would be after it. */
function tradeEffect(
  { account, positions }: z.output<typeof portfolio>,
  [quote]: Quotes,
  { side = 'buy', qty, fraction, amount }: FigureIntent,
  say: Say,
): string {
  const price = side === 'buy' ? quote?.ask : quote?.bid;
  if (quote === undefined || price === undefined || !new Dec(price).gt(0))
    return say`The price is unknown, so I can’t compute that.`;
  const { symbol, simulated } = quote;
  const held = new Dec(positions.find((one) => one.symbol === symbol)?.qty ?? 0);
  const count = amount === undefined ? new Dec(qty ?? held.mul(fraction ?? '1')) : new Dec(amount).div(price);
  if (side === 'sell' && count.gt(held))
    return held.isZero() ? say`You hold no ${symbol}.` : say`You hold only ${formatShares(held.toFixed())} ${symbol}.`;
  const shares = formatShares(count.toDecimalPlaces(9, Dec.ROUND_DOWN).toFixed());
  const value = new Dec(amount ?? count.mul(price));
  const after = side === 'buy' ? new Dec(account.cash).minus(value) : value.plus(account.cash);
  const money = formatDollarAmount(value.toFixed(2));
  const left = formatDollarAmount(after.abs().toFixed(2));
  return [
    side === 'buy'
      ? say`${shares} ${symbol} cost about **${money}**, at ${formatSharePrice(price)} each.`
      : say`${shares} ${symbol} bring about **${money}**, at ${formatSharePrice(price)} each.`,
    say`Your cash: ${formatDollarAmount(account.cash)}.`,
    after.lt(0) ? say`You would need **${left}** more.` : say`You would then have **${left}** in cash.`,
    ...simulatedNote(simulated, say),
  ].join(' ');
}

/** Answers how many shares to sell for an amount, or so that there is an amount of cash. */
function sharesToSell(
  { account, positions }: z.output<typeof portfolio>,
  [quote]: Quotes,
  { amount = '0', isTarget }: FigureIntent,
  say: Say,
): string {
  if (quote === undefined || !new Dec(quote.bid).gt(0)) return say`The price is unknown, so I can’t compute that.`;
  const { symbol, bid, simulated } = quote;
  const cash = say`Your cash: ${formatDollarAmount(account.cash)}.`;
  const missing = new Dec(amount).minus(isTarget ? account.cash : 0);
  if (missing.lte(0)) return [cash, say`No sale is needed for that.`].join(' ');
  const held = new Dec(positions.find((one) => one.symbol === symbol)?.qty ?? 0);
  const digits = symbolAssetClass(symbol) === 'crypto' ? 6 : 0;
  const count = missing.div(bid).toDecimalPlaces(digits, Dec.ROUND_UP);
  const worth = formatDollarAmount(count.mul(bid).toFixed(2));
  return [
    cash,
    say`**${formatShares(count.toFixed())} ${symbol}** bring about ${worth}, at ${formatSharePrice(bid)} each.`,
    ...(count.gt(held) ? [say`You hold only ${formatShares(held.toFixed())} ${symbol}.`] : []),
    ...simulatedNote(simulated, say),
  ].join(' ');
}

/** Answers whether orders have filled, and how far the price is from their prices. */
function progress([quote]: Quotes, list: z.output<typeof orderList>, symbol: string | undefined, say: Say): string {
  const open = list.orders.filter((order) => !hasEnded(order));
  if (quote === undefined || open.length === 0) return orderTable(list, symbol, say);
  const lines = open.map((order) => distanceOf(order, quote.symbol, quote.last, say));
  return [...lines, ...simulatedNote(quote.simulated, say)].join(' ');
}

function distanceOf(order: Order, symbol: string, last: string, say: Say): string {
  const name = describeOpenOrder(order);
  const now = formatSharePrice(last);
  const price = order.stop_price ?? order.limit_price;
  if (price === null || order.trail_price !== null || order.trail_percent !== null || order.legs !== undefined)
    return say`${name} is still open; ${symbol} is at ${now}.`;
  const isAbove = (order.side === 'sell') === (order.stop_price === null);
  const far = isAbove ? new Dec(price).minus(last) : new Dec(last).minus(price);
  if (far.lte(0)) return say`${name} is still open; ${symbol} is at ${now}.`;
  const move = formatSharePrice(far.toFixed());
  const percent = `${far.div(last).mul(100).toFixed(2)}%`;
  return isAbove
    ? say`${name} has not filled: ${symbol} is at ${now}, **${move}** (${percent}) too low.`
    : say`${name} has not filled: ${symbol} is at ${now}, **${move}** (${percent}) too high.`;
}

/** Reports the period's high and low, and how far the price is from each. */
function extremes({ symbol, bars: all }: z.output<typeof bars>, period: Period | undefined, say: Say): string {
  const last = all.at(-1);
  const start = period === undefined || last === undefined ? '' : periodStart(period, Date.parse(last.at));
  const list = all.filter(({ at }) => at.slice(0, 10) >= start);
  const [first] = list;
  if (first === undefined || last === undefined) return say`There are too few prices for a chart of ${symbol}.`;
  const top = list.reduce((best, bar) => (new Dec(bar.high).gt(best.high) ? bar : best));
  const bottom = list.reduce((best, bar) => (new Dec(bar.low).lt(best.low) ? bar : best));
  const since = (price: string) => {
    const change = new Dec(last.close).minus(price);
    return `${formatSignedDollars(change.toFixed(2))}, ${formatSignedPercent(change.div(price))}`;
  };
  const day = (at: string) => formatDate(at.slice(0, 10), say.locale);
  return [
    say`${symbol} is at **${formatSharePrice(last.close)}**.`,
    say`High: **${formatSharePrice(top.high)}** on ${day(top.at)} (since then ${since(top.high)}).`,
    say`Low: **${formatSharePrice(bottom.low)}** on ${day(bottom.at)} (since then ${since(bottom.low)}).`,
    say`These prices begin on ${day(first.at)}.`,
  ].join(' ');
}

/** Reports what one position gained in the period. */
function gainOf(
  { period, contributions: found, simulated }: z.output<typeof contributions>,
  symbol: string,
  say: Say,
): string {
  const own = found?.positions.find((one) => one.symbol === symbol);
  const when = periodPhrases[period];
  return [
    own === undefined
      ? say`You had no ${symbol} ${when}.`
      : say`**${formatSignedDollars(own.profit)}** with ${symbol} ${when}.`,
    ...simulatedNote(simulated, say),
  ].join(' ');
}

/** Answers whether money is borrowed, and whether the buying power includes money that would be. */
function marginUse({ cash, buying_power }: Account, say: Say): string {
  const power = formatDollarAmount(buying_power);
  const borrowed = Dec.max(0, new Dec(cash).neg());
  const lent = new Dec(buying_power).minus(Dec.max(0, cash));
  return [
    borrowed.isZero()
      ? say`You are borrowing nothing: you have ${formatDollarAmount(cash)} in cash.`
      : say`You are borrowing **${formatDollarAmount(borrowed.toFixed(2))}**.`,
    lent.lte(0)
      ? say`Your buying power of **${power}** includes no borrowed money.`
      : say`Your buying power of **${power}** includes ${formatDollarAmount(lent.toFixed(2))} that you would borrow. I only spend cash.`,
  ].join(' ');
}

function rejectedOrders(list: z.output<typeof orderList>, symbol: string | undefined, say: Say): string {
  const isRejected = list.orders.some(({ status }) => status === 'rejected');
  const table = orderTable(list, symbol, say);
  if (isRejected || list.orders.length === 0) return table;
  return `${say`None of your last ${list.orders.length} closed orders was rejected.`} ${table}`;
}
