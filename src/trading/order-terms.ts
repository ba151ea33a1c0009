import { Dec, isOnTick, type Tick, tickDecimals, usTicks } from './decimal.ts';
import { priceFields } from './order-fields.ts';
import { orderProblem } from './order-problem.ts';
import { type OrderType, orderTypes, type TimeInForce, timesInForce } from './order-types.ts';

/** Orders of these types with these times in force; of none where either is empty. */
export interface Taken {
  readonly types: readonly OrderType[];
  readonly timesInForce: readonly TimeInForce[];
}

/** Which orders are taken somewhere: what goes together, as data. What no broker can change is in `checkOrder`. */
export interface OrderTerms {
  /** The times in force of each type; a type with none is not taken. */
  readonly timesInForce: Readonly<Record<OrderType, readonly TimeInForce[]>>;
  /** Which orders may be for parts of a share, to so many decimals. */
  readonly fractions: Taken & { readonly decimals: number };
  /** Which orders may be for an amount in dollars. */
  readonly amounts: Taken;
  /** Which orders may trade outside the exchange's hours. */
  readonly extendedHours: Taken;
  /** The decimals of a price in dollars a share, from the highest price down. */
  readonly ticks: readonly Tick[];
}

const untilPriceComes: readonly TimeInForce[] = ['day', 'gtc'];
const inParts: Taken = { types: ['market', 'limit', 'stop', 'stop_limit'], timesInForce: ['day'] };

/**
 * What the brokers take that we know, and the most that an order may ask for where it isn't known yet which broker it
 * goes to. Sources: Alpaca "Placing Orders" (fractional = day, market/limit/stop/stop_limit; extended hours = limit,
 * day/gtc) and its contract's TimeInForce.
 */
export const commonTerms: OrderTerms = {
  timesInForce: {
    market: timesInForce,
    limit: timesInForce,
    stop: untilPriceComes,
    stop_limit: untilPriceComes,
    trailing_stop: untilPriceComes,
  },
  fractions: { ...inParts, decimals: 9 },
  amounts: inParts,
  extendedHours: { types: ['limit'], timesInForce: ['day', 'gtc'] },
  ticks: usTicks,
};

/** The fields of an order that these terms are about. */
export interface TermFields {
  readonly qty?: string | undefined;
  readonly notional?: string | undefined;
  readonly type: OrderType;
  readonly time_in_force: TimeInForce;
  readonly extended_hours: boolean;
  readonly limit_price?: string | undefined;
  readonly stop_price?: string | undefined;
  readonly trail_price?: string | undefined;
  /** The order's bound at the broker is counted from it. */
  readonly reference_price?: string | undefined;
}

/**
 * Checks type, time in force, fractions, sessions and ticks against what is taken.
 * @throws {TradeAgentError} `invalid_order`, naming the field and what to write instead
 */
export function checkTerms(order: TermFields, terms: OrderTerms): void {
  const { qty, notional } = order;
  checkTicks(order, terms.ticks);
  if (notional !== undefined) checkParts(order, terms.amounts);
  else if (qty !== undefined && !new Dec(qty).isInteger()) {
    checkParts(order, terms.fractions);
    checkDecimals(qty, terms.fractions.decimals);
  }
  if (order.extended_hours) checkExtendedHours(order, terms.extendedHours);
  checkTimeInForce(order, terms.timesInForce);
}

function checkParts({ type, time_in_force, notional }: TermFields, { types, timesInForce }: Taken): void {
  const field = notional === undefined ? 'qty' : 'notional';
  if (types.length === 0 || timesInForce.length === 0) {
    throw orderProblem(
      field === 'qty' ? 'orders take whole shares here' : 'orders take no amount in dollars here',
      'Use a whole number of shares.',
      field,
    );
  }
  if (!timesInForce.includes(time_in_force)) {
    throw orderProblem(
      `a fractional order must have time_in_force ${either(timesInForce)}`,
      `Use whole shares for ${time_in_force}.`,
      'time_in_force',
    );
  }
  if (!types.includes(type)) {
    throw orderProblem(`a ${type} order takes whole shares`, 'Use a whole number of shares.', 'qty');
  }
}

function checkDecimals(qty: string, most: number): void {
  if (new Dec(qty).decimalPlaces() <= most) return;
  throw orderProblem(`a quantity of ${qty} has more than ${most} decimals`, 'Round it.', 'qty');
}

function checkExtendedHours({ type, time_in_force }: TermFields, { types, timesInForce }: Taken): void {
  if (types.includes(type) && timesInForce.includes(time_in_force)) return;
  throw orderProblem(
    types.length === 0
      ? 'no order trades in extended hours here'
      : `extended hours take only ${either(types)} orders with time_in_force ${either(timesInForce)}`,
    types.length === 0
      ? 'Leave extended_hours out.'
      : `Use a ${types[0]} order, or leave extended_hours out.`,
    'extended_hours',
  );
}

function checkTimeInForce({ type, time_in_force }: TermFields, taken: OrderTerms['timesInForce']): void {
  if (taken[type].includes(time_in_force)) return;
  if (taken[type].length === 0) {
    const others = orderTypes.filter((other) => taken[other].length > 0);
    throw orderProblem(`a ${type} order is not taken here`, `Use type ${either(others)}.`, 'type');
  }
  throw orderProblem(
    `a ${type} order takes time_in_force ${either(taken[type])}, not ${time_in_force}`,
    `Use time_in_force ${either(taken[type])}.`,
    'time_in_force',
  );
}

function checkTicks(order: TermFields, ticks: readonly Tick[]): void {
  for (const field of priceFields) {
    const value = order[field];
    if (value === undefined || isOnTick(value, ticks)) continue;
    throw orderProblem(
      `${field} ${value} is off the tick`,
      `${inWords(ticks)}: ${new Dec(value).toFixed(tickDecimals(value, ticks))} would do.`,
      field,
    );
  }
}

function inWords(ticks: readonly Tick[]): string {
  const each = ticks.map(
    ({ from, decimals }) => `${decimals} decimals ${from === '0' ? 'below' : `from $${from}`}`,
  );
  return `A price takes ${each.join(', ')}`;
}

/** `day or gtc`; `day, gtc or ioc`. */
function either(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
}
