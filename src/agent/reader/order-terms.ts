import { phrase } from '../../text/phrase.ts';
import { type OrderType, orderTypes } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import type { RelativePrice } from './relative-price.ts';
import type { Mention, PriceRole } from './slots.ts';

export type Side = 'buy' | 'sell';
type Fields = Record<string, string | boolean>;

export const sideWords = { buy: phrase`buy`, sell: phrase`sell` };
export const saleExamples = phrase`For example: sell 5 AAPL limit 180 gtc; buy $500 of MSFT; sell half my NVDA.`;
export const orderExamples = phrase`For example: buy 5 AAPL limit 180 gtc; buy $500 of MSFT; sell half my NVDA.`;
const conditionsHint = phrase`To wait for a price, use a limit ("buy 5 AAPL limit 180 gtc"), or let the gateway watch the price: "sell 5 NVDA if it falls below 100".`;

/** The terms of one order. If `mayBeTotal` is true, the limit may be the price of all shares together. */
export interface OrderTerms {
  readonly fields: Fields;
  /** Prices that are given as a distance from another price, by field. */
  readonly relative: Readonly<Record<string, RelativePrice>>;
  readonly mayBeTotal: boolean;
  /** An amount in dollars after "for". It is the order's size if no other size is given. */
  readonly notional: string | undefined;
}

/**
 * Converts the mentions of one order's terms to its fields. @throws {NotUnderstoodError} if they contradict each other
 */
export function readTerms(mentions: readonly Mention[], side: Side, isProtection: boolean): OrderTerms {
  const read = new TermReader(side, isProtection);
  mentions.forEach((mention, at) => {
    read.add(mention, mentions[at - 1], mentions[at + 1]?.kind === 'each');
  });
  const { types, either, mayBeTotal, notional } = read;
  const typed = withType(withLegs(side, read.fields, types, either), types);
  const fields: Fields = {};
  const relative: Record<string, RelativePrice> = {};
  for (const [name, value] of Object.entries(typed)) {
    const distance = read.relative.get(value);
    if (distance === undefined) fields[name] = value;
    else relative[name] = distance;
  }
  return { fields, relative, mayBeTotal, notional };
}

class TermReader {
  readonly fields: Fields = {};
  /** The distances that stand for prices, by the placeholder text in the fields. */
  readonly relative = new Map<string | boolean, RelativePrice>();
  readonly types = new Set<string>();
  mayBeTotal = false;
  notional: string | undefined;
  either = false;
  readonly #side: Side;
  readonly #isProtection: boolean;

  constructor(side: Side, isProtection: boolean) {
    this.#side = side;
    this.#isProtection = isProtection;
  }

