import { Dec } from '../../trading/decimal.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import {
  checkOrder,
  type OrderRequestInput,
  type OrderType,
  orderRequestSchema,
  type TimeInForce,
} from '../../trading/order.ts';
import { NotUnderstood, shown, type Words } from './words.ts';

/** An order as a sentence says it. `fraction` of a position where it says how much of what is held. */
export interface OrderIntent {
  readonly kind: 'order';
  readonly request: OrderRequestInput;
  readonly fraction?: string;
}

const conditions =
  'A price can be waited for by the order itself ("buy 5 AAPL limit 180 gtc"), or by "trade-agent check" with a rule of kind order, which proposes it when the time has come (docs/CHECKS.md).';
const examples = 'For example: buy 5 AAPL limit 180 gtc; buy $500 of MSFT; sell half my NVDA.';

export const timeInForceWords: readonly (readonly [TimeInForce, ...string[]])[] = [
  ['gtc', 'gtc', 'good till cancelled', 'good till canceled', 'good til cancelled', 'good until cancelled'],
  ['day', 'day', 'good for the day', 'good for day'],
  ['ioc', 'ioc', 'immediate or cancel'],
  ['fok', 'fok', 'fill or kill'],
  ['opg', 'opg', 'at the open'],
  ['cls', 'cls', 'at the close'],
];

/** Words that change nothing about an order. Any other left-over word refuses it: it might have. */
const fillers = ['please', 'order', 'with', 'a', 'an', 'as', 'each', 'per share', 'now', 'or better'];

/**
 * Reads an order after its verb: amount, symbol, then terms in any order.
 * @throws {NotUnderstood} for whatever isn't wholly understood, or couldn't be an order
 */
export function readOrderSentence(words: Words, side: 'buy' | 'sell'): OrderIntent {
  if (side === 'buy') words.take('me');
  const size = readSize(words, side);
  const symbol = words.symbol();
  words.takeAny('shares', 'share', 'position', 'stock');
  const terms = readTerms(words);
  const request: OrderRequestInput = { symbol, side, ...size.amount, ...terms };
  if (size.fraction !== undefined) return { kind: 'order', request, fraction: size.fraction };
  validate(request);
  return { kind: 'order', request };
}

function readSize(
  words: Words,
  side: 'buy' | 'sell',
): { amount: Partial<OrderRequestInput>; fraction?: string } {
  const fraction = readFraction(words);
  if (fraction !== undefined) {
    if (side === 'buy') {
      throw new NotUnderstood('I can buy a number of shares or an amount in dollars, not a part.', examples);
    }
    words.take('of');
    words.takeAny('my', 'the');
    return { amount: {}, fraction };
  }
  const notional = words.money();
  if (notional !== undefined) {
    words.take('worth');
    words.take('of');
    words.take('my');
    return { amount: { notional } };
  }
  const qty = words.quantity();
  if (qty === undefined) {
    throw new NotUnderstood(
      `How much to ${side}? I miss a number of shares or an amount in dollars.`,
      examples,
    );
  }
  words.takeAny('shares', 'share');
  words.take('of');
  words.take('my');
  return { amount: { qty } };
}

function readFraction(words: Words): string | undefined {
  if (words.take('half')) return '0.5';
  if (words.take('all')) return '1';
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(words.peek())?.[1];
  if (percent === undefined) return undefined;
  words.next();
  const fraction = new Dec(percent).div(100);
  if (fraction.lte(0) || fraction.gt(1)) {
    throw new NotUnderstood(
      `${percent}% is no part of a position.`,
      'Give more than 0% and at most 100%.',
      'invalid_order',
    );
  }
  return fraction.toFixed();
}

type Terms = Record<string, string | boolean>;

function readTerms(words: Words): Partial<OrderRequestInput> {
  const terms: Terms = {};
  while (!words.done) {
    for (const [field, value] of Object.entries(readTerm(words))) {
      if (field in terms) {
        throw new NotUnderstood(
          `The order has two values for ${field.replaceAll('_', ' ')}.`,
          'Say it once.',
          'invalid_order',
        );
      }
      terms[field] = value;
    }
  }
  const { market, stop_limit, ...order } = terms;
  return { ...order, type: typeOf(order, market === true, stop_limit === true) };
}

