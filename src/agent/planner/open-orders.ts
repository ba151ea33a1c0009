import { type Phrase, phrase } from '../../text/phrase.ts';
import { formatSharePrice } from '../../trading/amounts.ts';
import { Dec, toPlain } from '../../trading/decimal.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import { hasEnded } from '../../trading/order-legs.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { CancelIntent, OrderChange, OrderDifference, OrderReference, OrderTraits } from '../reader/intent.ts';
import { hasTraits } from '../reader/order-traits.ts';
import { NotUnderstoodError } from '../reader/refusal.ts';

export const openOrdersQuery = { status: 'open', limit: 500 } as const;
export const newestOrdersQuery = { status: 'all', limit: 10 } as const;

export function findOrdersToCancel(
  which: CancelIntent['which'],
  open: readonly Order[],
  all: readonly Order[],
): string[] {
  if ('id' in which) return [findByIdPrefix(which.id, open)?.id ?? which.id];
  if (isPointedOut(which)) return [findOrderToChange(which, open, all).id];
  const what = describeTraits(which);
  const meant = ('symbol' in which ? ordersForSymbol(open, which.symbol) : open).filter((order) =>
    hasTraits(order, which),
  );
  if ('all' in which && which.count !== undefined && meant.length !== Number(which.count)) throw countError(open);
  if ('all' in which || ('symbol' in which && which.many)) {
    if (meant.length > 0 || what === undefined) return meant.map(({ id }) => id);
    throw noneOpen(what);
  }
  const hint =
    'symbol' in which
      ? phrase`Say "cancel order ID", or "cancel all ${which.symbol} orders".`
      : phrase`Say "cancel order ID", or "cancel all orders".`;
  return [requireSingle(meant, what, hint).id];
}

type PointedOut = Extract<
  OrderReference,
  { newest: true } | { oldest: true } | { place: number } | { placed: number } | { otherThan: unknown }
>;

const isPointedOut = (which: CancelIntent['which']): which is PointedOut =>
  ['newest', 'oldest', 'place', 'placed', 'otherThan'].some((name) => name in which);

export function findOrderToChange(which: OrderReference, open: readonly Order[], all: readonly Order[]): Order {
  const hint = phrase`Say "change order ID to limit 185".`;
  if ('placed' in which) return orderPlaced(which, open);
  if ('otherThan' in which) {
    const kept = findOrderToChange(which.otherThan, open, all);
    return requireSingle(
      open.filter(({ id }) => id !== kept.id),
      undefined,
      hint,
    );
  }
  if ('newest' in which || 'oldest' in which || 'place' in which) return orderInSequence(which, open, all);
  if ('id' in which) {
    const found = findByIdPrefix(which.id, open);
    if (found !== undefined) return found;
    throw new NotUnderstoodError(
      phrase`You have no open order ${which.id}.`,
      phrase`Ask "open orders" to see them.`,
      'not_found',
    );
  }
  const meant = ('symbol' in which ? ordersForSymbol(open, which.symbol) : open).filter((order) =>
    hasTraits(order, which),
  );
  return requireSingle(meant, describeTraits(which), hint);
}

function orderInSequence(
  which: Extract<OrderReference, { newest: true } | { oldest: true } | { place: number }>,
  open: readonly Order[],
  all: readonly Order[],
): Order {
  if ('newest' in which) return requireNewest(all);
  return 'oldest' in which ? requireOldest(open) : orderAt(open, which.place);
}

/** Returns the person's description of an order. Returns undefined if there is none. */
function describeTraits(which: OrderTraits & { readonly symbol?: string }): string | undefined {
  const { side, qty, symbol, type, price } = which;
  const words = [side, qty, symbol, type, price === undefined ? undefined : formatSharePrice(price)];
  const said = words.filter((word) => word !== undefined);
  return said.length === 0 ? undefined : said.join(' ');
}

/** Returns whether an order ID is complete. Lists show shortened IDs, which can't be looked up. */
export function isFullId(id: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(id);
}

