import { type AssetClass, symbolAssetClass, symbolTicks, unitWords } from './asset-class.ts';
import { Dec, isOnTick, type Tick, tickDecimals, usTicks } from './decimal.ts';
import type { CheckedOrder, OrderClass } from './order-classes.ts';
import { priceFields } from './order-fields.ts';
import { joinWithOr, invalidOrderError as problem, requireOneOf } from './order-problem.ts';
import { type OrderType, orderTypes, type TimeInForce, timesInForce } from './order-types.ts';

export interface AcceptedTerms {
  readonly types: readonly OrderType[];
  readonly timesInForce: readonly TimeInForce[];
}

/** The combinations of order terms that a broker accepts. `checkOrder` has the rules that apply to every broker. */
export interface OrderTerms {
  /** Accepted `time_in_force` values by order type. An order type without values is not accepted. */
  readonly timesInForce: Readonly<Partial<Record<OrderType, readonly TimeInForce[]>>>;
  readonly fractions: AcceptedTerms & { readonly decimals: number };
  readonly amounts: AcceptedTerms;
  /** The smallest purchase of a fraction or an amount, in dollars; undefined if there is no minimum. */
  readonly minimumDollars?: string;
  readonly extendedHours: AcceptedTerms;
  /** Accepted order classes, with the `type` and `time_in_force` values of their entries. */
  readonly classes: Partial<Readonly<Record<OrderClass, AcceptedTerms>>>;
  readonly ticks: readonly Tick[];
}

/** Terms by asset class. An asset class without terms can't be traded. */
export type TermsByAssetClass = Readonly<Partial<Record<AssetClass, OrderTerms>>>;

const dayOrGtc: readonly TimeInForce[] = ['day', 'gtc'];
const fractionTerms: AcceptedTerms = {
  types: ['market', 'limit', 'stop', 'stop_limit'],
  timesInForce: ['day'],
};
const nothingAccepted: AcceptedTerms = { types: [], timesInForce: [] };
const exitTerms: AcceptedTerms = { types: ['market', 'limit'], timesInForce: dayOrGtc };

/** Alpaca's crypto orders are gtc or ioc, in coins (nine decimals) or dollars, around the clock ("Crypto Trading"). */
const cryptoTimesInForce: readonly TimeInForce[] = ['gtc', 'ioc'];
const cryptoTerms: AcceptedTerms = {
  types: ['market', 'limit', 'stop_limit'],
  timesInForce: cryptoTimesInForce,
};

/**
 * The terms that at least one supported broker accepts. An order whose broker is unknown is checked against these
 * terms. Sources: Alpaca, "Placing Orders" (fractions, extended hours, exits), "Crypto Trading", "Options Trading", and
 * its API's TimeInForce and OrderClass.
 */
export const anyBrokerTerms = {
  us_equity: {
    timesInForce: {
      market: timesInForce,
      limit: timesInForce,
      stop: dayOrGtc,
      stop_limit: dayOrGtc,
      stop_market: dayOrGtc,
      trailing_stop: dayOrGtc,
    },
    fractions: { ...fractionTerms, decimals: 9 },
    amounts: fractionTerms,
    extendedHours: { types: ['limit'], timesInForce: dayOrGtc },
    classes: { bracket: exitTerms, oto: exitTerms, oco: { types: ['limit'], timesInForce: dayOrGtc } },
    ticks: usTicks,
  },
  crypto: {
    timesInForce: { market: cryptoTimesInForce, limit: cryptoTimesInForce, stop_limit: cryptoTimesInForce },
    fractions: { ...cryptoTerms, decimals: 9 },
    amounts: cryptoTerms,
    extendedHours: nothingAccepted,
    classes: {},
    ticks: symbolTicks('BTC/USD'),
  },
  us_option: {
    timesInForce: {
      market: dayOrGtc,
      limit: dayOrGtc,
      stop: dayOrGtc,
      stop_limit: dayOrGtc,
    },
    fractions: { ...nothingAccepted, decimals: 0 },
    amounts: nothingAccepted,
    extendedHours: nothingAccepted,
    classes: {},
    ticks: symbolTicks('AAPL261218C00190000'),
  },
} satisfies TermsByAssetClass;

const classNames: Readonly<Record<AssetClass, string>> = {
  us_equity: 'US shares',
  crypto: 'crypto pairs',
  us_option: 'options',
};

