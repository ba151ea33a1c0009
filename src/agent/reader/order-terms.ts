import type { OrderType } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import type { Mention } from './slots.ts';

type Side = 'buy' | 'sell';
type Fields = Record<string, string | boolean>;

export const orderExamples = 'For example: buy 5 AAPL limit 180 gtc; buy $500 of MSFT; sell half my NVDA.';
const conditionsHint =
  'To wait for a price, use a limit ("buy 5 AAPL limit 180 gtc"), or let the gateway watch the price: "sell 5 NVDA if it falls below 100".';

/** The terms of one order. If `mayBeTotal` is true, the limit may be the price of all shares together. */
export interface OrderTerms {
  readonly fields: Fields;
  readonly mayBeTotal: boolean;
  /** An amount of dollars after "for", which is the order's size if it has no other. */
  readonly notional: string | undefined;
}

/** Turns the mentions of one order's terms into its fields. @throws {NotUnderstoodError} if they contradict each other */
export function readTerms(mentions: readonly Mention[], side: Side, isProtection: boolean): OrderTerms {
  const fields: Fields = {};
  const types = new Set<string>();
  let mayBeTotal = false;
  let notional: string | undefined;
  let either = false;
  const set = (name: string, value: string | boolean) => {
    if (name in fields) {
      throw new NotUnderstoodError(
        `The order has two values for ${name.replaceAll('_', ' ')}.`,
        'Give it only once.',
        'invalid_order',
      );
    }
    fields[name] = value;
  };
  mentions.forEach((mention, at) => {
    switch (mention.kind) {
      case 'price': {
        const before = mentions[at - 1];
        const field = priceField(mention, before, side, isProtection, types);
        if (field === 'notional') notional = mention.value;
        else set(field, mention.value);
        const isBound = mention.role === 'most' || mention.role === 'least';
        const isEach = mention.perShare || mentions[at + 1]?.kind === 'each';
        if (isBound && !isEach) mayBeTotal = true;
        break;
      }
      case 'trail':
        if (side === 'buy' && /^with\b/i.test(mention.text)) throw trailingExitError();
        set(mention.field, mention.value);
        break;
      case 'type':
        types.add(mention.type);
        break;
      case 'time':
        set('time_in_force', mention.time);
        break;
      case 'extended':
        set('extended_hours', true);
        break;
      case 'bound':
        requireBound(mention, side, 'limit_price' in fields);
        break;
      case 'link':
        if (mention.link === 'or') {
          if (side === 'buy') throw unreadError('or');
          either = true;
        }
        break;
      default:
    }
  });
  return { fields: withType(withLegs(side, fields, types, either), types), mayBeTotal, notional };
}

function priceField(
  mention: Mention & { kind: 'price' },
  before: Mention | undefined,
  side: Side,
  isProtection: boolean,
  types: ReadonlySet<string>,
): string {
  const { role, text, perShare, isDollars } = mention;
  const isAfterLeg = before?.kind === 'price' && before.role === 'stoploss' && side === 'buy';
  switch (role) {
    case 'limit':
      return isAfterLeg ? 'stop_loss_limit_price' : 'limit_price';
    case 'at':
    case 'to':
      if (isProtection || (types.has('stop') && side === 'sell')) return 'stop_price';
      if (role === 'to') throw unreadError(text);
      return 'limit_price';
    case 'for':
      return perShare ? 'limit_price' : isDollars ? 'notional' : unread(text);
    case 'most':
    case 'below':
      if (side === 'buy') return 'limit_price';
      return isProtection ? 'stop_price' : unread(text);
    case 'least':
    case 'above':
      return side === 'sell' && !isProtection ? 'limit_price' : unread(text);
    case 'stop':
      return side === 'buy' && /^with\b/i.test(text) ? 'stop_loss_stop_price' : 'stop_price';
    case 'stoploss':
      return side === 'buy' ? 'stop_loss_stop_price' : 'stop_price';
    case 'profit':
      return 'take_profit_limit_price';
  }
}

const unread = (word: string): never => {
  throw unreadError(word);
};

export function unreadError(word: string): NotUnderstoodError {
  return new NotUnderstoodError(
    `I don't understand "${truncateWord(word)}" in this request, so I haven't done anything.`,
    /^(?:if|when|once|unless|until)\b/i.test(word) ? conditionsHint : orderExamples,
  );
}