function findByIdPrefix(typed: string, open: readonly Order[]): Order | undefined {
  const whole = open.find(({ id }) => id === typed);
  if (whole !== undefined) return whole;
  const begun = open.filter(({ id }) => id.startsWith(typed.toLowerCase()));
  if (begun.length < 2) return begun[0];
  const list = begun.map((order) => `${order.id} (${describeOpenOrder(order)})`).join(', ');
  throw new NotUnderstoodError(
    phrase`The IDs of ${begun.length} open orders begin with "${typed}": ${list}.`,
    phrase`Type more of the ID.`,
  );
}

function ordersForSymbol(open: readonly Order[], wanted: string): readonly Order[] {
  const matching = open.filter(({ symbol }) => symbol === wanted);
  if (matching.length > 0) return matching;
  throw noneOpen(wanted);
}

const noneOpen = (what: string) =>
  new NotUnderstoodError(phrase`You have no open ${what} order.`, phrase`Ask "open orders" to see them.`, 'not_found');

/** Returns the only order. @param what the side, quantity and symbol that the person named */
function requireSingle(orders: readonly Order[], what: string | undefined, hint: Phrase): Order {
  const [only] = orders;
  if (only === undefined)
    throw new NotUnderstoodError(
      what === undefined ? phrase`You have no open order.` : phrase`You have no open ${what} order.`,
      phrase`Ask "all orders".`,
      'not_found',
    );
  if (orders.length === 1) return only;
  const list = orders.map((order) => `${order.id} (${describeOpenOrder(order)})`).join(', ');
  const count = orders.length;
  throw new NotUnderstoodError(
    what === undefined
      ? phrase`You have ${count} open orders: ${list}.`
      : phrase`You have ${count} open ${what} orders: ${list}.`,
    hint,
  );
}

/** Returns the order at a position in the list that the person sees. */
function orderAt(open: readonly Order[], place: number): Order {
  const order = open[place - 1];
  if (order !== undefined) return order;
  throw countError(open);
}

const countError = (open: readonly Order[]) =>
  new NotUnderstoodError(
    phrase`You have ${open.length} open orders.`,
    phrase`Ask "open orders" to see them.`,
    'not_found',
  );

/** Returns the open order that was placed first. @throws {NotUnderstoodError} if two were placed at the same time */
const requireOldest = (open: readonly Order[]) => orderPlaced({ placed: 1 }, open);

/**
 * Returns the order at a position in the sequence in which the orders were placed, from 1, or from -1 at the end.
 * @throws {NotUnderstoodError} if it has other traits, or another order was placed at the same time
 */
function orderPlaced(
  { placed, symbol, ...traits }: Extract<OrderReference, { placed: number }>,
  open: readonly Order[],
): Order {
  const sorted = open.toSorted((a, b) => Date.parse(a.submitted_at) - Date.parse(b.submitted_at));
  const order = sorted.at(placed < 0 ? placed : placed - 1);
  const hint = phrase`Ask "open orders" for the IDs, then "cancel order ID".`;
  if (order === undefined) {
    if (open.length > 0) throw countError(open);
    return requireSingle(open, undefined, hint);
  }
  if ((symbol !== undefined && order.symbol !== symbol) || !hasTraits(order, traits))
    throw noneOpen(describeTraits({ ...traits, ...defined({ symbol }) }) ?? '');
  return open.some((one) => one !== order && one.submitted_at === order.submitted_at)
    ? requireSingle(open, undefined, hint)
    : order;
}

/** Returns the newest order. Throws if the order has ended, because "my last order" never means an older order. */
function requireNewest(all: readonly Order[]): Order {
  const [last, second] = all.toSorted((a, b) => Date.parse(b.submitted_at) - Date.parse(a.submitted_at));
  if (last === undefined)
    throw new NotUnderstoodError(phrase`You have no orders.`, phrase`Ask "all orders".`, 'not_found');
  const over = hasEnded(last);
  if (over || last.submitted_at === second?.submitted_at) {
    throw new NotUnderstoodError(
      over
        ? phrase`Your last order (${describeOpenOrder(last)}) is already ${last.status.replaceAll('_', ' ')}.`
        : phrase`Your two newest orders were placed at the same time.`,
      phrase`Ask "open orders" for the IDs, then "cancel order ID".`,
      over ? 'not_found' : 'usage',
    );
  }
  return last;
}

