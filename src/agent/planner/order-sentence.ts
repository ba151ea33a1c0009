import { isTradeAgentError } from '../../errors/errors.ts';
import { capitalize } from '../../text/first-letter.ts';
import { Dec } from '../../trading/decimal.ts';
import { checkOrder, type OrderRequestInput, orderRequestSchema } from '../../trading/order.ts';
import { withOrderDefaults } from '../../trading/order-defaults.ts';
import { findCoinPair } from './coins.ts';
import { type Intent, isUnresolvedName, type OrderIntent } from './intent.ts';
import type { SentenceTerms } from './leg-terms.ts';
import { orderExamples, type ParsedTerms, parseTerms } from './order-terms.ts';
import { NotUnderstoodError, shellQuotesHint, truncateWord, type WordReader } from './words.ts';

const verbs = {
  buy: ['buy', 'purchase', 'acquire', 'grab', 'pick up'],
  sell: ['sell off', 'sell', 'dump', 'unload', 'offload', 'get rid of'],
  close: ['close out of', 'close out', 'close', 'liquidate', 'exit', 'get out of'],
} as const;

export const amountVerbs: readonly string[] = [...verbs.buy, ...verbs.sell];

/** Order types named before the verb: "limit buy 5 AAPL at 180", "place a limit order to buy 5 AAPL at 180". */
const kinds: readonly (readonly [string, SentenceTerms])[] = [
  ['stop limit', { stop_limit: true }],
  ['limit', { limit: true }],
  ['market', { market: true }],
  ['bracket', { exit_class: 'bracket' }],
  ['oco', { exit_class: 'oco' }],
  ['oto', { exit_class: 'oto' }],
];

/** Parses an order. Returns undefined if the sentence does not begin like an order. */
export function parseOrder(words: WordReader): OrderIntent | undefined {
  const isPlaced = words.takeAny('place', 'put in', 'enter', 'submit');
  if (isPlaced) words.takeAny('a', 'an');
  const given = kinds.find(([phrase]) => words.takeAny(phrase))?.[1] ?? {};
  if (words.take('order')) words.take('to');
  if (words.takeAny(...verbs.buy)) return readOrderSentence(words, 'buy', given);
  if (words.takeAny(...verbs.sell)) return readOrderSentence(words, 'sell', given);
  return words.takeAny(...verbs.close) ? readClose(words, given) : undefined;
}

function readOrderSentence(words: WordReader, side: 'buy' | 'sell', given: SentenceTerms): OrderIntent {
  if (side === 'buy') words.takeAny('me', 'us');
  const size = readSize(words, side);
  const symbol = words.symbol();
  words.takeAny('shares', 'share', 'position', 'stocks', 'stock');
  return toOrderIntent({ symbol, side, ...size.amount }, parseTerms(words, side, given), size.fraction);
}

function readClose(words: WordReader, given: SentenceTerms): OrderIntent {
  const isWhole = words.takeAny('all of my', 'all my', 'all of the', 'all');
  const isMine = words.takeAny('my entire', 'my whole', 'my', 'the');
  const isPosition = words.takeAny('position in', 'shares of', 'shares in', 'position of');
  const symbol = words.symbol('Say "close my NVDA position".');
  const isNamed = words.takeAny('position', 'positions', 'shares', 'stock');
  if (!(isWhole || isMine || isPosition || isNamed)) {
    throw new NotUnderstoodError(
      `Do you mean to sell all your ${symbol.toUpperCase()}?`,
      `Then say "sell all my ${symbol.toUpperCase()}".`,
    );
  }
  return toOrderIntent({ symbol, side: 'sell' }, parseTerms(words, 'sell', given), '1');
}

function toOrderIntent(
  order: OrderRequestInput,
  { terms, ...bound }: ParsedTerms,
  fraction: string | undefined,
): OrderIntent {
  const request = { ...order, ...terms };
  if (fraction !== undefined) return { kind: 'order', request, fraction, ...bound };
  // A company's name is resolved later, so the order is validated with a placeholder for its symbol.
  const said = String(request.symbol);
  validateOrder(isUnresolvedName(said) ? { ...request, symbol: findCoinPair(said) ?? 'NAME' } : request);
  // `mayBeTotal` does not apply to an order for a dollar amount, which is already a total.
  return { kind: 'order', request, ...(request.qty === undefined ? {} : bound) };
}

interface Size {
  readonly amount: Partial<OrderRequestInput>;
  readonly fraction?: string;
}

function readSize(words: WordReader, side: 'buy' | 'sell'): Size {
  if (words.takeAny('half a share of', 'half a share in')) return { amount: { qty: '0.5' } };
  const fraction = readFraction(words);
  if (fraction !== undefined) {
    if (side === 'buy') {
      throw new NotUnderstoodError(
        'I can buy a number of shares or an amount in dollars, not a fraction.',
        orderExamples,
      );
    }
    words.take('of');
    words.takeAny('my', 'the');
    words.takeAny('shares of', 'shares in', 'position in', 'stock in', 'holding in');
    return { amount: {}, fraction };
  }
  const notional = words.money();
  if (notional !== undefined) {
    words.take('worth');
    words.take('of');
    words.take('my');
    return { amount: { notional } };
  }
  if (words.takeAny('a share of', 'a share in')) return { amount: { qty: '1' } };
  const written = words.peek();
  const qty = words.quantity();
  if (qty === undefined) {
    throw new NotUnderstoodError('How many shares, or how many dollars?', orderExamples);
  }
  const isShares = words.takeAny('shares', 'share');
  if (!isShares && /^\d/.test(written)) requireKnownUnit(words, written, side);
  words.takeAny('of', 'in');
  words.take('my');
  return { amount: { qty } };
}