function readTerm(words: Words): Terms {
  for (const [value, ...phrases] of timeInForceWords) {
    if (words.takeAny(...phrases)) return { time_in_force: value };
  }
  if (words.takeAny(...fillers)) return {};
  if (words.takeAny('at market', 'at the market', 'at mkt', 'market', 'mkt')) return { market: true };
  if (words.takeAny('extended hours', 'in extended hours', 'during extended hours', 'extended-hours')) {
    return { extended_hours: true };
  }
  if (words.takeAny('stop limit', 'stop-limit')) return readStopLimit(words);
  if (words.takeAny('trailing', 'trail')) return readTrail(words);
  if (words.takeAny('stop loss', 'stop-loss', 'stop', 'stp')) {
    words.takeAny('at', '@', 'price', 'of');
    return { stop_price: words.price('stop price') };
  }
  if (words.takeAny('at a limit of', 'at limit', 'limit', 'lmt', 'at', '@')) {
    words.takeAny('price of', 'price', 'at', '@', 'of');
    return { limit_price: words.price('limit price') };
  }
  if (words.take('for') && words.money() !== undefined) {
    throw new NotUnderstood(
      'The order has both a quantity and an amount.',
      'Give either a number of shares or an amount in dollars; a price a share is written "limit 180".',
      'invalid_order',
    );
  }
  const word = words.peek() === '' ? 'for' : words.peek();
  throw new NotUnderstood(
    `I don't understand "${shown(word)}" in this order, so I leave it all.`,
    /^(if|when|once|unless|until)$/i.test(word) ? conditions : examples,
  );
}

function readStopLimit(words: Words): Terms {
  words.take('order');
  if (!/^\$?\d/.test(words.peek())) return { stop_limit: true };
  const stop_price = words.price('stop price');
  words.takeAny('limit', 'lmt', '/');
  return { stop_limit: true, stop_price, limit_price: words.price('limit price') };
}

function readTrail(words: Words): Terms {
  words.takeAny('stop loss', 'stop');
  words.takeAny('of', 'by', 'at');
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(words.peek())?.[1];
  const dollars = percent === undefined ? words.money() : undefined;
  const number = percent ?? dollars ?? words.quantity();
  if (percent !== undefined) words.next();
  else if (number === undefined || (dollars === undefined && !words.takeAny('percent', '%'))) {
    throw new NotUnderstood(
      'Is the trail in percent or in dollars?',
      'Write "trailing stop 5%" or "trailing stop $5".',
    );
  }
  words.take('stop');
  return dollars === undefined ? { trail_percent: number as string } : { trail_price: dollars };
}

function typeOf(terms: Record<string, unknown>, market: boolean, stopLimit: boolean): OrderType {
  const limit = 'limit_price' in terms;
  const stop = 'stop_price' in terms;
  const trail = 'trail_percent' in terms || 'trail_price' in terms;
  const contradiction =
    (market && (limit || stop || trail || stopLimit)) || (trail && (limit || stop || stopLimit));
  if (contradiction) {
    throw new NotUnderstood(
      'These terms contradict each other.',
      'Choose one of: market, limit PRICE, stop PRICE, stop PRICE limit PRICE, trailing stop 5%.',
      'invalid_order',
    );
  }
  if (stopLimit && !(limit && stop)) {
    throw new NotUnderstood(
      'A stop limit order needs both prices.',
      'Write "stop 200 limit 199".',
      'invalid_order',
    );
  }
  if (trail) return 'trailing_stop';
  if (stop) return limit ? 'stop_limit' : 'stop';
  return limit ? 'limit' : 'market';
}

/** @throws {NotUnderstood} with the reason the vocabulary gives */
function validate(request: OrderRequestInput): void {
  const parsed = orderRequestSchema.safeParse(request);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new NotUnderstood(
      `The ${issue?.path.join('.').replaceAll('_', ' ')} ${issue?.message}.`,
      'Correct the order and ask again.',
      'invalid_order',
    );
  }
  try {
    checkOrder(parsed.data);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const plain = error.message.replaceAll('_', ' ');
    const message = plain.charAt(0).toUpperCase() + plain.slice(1);
    throw new NotUnderstood(`${message}.`, error.hint ?? 'Correct the order and ask again.', 'invalid_order');
  }
}
