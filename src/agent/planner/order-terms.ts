import type { OrderRequestInput, OrderType, TimeInForce } from '../../trading/order.ts';
import { parseLeg, type SentenceTerms, withLegs } from './leg-terms.ts';
import { NotUnderstoodError, truncateWord, type WordReader } from './words.ts';

const conditionsHint =
  'To wait for a price, use a limit ("buy 5 AAPL limit 180 gtc"), or let the gateway watch the price: "sell 5 NVDA if it falls below 100".';
export const orderExamples = 'For example: buy 5 AAPL limit 180 gtc; buy $500 of MSFT; sell half my NVDA.';

const gtcPhrases = ['good till', "good 'til", 'good til', 'good until', 'valid until', 'till', 'until']
  .flatMap((start) => ['cancelled', 'canceled', 'cancel', 'i cancel', 'i cancel it'].map((end) => `${start} ${end}`))
  .flatMap((phrase) => (phrase.startsWith('good ') ? [phrase, phrase.replaceAll(' ', '-')] : [phrase]))
  .sort((one, two) => two.length - one.length);

export const timeInForceWords: readonly (readonly [TimeInForce, ...string[]])[] = [
  ['gtc', 'gtc', 'g.t.c', ...gtcPhrases],
  ['day', 'day', 'good for the day', 'good for day', 'for the day', 'day only'],
  ['ioc', 'ioc', 'immediate or cancel', 'immediate-or-cancel'],
  ['fok', 'fok', 'fill or kill', 'fill-or-kill'],
  ['opg', 'opg', 'at the open', 'on the open', 'market on open'],
  ['cls', 'cls', 'at the close', 'on the close'],
];

export function takeTimeInForce(words: WordReader): TimeInForce | undefined {
  return timeInForceWords.find(([, ...phrases]) => words.takeAny(...phrases))?.[0];
}

/** Words that are ignored. Any other unread word makes the planner refuse the order. */
const fillers = 'please|order|with|a share|per share|a|an|as|each|right now|now|or better'.split('|');

/**
 * Words for price bounds, by side. After a phrase in `each`, the price is per share. After a phrase in `either`, the
 * price may be for all shares together, unless "a share" follows.
 */
const bounds = {
  buy: {
    each: ['at no more than', 'at max'],
    either: ['for no more than', 'for at most', 'no more than', 'at most', 'max', 'for max'],
    after: ['or less', 'or lower', 'or below', 'or cheaper'],
  },
  sell: {
    each: ['at no less than', 'at min'],
    either: ['for no less than', 'for at least', 'no less than', 'at least', 'min', 'for min'],
    after: ['or more', 'or higher', 'or above'],
  },
} as const;
const eachShare = ['a share', 'per share', 'each', 'apiece'] as const;

/** Terms of an order. If `mayBeTotal` is true, the limit may be the price of all shares together. */
export interface ParsedTerms {
  readonly terms: Partial<OrderRequestInput>;
  readonly mayBeTotal?: true;
}

export function parseTerms(words: WordReader, side: 'buy' | 'sell', given: SentenceTerms = {}): ParsedTerms {
  const terms: SentenceTerms = { ...given };
  while (!words.done) {
    for (const [field, value] of Object.entries(readTerm(words, side))) {
      if (field in terms) {
        throw new NotUnderstoodError(
          `The order has two values for ${field.replaceAll('_', ' ')}.`,
          'Give it only once.',
          'invalid_order',
        );
      }
      terms[field] = value;
    }
  }
  const { market, stop_limit, limit, may_be_total, ...said } = terms;
  const order = withLegs(side, said);
  const type = order.order_class === 'oco' ? 'limit' : toOrderType(order, market === true, stop_limit === true);
  if (limit === true && type !== 'limit') {
    throw type === 'market' ? missingError('limit price') : contradictionError();
  }
  return { terms: { ...order, type }, ...(may_be_total === true ? { mayBeTotal: true } : {}) };
}