/** Checks type, time in force, fractions, sessions, exits and ticks. @throws {TradeAgentError} `invalid_order` */
export function checkBrokerTerms(order: CheckedOrder, byClass: TermsByAssetClass): void {
  const { symbol, qty, notional } = order;
  const terms = byClass[symbolAssetClass(symbol)];
  if (terms === undefined) throw assetClassNotTraded(symbol, byClass);
  checkTicks(order, terms.ticks);
  if (order.order_class !== undefined) checkClass(order, order.order_class, terms.classes);
  if (notional !== undefined) checkFraction(order, terms.amounts);
  else if (qty !== undefined && !new Dec(qty).isInteger()) {
    checkFraction(order, terms.fractions);
    checkDecimals(qty, terms.fractions.decimals);
  }
  if (order.extended_hours) checkExtendedHours(order, terms.extendedHours);
  checkTimeInForce(order, terms.timesInForce);
}

function assetClassNotTraded(symbol: string, byClass: TermsByAssetClass): Error {
  const traded = Object.keys(byClass).map((name) => classNames[name as AssetClass]);
  return problem(
    `this broker doesn't trade ${classNames[symbolAssetClass(symbol)]}`,
    `Choose ${joinWithOr(traded)}.`,
    'symbol',
  );
}

function checkClass(order: CheckedOrder, name: OrderClass, classes: OrderTerms['classes']): void {
  const taken = classes[name];
  if (taken === undefined) {
    throw problem(
      `order_class ${name} is not supported here`,
      'Remove the exits, and propose them as separate orders after the entry fills.',
      'order_class',
    );
  }
  requireOneOf(`order_class ${name} requires`, 'type', order.type, taken.types);
  requireOneOf(`order_class ${name} requires`, 'time_in_force', order.time_in_force, taken.timesInForce);
  if (order.qty === undefined || !new Dec(order.qty).isInteger()) {
    throw problem(
      `an order with exits must be for whole ${unitWords(order.symbol)}`,
      `Use a whole number of ${unitWords(order.symbol)}.`,
      order.qty === undefined ? 'notional' : 'qty',
    );
  }
  if (!order.extended_hours) return;
  throw problem('an order with exits can only trade in regular hours', 'Remove extended_hours.', 'extended_hours');
}

function checkFraction(
  { symbol, type, time_in_force, notional }: CheckedOrder,
  { types, timesInForce }: AcceptedTerms,
): void {
  const unit = unitWords(symbol);
  const field = notional === undefined ? 'qty' : 'notional';
  if (types.length === 0 || timesInForce.length === 0) {
    throw problem(
      field === 'qty'
        ? `only whole ${unit} are supported here`
        : `orders in dollars for ${classNames[symbolAssetClass(symbol)]} are not supported here`,
      `Use a whole number of ${unit}${field === 'qty' ? '' : ' (qty)'}.`,
      field,
    );
  }
  if (!timesInForce.includes(time_in_force)) {
    throw problem(
      `a fractional order must have time_in_force ${joinWithOr(timesInForce)}`,
      `Use whole ${unit} for ${time_in_force}.`,
      'time_in_force',
    );
  }
  if (!types.includes(type)) {
    throw problem(`a ${type} order must be for whole ${unit}`, `Use a whole number of ${unit}.`, 'qty');
  }
}

function checkDecimals(qty: string, most: number): void {
  if (new Dec(qty).decimalPlaces() <= most) return;
  throw problem(`a quantity of ${qty} has more than ${most} decimals`, 'Round the quantity.', 'qty');
}

function checkExtendedHours({ type, time_in_force }: CheckedOrder, { types, timesInForce }: AcceptedTerms): void {
  if (types.includes(type) && timesInForce.includes(time_in_force)) return;
  throw problem(
    types.length === 0
      ? 'extended hours are not supported here'
      : `extended hours support only ${joinWithOr(types)} orders with time_in_force ${joinWithOr(timesInForce)}`,
    types.length === 0 ? 'Remove extended_hours.' : `Use a ${types[0]} order, or remove extended_hours.`,
    'extended_hours',
  );
}

function checkTimeInForce({ type, time_in_force }: CheckedOrder, taken: OrderTerms['timesInForce']): void {
  const times = taken[type] ?? [];
  if (times.length === 0) {
    const others = orderTypes.filter((other) => (taken[other] ?? []).length > 0);
    throw problem(`a ${type} order is not supported here`, `Use type ${joinWithOr(others)}.`, 'type');
  }
  requireOneOf(`a ${type} order requires`, 'time_in_force', time_in_force, times);
}

function checkTicks(order: CheckedOrder, ticks: readonly Tick[]): void {
  for (const field of priceFields) {
    const value = order[field];
    if (value === undefined || isOnTick(value, ticks)) continue;
    throw problem(
      `${field} ${value} is not on a valid tick`,
      `${describeTicks(ticks)}. Try ${new Dec(value).toFixed(tickDecimals(value, ticks))}.`,
      field,
    );
  }
}

function describeTicks(ticks: readonly Tick[]): string {
  const each = ticks.map(({ from, decimals }) => `${decimals} decimals ${from === '0' ? 'below' : `from $${from}`}`);
  return `Prices can have ${each.join(', ')}`;
}