  add(mention: Mention, before: Mention | undefined, isEach: boolean): void {
    switch (mention.kind) {
      case 'price':
        this.#addPrice(mention, before, isEach);
        break;
      case 'trail':
        if (this.#side === 'buy' && /^with\b/i.test(mention.text)) throw trailingExitError();
        this.#set(mention.field, mention.value);
        break;
      case 'type':
        this.types.add(mention.type);
        break;
      case 'time':
        if (this.fields.time_in_force !== mention.time) this.#set('time_in_force', mention.time);
        break;
      case 'extended':
        this.#set('extended_hours', true);
        break;
      case 'bound':
        requireBound(mention, this.#side, 'limit_price' in this.fields);
        break;
      case 'link':
        if (mention.link === 'or' && this.#side === 'buy') throw unreadError('or');
        this.either ||= mention.link === 'or';
        break;
      default:
    }
  }

  #addPrice(mention: PriceMention, before: Mention | undefined, isEach: boolean): void {
    const { role, value, perShare } = mention;
    const isLegLimit =
      role === 'limit' && this.#side === 'buy' && before?.kind === 'price' && before.role === 'stop_loss';
    // "stop at 455, but never sell below 450"
    const isStopLimit = role === 'least' && this.#side === 'sell' && 'stop_price' in this.fields;
    const field = isLegLimit
      ? 'stop_loss_limit_price'
      : isStopLimit
        ? 'limit_price'
        : priceField(mention, this.#side, this.#isStop());
    if (field === undefined) throw unreadError(mention.text);
    if (mention.relative !== undefined) {
      this.#addRelative(field, mention, mention.relative);
      return;
    }
    if (field === 'notional') this.notional = value;
    else this.#set(field, value);
    if ((role === 'most' || role === 'least') && !perShare && !isEach) this.mayBeTotal = true;
  }

  #addRelative(field: string, { role, text }: PriceMention, distance: RelativePrice): void {
    const from = distance.from ?? (this.#side === 'buy' ? 'last' : undefined);
    if (from === undefined) throw unknownBaseError(text);
    if (this.#side === 'buy' && from === 'cost') throw unreadError(text);
    const isStop = field.includes('stop');
    // A sale below the price is a stop; "sell at 5% below" may also be a limit.
    if (this.#side === 'sell' && isStop !== (distance.side === 'below')) throw belowError(text);
    const place = `${field} ${text}`;
    this.relative.set(place, { ...distance, from });
    this.#set(field, place);
    // The words of a condition set no end.
    if (role === 'falls_by' || role === 'rises_by') this.fields.time_in_force ??= 'gtc';
  }

  /** Returns whether a bare price is a stop price: "put a stop on my AAPL at 200". */
  #isStop(): boolean {
    return this.#isProtection || (this.types.has('stop') && (this.#side === 'sell' || !this.types.has('limit')));
  }

  #set(name: string, value: string | boolean): void {
    if (name in this.fields) {
      throw new NotUnderstoodError(
        phrase`The order has two values for ${name.replaceAll('_', ' ')}.`,
        phrase`Give it only once.`,
        'invalid_order',
      );
    }
    this.fields[name] = value;
  }
}

type PriceMention = Mention & { kind: 'price' };

const buyFields: Partial<Record<PriceRole, string>> = {
  limit: 'limit_price',
  at: 'limit_price',
  most: 'limit_price',
  below: 'limit_price',
  stop: 'stop_price',
  stop_loss: 'stop_loss_stop_price',
  profit: 'take_profit_limit_price',
  falls_by: 'limit_price',
  rises_by: 'stop_price',
};
const sellFields: Partial<Record<PriceRole, string>> = {
  limit: 'limit_price',
  at: 'limit_price',
  least: 'limit_price',
  above: 'limit_price',
  stop: 'stop_price',
  stop_loss: 'stop_price',
  profit: 'take_profit_limit_price',
  falls_by: 'stop_price',
  rises_by: 'limit_price',
};
/** For an order that protects a position: the order's field for each role of a price. */
const stopFields: Partial<Record<PriceRole, string | undefined>> = {
  ...sellFields,
  at: 'stop_price',
  to: 'stop_price',
  most: 'stop_price',
  below: 'stop_price',
  least: undefined,
  above: undefined,
};

/** Returns the field for a price. Returns undefined if the order can't have such a price: "buy 5 AAPL above 180". */
function priceField(
  { role, text, perShare, isDollars }: PriceMention,
  side: Side,
  isStop: boolean,
): string | undefined {
  if (role === 'for') return perShare ? 'limit_price' : isDollars ? 'notional' : undefined;
  // In a purchase, "with a stop at 170" is an exit; "stop 170" is the order's own stop.
  if (role === 'stop' && side === 'buy' && /^with\b/i.test(text)) return 'stop_loss_stop_price';
  if (side === 'buy') return isStop && role === 'at' ? 'stop_price' : buyFields[role];
  return (isStop ? stopFields : sellFields)[role];
}

function unknownBaseError(text: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`"${truncateWord(text)}" of which price: the current one, or the one that you paid?`,
    phrase`Say "stop loss 10% below the current price on my AAPL", or "stop loss 10% below my cost on my AAPL".`,
  );
}

function belowError(text: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`I don't understand "${truncateWord(text)}" in this request, so I haven't done anything.`,
    phrase`A stop sells below the price ("sell 5 AAPL stop 10% below the current price"), and a limit sells above it ("sell 5 AAPL limit 240").`,
  );
}

export function unreadError(word: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`I don't understand "${truncateWord(word)}" in this request, so I haven't done anything.`,
    /^(?:if|when|once|unless|until)\b/i.test(word) ? conditionsHint : orderExamples,
  );
}

function requireBound({ bound, text }: Mention & { kind: 'bound' }, side: Side, isLimited: boolean): void {
  const fits = /better/i.test(text) || (bound === 'less') === (side === 'buy');
  if (!fits || !isLimited) throw unreadError(text);
}

/** Adds the order type that the prices imply. @throws {NotUnderstoodError} if the words name another type */
function withType(fields: Fields, types: ReadonlySet<string>): Fields {
  const has = (...names: string[]) => names.some((name) => name in fields);
  const [limit, stop, trail] = [has('limit_price'), has('stop_price'), has('trail_percent', 'trail_price')];
  const isStopLimit = types.has('stop_with_limit');
  if ((types.has('market') && (limit || stop || trail || isStopLimit)) || (trail && (limit || stop || isStopLimit)))
    throw contradictionError();
  if (isStopLimit && !(limit && stop)) {
    throw new NotUnderstoodError(
      phrase`A stop limit order needs both prices.`,
      phrase`Say "stop 200 limit 199".`,
      'invalid_order',
    );
  }
  const named = orderTypes.find((one) => types.has(one) && !['market', 'limit', 'stop'].includes(one));
  const type = fields.order_class === 'oco' ? 'limit' : (named ?? (trail ? 'trailing_stop' : plainType(limit, stop)));
  requireNamedPrices(types, type, trail, stop || has('stop_loss_stop_price'));
  return { ...fields, type };
}

