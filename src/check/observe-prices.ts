import { percent, sharePrice, signedPercent } from '../trading/amounts.ts';
import { Dec } from '../trading/decimal.ts';
import { describeOrder } from '../trading/order.ts';
import { priceFigures } from '../trading/portfolio/price-history.ts';
import { Rate } from '../trading/portfolio/value-point.ts';
import type { Position } from '../trading/views.ts';
import { ageText } from './age-text.ts';
import {
  type Blind,
  level,
  type Observation,
  type Observed,
  pointsBack,
  priceBack,
  yesNo,
} from './observation.ts';
import type { RuleOf } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

type PriceRule = RuleOf<'price' | 'move' | 'order' | 'stale'>;

/** The symbols a rule needs a price of. */
export function symbolsOf(rule: PriceRule, held: readonly string[]): readonly string[] {
  if (rule.kind === 'stale') return held;
  if (rule.kind === 'move') return rule.symbols === 'held' ? held : rule.symbols;
  return [rule.symbol];
}

/** What the rules about prices see. */
export function observePrices(rule: PriceRule, snapshot: Snapshot): Observed {
  const observations: Observation[] = [];
  const blind: Blind[] = [];
  const held = new Map(snapshot.positions.map((position) => [position.symbol, position]));
  for (const symbol of symbolsOf(rule, [...held.keys()])) {
    const seen = observeSymbol(rule, symbol, held.get(symbol), snapshot);
    if ('code' in seen) blind.push(seen);
    else observations.push(seen);
  }
  return { observations, blind };
}

function observeSymbol(
  rule: PriceRule,
  symbol: string,
  position: Position | undefined,
  snapshot: Snapshot,
): Observation | Blind {
  const quote = snapshot.quotes.get(symbol);
  if (rule.kind === 'stale') {
    if (quote === undefined) return noPrice(rule, symbol, snapshot);
    const age = snapshot.now - Date.parse(quote.at);
    return {
      rule,
      subject: symbol,
      state: yesNo(age > rule.older_than),
      say: () => ({
        facts: { symbol, age: ageText(age), at: quote.at },
        text: `the price of ${symbol} is ${ageText(age)} old`,
      }),
    };
  }
  const last = quote?.last ?? position?.current_price;
  if (last === undefined || new Dec(last).lte(0)) return noPrice(rule, symbol, snapshot);
  if (rule.kind === 'move') return observeMove(rule, symbol, last, position, snapshot);
  const [direction, limit] =
    rule.above === undefined ? (['below', rule.below ?? '0'] as const) : (['above', rule.above] as const);
  const facts = { symbol, price: last, limit };
  const words = () => `${symbol} is at ${sharePrice(last)}, ${direction} ${sharePrice(limit)}`;
  const back = priceBack(limit, rule.kind === 'price' ? rule.rearm : undefined);
  const state = level(new Dec(last), new Dec(limit), direction, back);
  if (rule.kind === 'price') return { rule, subject: symbol, state, say: () => ({ facts, text: words() }) };
  const order = describeOrder({ ...rule.order, symbol });
  return {
    rule,
    subject: symbol,
    state,
    say: () => ({ facts: { ...facts, order }, text: `${words()}: ${order}` }),
  };
}

function observeMove(
  rule: RuleOf<'move'>,
  symbol: string,
  last: string,
  position: Position | undefined,
  snapshot: Snapshot,
): Observation | Blind {
  const change = changeOf(symbol, last, rule.sessions, position, snapshot);
  if (change === undefined) {
    return {
      rule,
      subject: symbol,
      code: 'history_unavailable',
      text: `no closing price of ${symbol} from ${rule.sessions} sessions ago`,
    };
  }
  const limit = new Dec(rule.by);
  const size = rule.direction === 'either' ? change.abs() : rule.direction === 'up' ? change : change.neg();
  return {
    rule,
    subject: symbol,
    state: level(size, limit, 'above', pointsBack(limit, rule.rearm)),
    say: () => {
      const moved = signedPercent(change.toDecimalPlaces(6).toFixed());
      const since = rule.sessions === 1 ? 'since the last close' : `in ${rule.sessions} sessions`;
      return {
        facts: {
          symbol,
          change: moved,
          price: last,
          limit: percent(rule.by),
          sessions: String(rule.sessions),
        },
        text: `${symbol} moved ${moved} ${since}, to ${sharePrice(last)}`,
      };
    },
  };
}

function changeOf(
  symbol: string,
  last: string,
  sessions: number,
  position: Position | undefined,
  snapshot: Snapshot,
): Dec | undefined {
  if (sessions > 1) {
    const history = snapshot.closes.get(symbol);
    return history && priceFigures(history, new Dec(last), sessions)?.change;
  }
  const before = snapshot.quotes.get(symbol)?.previous_close ?? position?.lastday_price;
  if (before === undefined || new Dec(before).lte(0)) return undefined;
  return new Rate(last).div(before).minus(1);
}

function noPrice(rule: PriceRule, symbol: string, snapshot: Snapshot): Blind {
  const known = snapshot.noPrice.find((missing) => missing.symbol === symbol)?.code ?? 'price_unavailable';
  const text =
    known === 'unknown_symbol'
      ? `the broker knows no symbol ${symbol}`
      : `there is no price of ${symbol} now`;
  return { rule, subject: symbol, code: known, text };
}
