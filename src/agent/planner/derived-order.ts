import { z } from 'zod';
import { phrase } from '../../text/phrase.ts';
import { formatDollarAmount, formatShares } from '../../trading/amounts.ts';
import { Dec, decimalString, toPlain } from '../../trading/decimal.ts';
import { describePositionFraction, sharesForFraction } from '../../trading/portfolio/allocation.ts';
import type { Intent, OrderIntent, SwapIntent, TargetIntent } from '../reader/intent.ts';
import { NotUnderstoodError } from '../reader/refusal.ts';
import type { RelativePrice } from '../reader/relative-price.ts';

/*
 * Computes the fields of an order that its words leave to the account or the market: "half my MSFT", "double my KO", "a
 * stop 10% below the current price". The proposal's provenance repeats the computation.
 */

export const heldPortfolioSchema = z.lazy(() =>
  z.object({
    account: z.object({ cash: decimalString, equity: decimalString }).partial().optional(),
    positions: z.array(
      z.object({
        symbol: z.string(),
        qty: decimalString,
        qty_available: decimalString,
        avg_entry_price: decimalString.optional(),
      }),
    ),
  }),
);

export const priceSchema = z.lazy(() => z.object({ symbol: z.string(), bid: decimalString, last: decimalString }));
export type KnownPrice = z.output<typeof priceSchema>;

/** The input of a computation: the answer of get_portfolio, and the prices of the request's symbols. */
export interface OrderFacts {
  readonly portfolio: unknown;
  readonly prices: readonly KnownPrice[];
}

const lastOf = ({ prices }: OrderFacts, symbol: string) => prices.find((one) => one.symbol === symbol)?.last;

/** The computed fields, and the rule that computed each field. */
export interface DerivedFields {
  readonly fields: Readonly<Record<string, string>>;
  readonly rules: Readonly<Record<string, string>>;
}

type Derivable = Pick<OrderIntent, 'request' | 'fraction' | 'keep' | 'cash' | 'equity' | 'relative'>;

export const isSizedByHoldings = ({ fraction, keep, cash, equity }: Omit<Derivable, 'request'>): boolean =>
  (fraction ?? keep ?? cash ?? equity) !== undefined;

export const dependsOnCost = ({ relative = {} }: Pick<Derivable, 'relative'>): boolean =>
  Object.values(relative).some(({ from }) => from === 'cost');

export const dependsOnLast = ({ relative = {} }: Pick<Derivable, 'relative'>): boolean =>
  Object.values(relative).some(({ from }) => from === 'last');

/** @throws {NotUnderstoodError} if the account or the market lacks a needed value */
export function deriveFields(order: Derivable, facts: OrderFacts): DerivedFields {
  const fields: Record<string, string> = {};
  const rules: Record<string, string> = {};
  const size = isSizedByHoldings(order) ? derivedSize(order, facts) : undefined;
  if (size !== undefined) {
    fields[size.field] = size.value;
    rules[size.field] = size.rule;
  }
  for (const [name, distance] of Object.entries(order.relative ?? {})) {
    const symbol = String(order.request.symbol);
    fields[name] = relativePrice(symbol, distance, facts);
    rules[name] = describeDistance(distance);
  }
  return { fields, rules };
}

interface DerivedSize {
  readonly field: 'qty' | 'notional';
  readonly value: string;
  readonly rule: string;
}

const holdingsHint = phrase`Ask "what do I own" to see your positions.`;

function derivedSize(order: Derivable, { portfolio }: OrderFacts): DerivedSize {
  const held = heldPortfolioSchema.parse(portfolio);
  if ((order.cash ?? order.equity) !== undefined) return partOfMoney(order, held);
  const position = held.positions.find(({ symbol }) => symbol === order.request.symbol);
  return order.request.side === 'buy' ? addition(order, position) : partOfPosition(order, position);
}

type Held = z.output<typeof heldPortfolioSchema>;
type HeldPosition = Held['positions'][number];

function partOfMoney({ cash, equity }: Derivable, { account }: Held): DerivedSize {
  const part = cash ?? equity ?? '0';
  const whole = cash === undefined ? account?.equity : account?.cash;
  const amount = new Dec(whole ?? '0').times(part).toDecimalPlaces(2, Dec.ROUND_DOWN);
  const of = cash === undefined ? 'the value of the account' : 'the cash';
  if (amount.gt(0)) return { field: 'notional', value: toPlain(amount), rule: `${percentOf(part)} of ${of}` };
  throw new NotUnderstoodError(
    phrase`You have no cash to invest.`,
    phrase`Ask "how much cash do I have".`,
    'invalid_order',
  );
}

const percentOf = (fraction: string) => `${toPlain(new Dec(fraction).times(100))}%`;

function addition({ keep, fraction = '0', request }: Derivable, position: HeldPosition | undefined): DerivedSize {
  const owned = new Dec(position?.qty ?? '0');
  if (keep !== undefined) return topUp(String(request.symbol), owned, keep);
  const more = owned.times(fraction).toDecimalPlaces(9, Dec.ROUND_DOWN);
  if (more.gt(0)) return { field: 'qty', value: toPlain(more), rule: `${percentOf(fraction)} of the position` };
  throw new NotUnderstoodError(phrase`You hold no ${request.symbol}.`, holdingsHint, 'invalid_order');
}