const plainType = (limit: boolean, stop: boolean): OrderType =>
  stop ? (limit ? 'stop_limit' : 'stop') : limit ? 'limit' : 'market';

/** Requires each price that the named order types need. @throws {NotUnderstoodError} */
function requireNamedPrices(types: ReadonlySet<string>, type: OrderType, trail: boolean, stop: boolean): void {
  if (types.has('trailing') && !trail) {
    throw new NotUnderstoodError(
      phrase`Is the trail in percent or in dollars?`,
      phrase`Say "trailing stop 5%" or "trailing stop $5".`,
    );
  }
  if (types.has('limit') && !type.endsWith('limit'))
    throw type === 'market' ? missingPrice('limit') : contradictionError();
  if ((types.has('stop') || types.has('stop_loss')) && !stop && !trail) throw missingPrice('stop');
}

function trailingExitError(): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`A purchase can’t have a trailing stop as its exit.`,
    phrase`Buy first; then say "protect my AAPL with a 5% trailing stop". To buy with a trailing stop order, say "buy 5 AAPL trailing stop 5%".`,
    'invalid_order',
  );
}

function missingPrice(what: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`The ${what} price is missing. What is it, in dollars per share?`,
    phrase`Give it in dollars per share, as in "${what} 180".`,
    'usage',
    undefined,
    what as 'limit' | 'stop',
  );
}

function contradictionError(): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`These terms contradict each other.`,
    phrase`Choose one of: market, limit PRICE, stop PRICE, stop PRICE limit PRICE, trailing stop 5%.`,
    'invalid_order',
  );
}

/*
 * Adds legs: "buy 5 AAPL with a stop at 170 and take profit at 200", "sell 5 AAPL at 200 or stop 170". In a purchase, a
 * stop loss is a leg. In a sale, it is the order's own stop, unless the sentence also has a take profit.
 */
function withLegs(side: Side, fields: Fields, types: ReadonlySet<string>, either: boolean): Fields {
  const found = side === 'buy' ? entryLegs(fields) : positionLegs(fields, either);
  const named = ['bracket', 'oco', 'oto'].find((name) => types.has(name));
  if (named === undefined || found.order_class === named) return found;
  throw new NotUnderstoodError(
    named === 'oco'
      ? phrase`An OCO order sells what you hold, at a take profit or at a stop.`
      : named === 'bracket'
        ? phrase`A bracket order buys, with a take profit and a stop loss.`
        : phrase`An OTO order buys, with a take profit or a stop loss.`,
    phrase`For example: buy 5 AAPL limit 180 take profit 200 stop loss 170; sell 5 AAPL at 200 or stop 170.`,
    'invalid_order',
  );
}

function entryLegs(fields: Fields): Fields {
  const { take_profit_limit_price: profit, stop_loss_stop_price: loss, stop_price, ...entry } = fields;
  if (profit === undefined && loss === undefined) return fields;
  if (loss !== undefined && stop_price !== undefined) {
    throw new NotUnderstoodError(phrase`The order has two stops.`, phrase`Give only one stop loss.`, 'invalid_order');
  }
  // In an order with a take profit, the stop is always a leg.
  const stop = loss ?? stop_price;
  return {
    ...entry,
    ...defined({ take_profit_limit_price: profit, stop_loss_stop_price: stop }),
    order_class: profit === undefined || stop === undefined ? 'oto' : 'bracket',
  };
}

function positionLegs(fields: Fields, either: boolean): Fields {
  const { take_profit_limit_price: named, limit_price, stop_price, ...rest } = fields;
  if (named === undefined && !either) return fields;
  const profit = named ?? limit_price;
  // A sale with a take profit but no stop is an ordinary limit order.
  if (stop_price === undefined && named !== undefined && limit_price === undefined && !either) {
    return { ...rest, limit_price: named };
  }
  if (profit === undefined || stop_price === undefined) {
    throw new NotUnderstoodError(
      phrase`One of the order’s two prices is missing.`,
      phrase`Say "sell 5 AAPL at 200 or stop 170".`,
      'invalid_order',
    );
  }
  return {
    ...rest,
    order_class: 'oco',
    take_profit_limit_price: profit,
    stop_loss_stop_price: stop_price,
    ...defined({ stop_loss_limit_price: named === undefined ? undefined : limit_price }),
  };
}