/** A bare number may be a new price or quantity only if it differs from the old value by less than this factor. */
const MAX_RATIO = 3;

/** Returns the arguments for changing an order. @param was the old value, if the person named it */
export function orderChangeArguments(change: OrderChange, order: Order, was?: string): Record<string, string> {
  const { value, price, by, ...named } = change;
  const fixed: Record<string, string> = { ...named, ...(by === undefined ? {} : differentValue(by, order)) };
  if (was !== undefined) return { ...fixed, ...changeFrom(was, change, order) };
  const open = value ?? price;
  if (open === undefined) return fixed;
  const field = requirePriceField(order, open);
  const isNear = (was: string | null) => {
    if (was === null || new Dec(was).isZero()) return false;
    const ratio = new Dec(open).div(was);
    return ratio.lt(MAX_RATIO) && ratio.gt(new Dec(1).div(MAX_RATIO));
  };
  // Next to a new number of shares, the other number is the price.
  const isOther = 'qty' in fixed;
  if (value !== undefined && !isOther && (!isNear(order[field]) || isNear(order.qty)))
    throw askChange(order, open, phrase`Is ${open} the new price or the new number of shares?`);
  if (value !== undefined && field in fixed) return { ...fixed, qty: value };
  return { ...fixed, [field]: open };
}

const askChange = (order: Order, value: string, question: Phrase) =>
  new NotUnderstoodError(
    phrase`The order is ${describeOpenOrder(order)}. ${question}`,
    phrase`Say "change order ${order.id} to limit ${value}", "… to stop ${value}" or "… to ${value} shares".`,
  );

/** Returns the field of an order's only price. */
function requirePriceField(order: Order, value: string): 'limit_price' | 'stop_price' {
  const [field, ...more] = (['limit_price', 'stop_price'] as const).filter((one) => order[one] !== null);
  if (field !== undefined && more.length === 0) return field;
  throw askChange(
    order,
    value,
    field === undefined ? phrase`It has no price to change.` : phrase`Which of its prices do you mean?`,
  );
}

/** Computes the new value from a difference: "two dollars higher". */
function differentValue({ field: said, amount, unit, side }: OrderDifference, order: Order): Record<string, string> {
  const field = said === 'price' ? requirePriceField(order, amount) : said;
  const base = order[field];
  if (base === null || base === undefined) throw askChange(order, amount, phrase`It has no price to change.`);
  const offset = unit === 'percent' ? new Dec(base).times(amount).div(100) : new Dec(amount);
  const changed = side === 'below' ? new Dec(base).minus(offset) : new Dec(base).plus(offset);
  const decimals = field === 'qty' ? (new Dec(base).isInteger() ? 0 : 9) : changed.lt(1) ? 4 : 2;
  const value = toPlain(changed.toDecimalPlaces(decimals, field === 'qty' ? Dec.ROUND_DOWN : Dec.ROUND_HALF_UP));
  if (new Dec(value).gt(0)) return { [field]: value };
  throw new NotUnderstoodError(phrase`${value} is not above zero.`, phrase`Give a number above zero.`, 'invalid_order');
}

/** Changes the value that equals `was` (the old value). @throws {NotUnderstoodError} if no value or several match */
function changeFrom(was: string, { value, price, by, ...named }: OrderChange, order: Order): Record<string, string> {
  const open = value ?? price;
  const isMeant = (field: string) =>
    open === undefined ? field in named : !(field in named) && !(field === 'qty' && price !== undefined);
  const fields = (['qty', 'limit_price', 'stop_price'] as const).filter((field) => {
    const old = order[field];
    return old !== null && old !== undefined && new Dec(old).eq(was) && isMeant(field);
  });
  const [field, ...more] = fields;
  const changed = field === undefined ? undefined : (open ?? named[field]);
  if (field !== undefined && changed !== undefined && more.length === 0) return { [field]: changed };
  throw new NotUnderstoodError(
    phrase`The order is ${describeOpenOrder(order)}. ${phrase`Which of its values is ${was}?`}`,
    phrase`Say "change order ID to limit 185".`,
  );
}
