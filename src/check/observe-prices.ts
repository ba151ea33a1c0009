import { formatExactPercent, formatSharePrice, formatSignedPercent } from '../trading/amounts.ts';
import { abs, Dec, isPositive, ZERO } from '../trading/decimal.ts';
import { describeOrder } from '../trading/order.ts';
import { getCloseSessionsAgo } from '../trading/portfolio/price-history.ts';
import { Rate } from '../trading/portfolio/value-point.ts';
import type { Position } from '../trading/views.ts';
import { memoizePerObject } from '../values/memoize-per-object.ts';
import {
  compareQuotientWithLimits,
  compareWithLimits,
  createFractionLimits,
  createRuleLimits,
  formatAge,
  type Observation,
  type ObservedRule,
  priceRearmDistance,
  type RuleLimits,
  type UncheckedRule,
} from './observation.ts';
import type { RuleOf } from './rules-schema.ts';
import type { MissingPrice, Snapshot } from './snapshot.ts';

type PriceRule = RuleOf<'price' | 'move' | 'order' | 'stale'>;

export function ruleSymbols(rule: PriceRule, held: readonly string[]): readonly string[] {
  if (rule.kind === 'stale') return held;
  if (rule.kind === 'move') return rule.symbols === 'held' ? held : rule.symbols;
  return [rule.symbol];
}

/** Checks a price rule. Symbols that are `clear` are left out of the result, because there may be thousands. */
export function observePrices(rule: PriceRule, snapshot: Snapshot): ObservedRule {
  const observations: Observation[] = [];
  const blind: UncheckedRule[] = [];
  const { held, missing } = priceBoard(snapshot);
  const see = symbolObserver(rule, snapshot);
  for (const symbol of ruleSymbols(rule, [...held.keys()])) {
    const seen = see(symbol, held.get(symbol));
    if (seen === 'clear') continue;
    if (seen === undefined) blind.push(priceMissing(rule, symbol, missing.get(symbol)));
    else if ('code' in seen) blind.push(seen);
    else observations.push(seen);
  }
  return { observations, blind };
}

const priceBoard = memoizePerObject(({ positions, noPrice }: Snapshot) => ({
  held: new Map(positions.map((position) => [position.symbol, position])),
  missing: new Map(noPrice.map(({ symbol, code }) => [symbol, code])),
  seen: new Map<string, ObservedPrice | undefined>(),
}));

/** Checks one symbol. Returns undefined if the symbol has no price. */
type ObserveSymbol = (
  symbol: string,
  position: Position | undefined,
) => Observation | UncheckedRule | 'clear' | undefined;

function symbolObserver(rule: PriceRule, snapshot: Snapshot): ObserveSymbol {
  if (rule.kind === 'stale') return (symbol) => observeAge(rule, symbol, snapshot);
  const limitsOfRule = rule.kind === 'move' ? createMoveLimits(rule) : createPriceLimits(rule);
  return (symbol, position) => {
    const seen = observedPrice(symbol, position, snapshot);
    if (seen === undefined) return undefined;
    return rule.kind === 'move'
      ? observeMove(rule, limitsOfRule, seen, position, snapshot)
      : observePrice(rule, limitsOfRule, seen);
  };
}

function observedPrice(symbol: string, position: Position | undefined, snapshot: Snapshot): ObservedPrice | undefined {
  const { seen } = priceBoard(snapshot);
  if (seen.has(symbol)) return seen.get(symbol);
  const last = snapshot.quotes.get(symbol)?.last ?? position?.current_price;
  const price = last === undefined ? ZERO : new Dec(last);
  const found = last === undefined || !isPositive(price) ? undefined : { symbol, last, price };
  seen.set(symbol, found);
  return found;
}

interface ObservedPrice {
  readonly symbol: string;
  readonly last: string;
  readonly price: Dec;
}