function partOfPosition(
  { fraction, keep = '0', request: { symbol } }: Derivable,
  position: HeldPosition | undefined,
): DerivedSize {
  if (position === undefined || new Dec(position.qty_available).lte(0)) {
    throw new NotUnderstoodError(
      position === undefined ? phrase`You hold no ${symbol}.` : phrase`All your ${symbol} is already in open orders.`,
      holdingsHint,
      'invalid_order',
    );
  }
  if (fraction !== undefined) {
    return { field: 'qty', value: sharesForFraction(fraction, position), rule: describePositionFraction(fraction) };
  }
  const rest = new Dec(position.qty_available).minus(keep);
  if (rest.gt(0)) return { field: 'qty', value: toPlain(rest), rule: `all but ${keep}` };
  throw new NotUnderstoodError(
    phrase`You hold ${formatShares(position.qty_available)} ${symbol}, so there is nothing to sell if you keep ${keep}.`,
    holdingsHint,
    'invalid_order',
  );
}

function topUp(symbol: string, owned: Dec, target: string): DerivedSize {
  const missing = new Dec(target).minus(owned);
  if (missing.gt(0)) return { field: 'qty', value: toPlain(missing), rule: `up to ${target} in the position` };
  throw new NotUnderstoodError(
    phrase`You hold ${formatShares(toPlain(owned))} ${symbol}, so there is nothing to buy up to ${formatShares(target)}.`,
    holdingsHint,
    'invalid_order',
  );
}

/** Returns the price, rounded to cents (prices below a dollar: hundredths of a cent). @throws {NotUnderstoodError} */
function relativePrice(symbol: string, { by, unit, side, from }: RelativePrice, facts: OrderFacts): string {
  const { portfolio } = facts;
  const position =
    from === 'cost' ? heldPortfolioSchema.parse(portfolio).positions.find((one) => one.symbol === symbol) : undefined;
  const base = from === 'cost' ? position?.avg_entry_price : lastOf(facts, symbol);
  if (base === undefined || new Dec(base).lte(0)) {
    if (from === 'cost') throw new NotUnderstoodError(phrase`You hold no ${symbol}.`, holdingsHint, 'invalid_order');
    throw unknownPrice(symbol);
  }
  const offset = unit === 'percent' ? new Dec(base).times(by).div(100) : new Dec(by);
  const price = side === 'below' ? new Dec(base).minus(offset) : new Dec(base).plus(offset);
  if (price.gt(0)) return toPlain(price.toDecimalPlaces(price.lt(1) ? 4 : 2, Dec.ROUND_HALF_UP));
  throw new NotUnderstoodError(
    phrase`That distance leaves no price above zero.`,
    phrase`Give the price in dollars, as in "sell 5 AAPL stop 170".`,
    'invalid_order',
  );
}

const unknownPrice = (symbol: string) =>
  new NotUnderstoodError(
    phrase`I don't know the current price of ${symbol}.`,
    phrase`Give the price in dollars, as in "sell 5 AAPL stop 170".`,
    'invalid_order',
  );

function describeDistance({ by, unit, side, from }: RelativePrice): string {
  const distance = unit === 'percent' ? `${by}%` : `$${by}`;
  return `${distance} ${side} ${from === 'cost' ? 'your average cost' : 'the price when you asked'}`;
}

/** The order that brings a position to a part of the account's value, or to a value in dollars. */
export interface DerivedOrder {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly derived: DerivedFields;
}

/** @throws {NotUnderstoodError} if there is nothing to trade, or the person named the opposite side */
export function deriveTarget(intent: TargetIntent, facts: OrderFacts): DerivedOrder {
  const { symbol, to, side } = intent;
  const held = heldPortfolioSchema.parse(facts.portfolio);
  if ('cash' in to) return cashTarget(symbol, side, new Dec(to.cash), new Dec(held.account?.cash ?? '0'));
  const last = lastOf(facts, symbol);
  if (last === undefined || new Dec(last).lte(0)) throw unknownPrice(symbol);
  return 'budget' in to ? wholeShares(symbol, to.budget, last) : positionTarget({ symbol, to, side }, held, last);
}

interface PositionTarget {
  readonly symbol: string;
  readonly to: Exclude<TargetIntent['to'], { cash: string } | { budget: string }>;
  readonly side: TargetIntent['side'] | undefined;
}

