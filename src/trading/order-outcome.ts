import { capitalize, lowercaseFirst } from '../text/first-letter.ts';
import { english, type Phrase, phrase, type Say } from '../text/phrase.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from './amounts.ts';
import { describeOptionSymbol } from './contract-words.ts';
import { Dec } from './decimal.ts';
import { isMultiLeg } from './order-legs.ts';
import { requiresPrice } from './order-types.ts';
import { displayedTerms, openOrderHeadline } from './order-words.ts';
import { isFinalStatus, type Order, type OrderLeg } from './views.ts';

/** Returns an order's outcome in plain words: `Sold 10 NVDA at $127.94`. Prices are averages of the fills. */
export function describeOrderOutcome(order: Order, say: Say = english): string {
  if (isMultiLeg(order)) return `${orderStatus(order.status).in(say)}: ${openOrderHeadline(order)}`;
  if (order.order_class === 'oco') return ocoOutcome(order, say);
  return [describeLegOutcome(order, say), ...describeExitsOutcome(order, say)].join('; ');
}

function ocoOutcome(order: Order, say: Say): string {
  const { legs = [] } = order;
  const traded = [order, ...legs].find(({ filled_qty }) => !new Dec(filled_qty).isZero());
  if (traded !== undefined) return describeLegOutcome(traded, say);
  const stops = legs.flatMap(({ stop_price }) => (stop_price === null ? [] : [formatSharePrice(stop_price)]));
  return [describeLegOutcome(order, say), ...stops.map((price) => say`or once it trades at ${price}`)].join(', ');
}

/** Returns the outcome or state of an order's exits. Empty if the order has no exits or they never became active. */
export function describeExitsOutcome({ status, filled_qty, legs = [] }: Order, say: Say = english): string[] {
  const sold = legs.find((leg) => !new Dec(leg.filled_qty).isZero());
  if (sold !== undefined) return [lowercaseFirst(describeLegOutcome(sold, say))];
  const open = legs.filter((leg) => !isFinalStatus(leg.status)).map((leg) => exitName(leg, say));
  const [one = '', other] = open;
  const either = other === undefined ? one : say`${one} or ${other}`;
  if (open.length > 0) return [isFinalStatus(status) ? either : say`then ${either}`];
  return legs.length === 0 || new Dec(filled_qty).isZero() ? [] : [say`no exits are open`];
}

function exitName({ stop_price, limit_price }: OrderLeg, say: Say): string {
  return stop_price === null
    ? say`take profit at ${formatSharePrice(limit_price ?? '0')}`
    : say`stop loss at ${formatSharePrice(stop_price)}`;
}

/** Describes the outcome of a single order or leg: `Bought 2 of 5 AAPL at $180.02; the rest is canceled`. */
export function describeLegOutcome(order: OrderLeg, say: Say = english): string {
  const { side, status, filled_qty, filled_avg_price } = order;
  const symbol = describeOptionSymbol(order.symbol);
  const state = orderStatus(status).in(say);
  if (filled_avg_price === null || new Dec(filled_qty).isZero()) return `${state}: ${describeLeg(order, say)}`;
  const [filled, price] = [formatShares(filled_qty), formatSharePrice(filled_avg_price)];
  const what = status === 'filled' ? `${filled} ${symbol}` : say`${filled} of ${formatAmount(order, say)} ${symbol}`;
  const traded =
    side === 'buy'
      ? say`Bought ${what} at ${price}`
      : side === 'sell'
        ? say`Sold ${what} at ${price}`
        : say`Traded ${what} at ${price}`;
  if (status === 'filled') return traded;
  const rest = status === 'partially_filled' ? orderStatus('new').in(say) : state;
  return say`${traded}; the rest is ${lowercaseFirst(rest)}`;
}

function describeLeg(order: OrderLeg, say: Say): string {
  const { side } = order;
  const [amount, symbol] = [formatAmount(order, say), describeOptionSymbol(order.symbol)];
  const act =
    side === 'buy'
      ? say`buy ${amount} ${symbol}`
      : side === 'sell'
        ? say`sell ${amount} ${symbol}`
        : `${side} ${amount} ${symbol}`;
  return [act, ...priceTerms(order, say)].join(' ');
}

function priceTerms(order: OrderLeg, say: Say): string[] {
  const { side, type, limit_price, stop_price, trail_price, trail_percent, bound } = displayedTerms(order);
  if (trail_percent !== null) return [say`trailing by ${trail_percent}%`];
  if (trail_price !== null) return [say`trailing by ${formatDollarAmount(trail_price)}`];
  const limit = formatSharePrice(limit_price ?? order.limit_price ?? '0');
  return [
    ...(stop_price === null || requiresPrice(type, 'trail')
      ? []
      : [say`once it trades at ${formatSharePrice(stop_price)}`]),
    ...(limit_price === null ? [] : [side === 'buy' ? say`at ${limit} or less` : say`at ${limit} or more`]),
    ...(bound === undefined ? [] : [side === 'sell' ? say`for at least ${limit}` : say`for at most ${limit}`]),
  ];
}

function formatAmount({ qty, notional }: OrderLeg, say: Say): string {
  if (qty !== null) return formatShares(qty);
  return notional === null ? say`some` : say`${formatDollarAmount(notional)} of`;
}

const statusPhrases: Readonly<Record<string, Phrase>> = {
  new: phrase`Open`,
  accepted: phrase`Open`,
  pending_new: phrase`Being sent`,
  held: phrase`Held at the broker`,
  partially_filled: phrase`Partially filled`,
  filled: phrase`Filled`,
  canceled: phrase`Canceled`,
  pending_cancel: phrase`Cancel pending`,
  expired: phrase`Expired`,
  done_for_day: phrase`Done for the day`,
  rejected: phrase`Rejected by the broker`,
  replaced: phrase`Replaced`,
};

export function orderStatus(status: string): Phrase {
  const known = Object.hasOwn(statusPhrases, status) ? statusPhrases[status] : undefined;
  return known ?? phrase`${capitalize(status.replaceAll('_', ' '))}`;
}
