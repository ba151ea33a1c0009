import { capitalize, lowercaseFirst } from '../text/first-letter.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from './amounts.ts';
import { describeOptionSymbol } from './contract-words.ts';
import { Dec } from './decimal.ts';
import { isMultiLeg } from './order-legs.ts';
import { requiresPrice } from './order-types.ts';
import { displayedTerms, openOrderHeadline } from './order-words.ts';
import { isFinalStatus, type Order, type OrderLeg } from './views.ts';

/** Returns an order's outcome in plain words: `Sold 10 NVDA at $127.94`. Prices are averages of the fills. */
export function describeOrderOutcome(order: Order): string {
  if (isMultiLeg(order)) return `${stateWord(order.status)}: ${openOrderHeadline(order)}`;
  if (order.order_class === 'oco') return ocoOutcome(order);
  return [describeLegOutcome(order), ...describeExitsOutcome(order)].join('; ');
}

function ocoOutcome(order: Order): string {
  const { legs = [] } = order;
  const traded = [order, ...legs].find(({ filled_qty }) => !new Dec(filled_qty).isZero());
  if (traded !== undefined) return describeLegOutcome(traded);
  const stops = legs.flatMap(({ stop_price }) => (stop_price === null ? [] : [formatSharePrice(stop_price)]));
  return [describeLegOutcome(order), ...stops.map((price) => `or once it trades at ${price}`)].join(', ');
}

/** Returns the outcome or state of an order's exits. Empty if the order has no exits or they never became active. */
export function describeExitsOutcome({ status, filled_qty, legs = [] }: Order): string[] {
  const sold = legs.find((leg) => !new Dec(leg.filled_qty).isZero());
  if (sold !== undefined) return [lowercaseFirst(describeLegOutcome(sold))];
  const open = legs.filter((leg) => !isFinalStatus(leg.status)).map(exitName);
  if (open.length > 0) return [`${isFinalStatus(status) ? '' : 'then '}${open.join(' or ')}`];
  return legs.length === 0 || new Dec(filled_qty).isZero() ? [] : ['no exits are open'];
}

function exitName({ stop_price, limit_price }: OrderLeg): string {
  return stop_price === null
    ? `take profit at ${formatSharePrice(limit_price ?? '0')}`
    : `stop loss at ${formatSharePrice(stop_price)}`;
}

/** Describes the outcome of a single order or leg: `Bought 2 of 5 AAPL at $180.02; the rest is canceled`. */
export function describeLegOutcome(order: OrderLeg): string {
  const { side, status, filled_qty, filled_avg_price } = order;
  const symbol = describeOptionSymbol(order.symbol);
  const bought =
    filled_avg_price === null || new Dec(filled_qty).isZero()
      ? undefined
      : `${pastTenseWord(side)} ${formatShares(filled_qty)} ${symbol} at ${formatSharePrice(filled_avg_price)}`;
  if (status === 'filled' && bought !== undefined) return bought;
  if (bought === undefined) return `${stateWord(status)}: ${describeLeg(order)}`;
  const part = bought.replace(` ${symbol}`, ` of ${formatAmount(order)} ${symbol}`);
  return `${part}; the rest ${remainderPhrase(status)}`;
}

function describeLeg(order: OrderLeg): string {
  const { side, symbol } = order;
  return [`${side} ${formatAmount(order)} ${describeOptionSymbol(symbol)}`, ...priceTerms(order)].join(' ');
}

function priceTerms(order: OrderLeg): string[] {
  const { side, type, limit_price, stop_price, trail_price, trail_percent, bound } = displayedTerms(order);
  const within = side === 'buy' ? 'or less' : 'or more';
  if (trail_percent !== null) return [`trailing by ${trail_percent}%`];
  if (trail_price !== null) return [`trailing by ${formatDollarAmount(trail_price)}`];
  return [
    ...(stop_price === null || requiresPrice(type, 'trail')
      ? []
      : [`once it trades at ${formatSharePrice(stop_price)}`]),
    ...(limit_price === null ? [] : [`at ${formatSharePrice(limit_price)} ${within}`]),
    ...(bound === undefined ? [] : [`for ${bound}`]),
  ];
}

function pastTenseWord(side: Order['side']): string {
  return side === 'buy' ? 'Bought' : side === 'sell' ? 'Sold' : 'Traded';
}

function formatAmount({ qty, notional }: OrderLeg): string {
  if (qty !== null) return formatShares(qty);
  return notional === null ? 'some' : `${formatDollarAmount(notional)} of`;
}

function stateWord(status: Order['status']): string {
  const words: Readonly<Record<string, string>> = {
    new: 'Open',
    accepted: 'Open',
    pending_new: 'Being sent',
    held: 'Held at the broker',
    canceled: 'Canceled',
    pending_cancel: 'Cancel pending',
    expired: 'Expired',
    done_for_day: 'Done for the day',
    rejected: 'Rejected by the broker',
    replaced: 'Replaced',
  };
  const said = (Object.hasOwn(words, status) ? words[status] : undefined) ?? status.replaceAll('_', ' ');
  return capitalize(said);
}

function remainderPhrase(status: Order['status']): string {
  if (['partially_filled', 'new', 'accepted'].includes(status)) return 'is open';
  return `is ${stateWord(status).toLowerCase()}`;
}