function readTerm(words: WordReader, side: 'buy' | 'sell'): SentenceTerms {
  const time_in_force = takeTimeInForce(words);
  if (time_in_force !== undefined) return { time_in_force };
  if (words.takeAny(...bounds[side].each)) return { limit_price: words.price('limit price') };
  if (words.takeAny(...bounds[side].either)) {
    const limit_price = words.price('limit price');
    return words.takeAny(...eachShare) ? { limit_price } : { limit_price, may_be_total: true };
  }
  const exit = parseLeg(words, side);
  if (exit !== undefined) return exit;
  if (words.takeAny(...fillers, ...bounds[side].after)) return {};
  const read = openings.find(([, phrases]) => words.takeAny(...phrases))?.[0];
  if (read !== undefined) return read(words);
  if (words.peek().toLowerCase() === 'for' && isEach(words)) {
    words.next();
    return { limit_price: words.price('limit price') };
  }
  if (words.take('for') && words.money() !== undefined) {
    throw new NotUnderstoodError(
      'The order has both a quantity and an amount.',
      'Give either a number of shares or an amount in dollars. Give a price per share as "limit 180".',
      'invalid_order',
    );
  }
  const word = words.peek() === '' ? 'for' : words.peek();
  throw new NotUnderstoodError(
    `I don't understand "${truncateWord(word)}" in this order, so I haven't done anything.`,
    /^(if|when|once|unless|until)$/i.test(word) ? conditionsHint : orderExamples,
  );
}

/** Functions that parse a term, in the order in which they are tried, each with the words that start such a term. */
const openings: readonly (readonly [(words: WordReader) => SentenceTerms, readonly string[]])[] = [
  [
    () => ({ market: true }),
    'at market price|at the market price|at market|at the market|at mkt|market price|market|mkt'.split('|'),
  ],
  [
    () => ({ extended_hours: true }),
    ['extended hours', 'in extended hours', 'during extended hours', 'extended-hours'],
  ],
  [readStopLimit, ['stop limit', 'stop-limit']],
  [readTrail, ['trailing', 'trail']],
  [readStop, ['stop loss', 'stop-loss', 'stop', 'stp']],
  [readLimit, ['at a limit of', 'at limit', 'limit', 'lmt', 'at', '@']],
];

function readStop(words: WordReader): SentenceTerms {
  words.takeAny('at', '@', 'price', 'of');
  return { stop_price: words.price('stop price') };
}

function readLimit(words: WordReader): SentenceTerms {
  words.takeAny('order at', 'price of', 'price at', 'price', 'at', '@', 'of');
  return { limit_price: words.price('limit price') };
}

/** Returns whether "for 180 a share" comes next. */
function isEach(words: WordReader): boolean {
  const at = /^(dollars|usd|bucks)$/i.test(words.peek(2)) ? 3 : 2;
  const [first, second] = [words.peek(at).toLowerCase(), words.peek(at + 1).toLowerCase()];
  return /^\$?\d/.test(words.peek(1)) && (first === 'each' || (/^(a|per)$/.test(first) && second === 'share'));
}

function readStopLimit(words: WordReader): SentenceTerms {
  words.take('order');
  if (!/^\$?\d/.test(words.peek())) return { stop_limit: true };
  const stop_price = words.price('stop price');
  words.takeAny('limit', 'lmt', '/');
  return { stop_limit: true, stop_price, limit_price: words.price('limit price') };
}

function readTrail(words: WordReader): SentenceTerms {
  words.takeAny('stop loss', 'stop');
  words.takeAny('of', 'by', 'at');
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(words.peek())?.[1];
  const dollars = percent === undefined ? words.money() : undefined;
  const number = percent ?? dollars ?? words.quantity();
  if (percent !== undefined) words.next();
  else if (number === undefined || (dollars === undefined && !words.takeAny('percent', '%'))) {
    throw new NotUnderstoodError(
      'Is the trail in percent or in dollars?',
      'Say "trailing stop 5%" or "trailing stop $5".',
    );
  }
  words.take('stop');
  return dollars === undefined ? { trail_percent: number as string } : { trail_price: dollars };
}

function toOrderType(terms: Record<string, unknown>, market: boolean, stopLimit: boolean): OrderType {
  const limit = 'limit_price' in terms;
  const stop = 'stop_price' in terms;
  const trail = 'trail_percent' in terms || 'trail_price' in terms;
  if ((market && (limit || stop || trail || stopLimit)) || (trail && (limit || stop || stopLimit))) {
    throw contradictionError();
  }
  if (stopLimit && !(limit && stop)) {
    throw new NotUnderstoodError('A stop limit order needs both prices.', 'Say "stop 200 limit 199".', 'invalid_order');
  }
  if (trail) return 'trailing_stop';
  if (stop) return limit ? 'stop_limit' : 'stop';
  return limit ? 'limit' : 'market';
}

function contradictionError(): NotUnderstoodError {
  return new NotUnderstoodError(
    'These terms contradict each other.',
    'Choose one of: market, limit PRICE, stop PRICE, stop PRICE limit PRICE, trailing stop 5%.',
    'invalid_order',
  );
}

function missingError(what: string): NotUnderstoodError {
  return new NotUnderstoodError(`The ${what} is missing.`, 'Give it in dollars per share, as in "limit 180".');
}