/** Rejects a number without a unit before "of", with a question: the shell may have removed its dollar sign. */
function requireKnownUnit(words: WordReader, number: string, side: string): void {
  if (!/^(of|worth|in)$/i.test(words.peek())) return;
  const rest = words.rest().replace(/^(?:worth )?(?:of |in )?(?:my )?/i, '');
  const what = rest === '' ? 'AAPL' : truncateWord(rest);
  throw new NotUnderstoodError(
    `Do you mean ${number} shares or $${number} of ${what}?`,
    `Write '${side} ${number} shares of ${what}' or '${side} $${number} of ${what}'. ${shellQuotesHint}`,
  );
}

const parts: readonly (readonly [string, ...string[]])[] = [
  ['0.5', 'half'],
  ['0.25', 'a quarter', 'one quarter'],
  ['0.75', 'three quarters'],
  ['1', 'all of', 'all', 'my entire', 'my whole', 'the entire', 'the whole', 'every share of', 'every last share of'],
];

function readFraction(words: WordReader): string | undefined {
  for (const [fraction, ...phrases] of parts) {
    if (words.takeAny(...phrases)) return fraction;
  }
  const isPercent = /^\d{1,3}(\.\d+)?$/.test(words.peek()) && /^percent$/i.test(words.peek(1));
  const percent = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(words.peek())?.[1];
  if (percent === undefined || !(isPercent || words.peek().endsWith('%'))) return undefined;
  words.next();
  if (isPercent) words.next();
  const fraction = new Dec(percent).div(100);
  if (fraction.lte(0) || fraction.gt(1)) {
    throw new NotUnderstoodError(
      `${percent}% of a position is not a valid size.`,
      'Give more than 0% and at most 100%.',
      'invalid_order',
    );
  }
  return fraction.toFixed();
}

function validateOrder(request: OrderRequestInput): void {
  const parsed = orderRequestSchema.safeParse(withOrderDefaults(request));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new NotUnderstoodError(
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
    throw new NotUnderstoodError(
      `${capitalize(plain)}.`,
      error.hint ?? 'Correct the order and ask again.',
      'invalid_order',
    );
  }
}

/*
 * "would you buy 5 AAPL?" and "should I sell?" ask for an opinion, which never becomes an order; "could you buy 5
 * AAPL?" asks for the order.
 */

const politePattern =
  /\b(?:please|kindly|for me)\b|\b(?:thanks|thank you)[\s.!?]*$|\bwould you (?:buy|purchase|get|sell) (?:me|us)\b/i;
const would = /\bwould you\b[\s,]*/i;

export function stripPoliteWould(sentence: string): string {
  return politePattern.test(sentence) ? sentence.replace(would, '') : sentence;
}

const trades: readonly Intent['kind'][] = ['order', 'standing', 'cancel', 'replace', 'rebalance'];

/** Parses "would you show my portfolio" as a request. @throws {NotUnderstoodError} for a trade */
export function parseWouldQuestion(clause: string, parse: (clause: string) => Intent): Intent | undefined {
  if (!/^would you /i.test(clause)) return undefined;
  const intent = parse(clause.replace(would, ''));
  if (trades.includes(intent.kind)) throw new NotUnderstoodError(QUESTION_MESSAGE, QUESTION_HINT);
  return intent;
}

const QUESTION_MESSAGE = "That's a question, so I haven't done anything.";
const QUESTION_HINT =
  'I can\'t give advice. To place an order, say "buy 5 AAPL"; for facts, ask "quote AAPL" or "would buying 5 AAPL pass my rules?".';

const opens = [
  "should|shall|would|ought|(?:should|would|could)n't",
  "i wonder|i am wondering|i'm wondering",
  '(?:can|could|may|might) (?:i|we)',
  '(?:can|could) you imagine',
  'what (?:if|happens|would|should)|why|how about|whether|when (?:should|would|shall)',
  'do(?:es)? (?:you|it|i|we)',
  '(?:is|was) (?:it|now|this|that|\\S+ an?)',
].join('|');
const question = new RegExp(
  `(?:^|[.;,!?]\\s*|\\b(?:and|then|but|hey|hi|hello|ok|okay|so|please)[\\s,]+)(?:${opens})\\b[^.;]*\\b(?:buy|buying|bought|sell|selling|sold|purchase|purchasing|purchased|dump|dumping|close|closing|cancel|cancelling|canceling)\\b`,
  'i',
);
/** Matches questions about an order that can be answered without placing it. */
const answerableQuestionPattern = /\b(?:rules|limits|wash sale)\b/i;

export function questionRefusal(sentence: string): NotUnderstoodError | undefined {
  return question.test(sentence) && !answerableQuestionPattern.test(sentence)
    ? new NotUnderstoodError(QUESTION_MESSAGE, QUESTION_HINT)
    : undefined;
}