function observeAge(rule: RuleOf<'stale'>, symbol: string, snapshot: Snapshot): Observation | 'clear' | undefined {
  const quote = snapshot.quotes.get(symbol);
  if (quote === undefined) return undefined;
  const age = snapshot.now - Date.parse(quote.at);
  if (age <= rule.older_than) return 'clear';
  const facts = { symbol, age: formatAge(age), at: quote.at };
  const say = () => ({ facts, text: `the price of ${symbol} is ${facts.age} old` });
  return { rule, subject: symbol, state: 'triggered', say };
}

type LimitRule = RuleOf<'price' | 'order'>;

export function directionAndLimit({ above, below }: LimitRule): readonly ['above' | 'below', string] {
  return above === undefined ? ['below', below ?? '0'] : ['above', above];
}

export function createPriceLimits(rule: LimitRule): RuleLimits {
  const [direction, limit] = directionAndLimit(rule);
  return createRuleLimits(
    new Dec(limit),
    direction,
    priceRearmDistance(limit, rule.kind === 'price' ? rule.rearm : undefined),
  );
}

function observePrice(rule: LimitRule, beyond: RuleLimits, { symbol, last, price }: ObservedPrice): Observation {
  const [direction, limit] = directionAndLimit(rule);
  const facts = { symbol, price: last, limit };
  const words = () => `${symbol} is at ${formatSharePrice(last)}, ${direction} ${formatSharePrice(limit)}`;
  const state = compareWithLimits(price, beyond);
  if (rule.kind === 'price') return { rule, subject: symbol, state, say: () => ({ facts, text: words() }) };
  const order = describeOrder({ ...rule.order, symbol });
  const say = () => ({ facts: { ...facts, order }, text: `${words()}: ${order}` });
  return { rule, subject: symbol, state, say };
}

export function createMoveLimits({ by, rearm }: RuleOf<'move'>): RuleLimits {
  return createFractionLimits(by, rearm);
}

function observeMove(
  rule: RuleOf<'move'>,
  beyond: RuleLimits,
  { symbol, last, price }: ObservedPrice,
  position: Position | undefined,
  snapshot: Snapshot,
): Observation | UncheckedRule | 'clear' {
  const before = priceBefore(symbol, rule.sessions, position, snapshot);
  if (before === undefined) {
    const text = `no closing price of ${symbol} from ${rule.sessions} sessions ago`;
    return { rule, subject: symbol, code: 'history_unavailable', text };
  }
  const moved = price.minus(before);
  const distance = rule.direction === 'either' ? abs(moved) : rule.direction === 'up' ? moved : moved.neg();
  const state = compareQuotientWithLimits(distance, before, beyond);
  if (state === 'clear') return state;
  return {
    rule,
    subject: symbol,
    state,
    say: () => {
      const change = formatSignedPercent(new Rate(moved).div(before));
      const since = rule.sessions === 1 ? 'since the last close' : `in ${rule.sessions} sessions`;
      return {
        facts: { symbol, change, price: last, limit: formatExactPercent(rule.by), sessions: String(rule.sessions) },
        text: `${symbol} moved ${change} ${since}, to ${formatSharePrice(last)}`,
      };
    },
  };
}

function priceBefore(
  symbol: string,
  sessions: number,
  position: Position | undefined,
  snapshot: Snapshot,
): Dec | undefined {
  if (sessions > 1) {
    const history = snapshot.closes.get(symbol);
    return history && getCloseSessionsAgo(history, sessions);
  }
  const close = snapshot.quotes.get(symbol)?.previous_close ?? position?.lastday_price;
  if (close === undefined) return undefined;
  const before = new Dec(close);
  return isPositive(before) ? before : undefined;
}

function priceMissing(
  rule: PriceRule,
  symbol: string,
  code: MissingPrice['code'] = 'price_unavailable',
): UncheckedRule {
  const text =
    code === 'unknown_symbol' ? `the broker does not know the symbol ${symbol}` : `there is no price for ${symbol} now`;
  return { rule, subject: symbol, code, text };
}