function positionTarget(
  { symbol, to, side }: PositionTarget,
  { account, positions }: Held,
  last: string,
): DerivedOrder {
  const position = positions.find((one) => one.symbol === symbol);
  const owned = new Dec(position?.qty ?? '0');
  const value = owned.times(last);
  const target = 'value' in to ? new Dec(to.value) : new Dec(account?.equity ?? '0').times(to.weight);
  const gap = target.minus(value);
  const wanted = gap.lt(0) ? 'sell' : 'buy';
  if (side !== undefined && side !== wanted) throw reachedError(symbol, side, value, target);
  // Whole shares stay whole. A sale is rounded up, because its target is a maximum; a purchase is rounded down.
  const decimals = owned.isInteger() ? 0 : 9;
  const count = gap
    .abs()
    .div(last)
    .toDecimalPlaces(decimals, wanted === 'sell' ? Dec.ROUND_UP : Dec.ROUND_DOWN);
  const qty = wanted === 'sell' ? Dec.min(count, position?.qty_available ?? '0') : count;
  if (qty.lte(0)) {
    throw new NotUnderstoodError(
      phrase`Your ${symbol} is worth ${formatDollarAmount(value.toFixed(2))}, less than a share away from that, so there is nothing to trade.`,
      holdingsHint,
      'invalid_order',
    );
  }
  const whole = 'value' in to ? `$${to.value}` : `${percentOf(to.weight)} of the account`;
  return { symbol, side: wanted, derived: { fields: { qty: toPlain(qty) }, rules: { qty: `a position of ${whole}` } } };
}

/** Returns the order that brings the cash to an amount. */
function cashTarget(symbol: string, side: TargetIntent['side'], goal: Dec, cash: Dec): DerivedOrder {
  const gap = goal.minus(cash);
  const wanted = gap.gt(0) ? 'sell' : 'buy';
  const notional = gap.abs().toDecimalPlaces(2, Dec.ROUND_DOWN);
  if (notional.gt(0) && wanted === side)
    return {
      symbol,
      side,
      derived: { fields: { notional: toPlain(notional) }, rules: { notional: `cash of $${toPlain(goal)}` } },
    };
  const [now, wish] = [cash, goal].map((amount) => formatDollarAmount(amount.toFixed(2)));
  throw new NotUnderstoodError(
    side === 'sell'
      ? phrase`Your cash is ${now}, at least ${wish} already, so there is nothing to sell.`
      : phrase`Your cash is ${now}, at most ${wish} already, so there is nothing to buy.`,
    phrase`Ask "how much cash do I have".`,
    'invalid_order',
  );
}

function wholeShares(symbol: string, budget: string, last: string): DerivedOrder {
  const qty = new Dec(budget).div(last).toDecimalPlaces(0, Dec.ROUND_DOWN);
  if (qty.gt(0))
    return {
      symbol,
      side: 'buy',
      derived: { fields: { qty: toPlain(qty) }, rules: { qty: `whole shares for $${budget}` } },
    };
  throw new NotUnderstoodError(
    phrase`${formatDollarAmount(budget)} is less than the price of a share of ${symbol}.`,
    phrase`Give an amount in dollars, as in "buy $100 of ${symbol}".`,
    'invalid_order',
  );
}

function reachedError(symbol: string, side: 'buy' | 'sell', value: Dec, target: Dec): NotUnderstoodError {
  const [now, goal] = [value, target].map((amount) => formatDollarAmount(amount.toFixed(2)));
  return new NotUnderstoodError(
    side === 'sell'
      ? phrase`Your ${symbol} is worth ${now}, at most ${goal} already, so there is nothing to sell.`
      : phrase`Your ${symbol} is worth ${now}, at least ${goal} already, so there is nothing to buy.`,
    holdingsHint,
    'invalid_order',
  );
}

/** Returns a swap's two orders: the sale, and a purchase for the sale's expected proceeds at the bid. */
export function saleAndPurchase(
  { sale, symbol }: SwapIntent,
  facts: OrderFacts,
): readonly [DerivedOrder, DerivedOrder] {
  const sold = String(sale.request.symbol);
  const own = deriveFields(sale, facts);
  const qty = own.fields.qty ?? sale.request.qty;
  const price = facts.prices.find((one) => one.symbol === sold);
  const bid =
    price === undefined ? undefined : new Dec(price.bid).gt(0) ? Dec.min(price.bid, price.last) : new Dec(price.last);
  if (sale.request.notional === undefined && (bid === undefined || bid.lte(0))) throw unknownPrice(sold);
  const notional =
    sale.request.notional ?? toPlain(new Dec(qty ?? '0').times(bid ?? '0').toDecimalPlaces(2, Dec.ROUND_DOWN));
  return [
    { symbol: sold, side: 'sell', derived: own },
    {
      symbol,
      side: 'buy',
      derived: { fields: { notional }, rules: { notional: `the proceeds of the ${sold} at its bid` } },
    },
  ];
}

/** Returns the orders whose fields are computed from the account and the market. @throws {NotUnderstoodError} */
export function deriveOrders(intent: Intent, facts: OrderFacts): readonly DerivedOrder[] {
  switch (intent.kind) {
    case 'order': {
      const { symbol, side } = intent.request;
      return [{ symbol: String(symbol), side, derived: deriveFields(intent, facts) }];
    }
    case 'target':
      return [deriveTarget(intent, facts)];
    case 'swap':
      return saleAndPurchase(intent, facts);
    default:
      return [];
  }
}