function requireBound({ bound, text }: Mention & { kind: 'bound' }, side: Side, isLimited: boolean): void {
  const fits = /better/i.test(text) || (bound === 'less') === (side === 'buy');
  if (!fits || !isLimited) throw unreadError(text);
}

function withType(fields: Fields, types: ReadonlySet<string>): Fields {
  const { order_class } = fields;
  const [limit, stop] = ['limit_price' in fields, 'stop_price' in fields];
  const trail = 'trail_percent' in fields || 'trail_price' in fields;
  const isStopLimit = types.has('stoplimit');
  const isMarket = types.has('market');
  if ((isMarket && (limit || stop || trail || isStopLimit)) || (trail && (limit || stop || isStopLimit)))
    throw contradictionError();
  if (isStopLimit && !(limit && stop)) {
    throw new NotUnderstoodError('A stop limit order needs both prices.', 'Say "stop 200 limit 199".', 'invalid_order');
  }
  const type: OrderType =
    order_class === 'oco'
      ? 'limit'
      : trail
        ? 'trailing_stop'
        : stop
          ? limit
            ? 'stop_limit'
            : 'stop'
          : limit
            ? 'limit'
            : 'market';
  if (types.has('trailing') && !trail) {
    throw new NotUnderstoodError(
      'Is the trail in percent or in dollars?',
      'Say "trailing stop 5%" or "trailing stop $5".',
    );
  }
  if (types.has('limit') && !limit && order_class !== 'oco') {
    throw type === 'market' ? missingPrice('limit') : contradictionError();
  }
  const isLeg = 'stop_loss_stop_price' in fields;
  if ((types.has('stop') || types.has('stoploss')) && !stop && !trail && !isLeg) throw missingPrice('stop');
  return { ...fields, type };
}

function trailingExitError(): NotUnderstoodError {
  return new NotUnderstoodError(
    'A purchase can’t have a trailing stop as its exit.',
    'Buy first; then say "protect my AAPL with a 5% trailing stop". To buy with a trailing stop order, say "buy 5 AAPL trailing stop 5%".',
    'invalid_order',
  );
}

function missingPrice(what: string): NotUnderstoodError {
  return new NotUnderstoodError(
    `The ${what} price is missing. What is it, in dollars per share?`,
    `Give it in dollars per share, as in "${what} 180".`,
    'usage',
    undefined,
    what as 'limit' | 'stop',
  );
}

function contradictionError(): NotUnderstoodError {
  return new NotUnderstoodError(
    'These terms contradict each other.',
    'Choose one of: market, limit PRICE, stop PRICE, stop PRICE limit PRICE, trailing stop 5%.',
    'invalid_order',
  );
}

/*
 * Legs: "buy 5 AAPL with a stop at 170 and take profit at 200", "sell 5 AAPL at 200 or stop 170". In a purchase, a stop
 * loss is a leg. In a sale, it is the order's own stop, unless the sentence has a take profit too.
 */
function withLegs(side: Side, fields: Fields, types: ReadonlySet<string>, either: boolean): Fields {
  const found = side === 'buy' ? entryLegs(fields) : positionLegs(fields, either);
  const named = ['bracket', 'oco', 'oto'].find((name) => types.has(name));
  if (named === undefined || found.order_class === named) return found;
  throw new NotUnderstoodError(
    named === 'oco'
      ? 'An OCO order sells what you hold, at a take profit or at a stop.'
      : named === 'bracket'
        ? 'A bracket order buys, with a take profit and a stop loss.'
        : 'An OTO order buys, with a take profit or a stop loss.',
    'For example: buy 5 AAPL limit 180 take profit 200 stop loss 170; sell 5 AAPL at 200 or stop 170.',
    'invalid_order',
  );
}

function entryLegs(fields: Fields): Fields {
  const { take_profit_limit_price: profit, stop_loss_stop_price: loss, stop_price, ...entry } = fields;
  if (profit === undefined && loss === undefined) return fields;
  if (loss !== undefined && stop_price !== undefined) {
    throw new NotUnderstoodError('The order has two stops.', 'Give only one stop loss.', 'invalid_order');
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
      'One of the order’s two prices is missing.',
      'Say "sell 5 AAPL at 200 or stop 170".',
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
