import { type Phrase, phrase } from '../../text/phrase.ts';
import type { Period } from '../../trading/period.ts';
import { defined } from '../../values/defined.ts';
import { NOTHING_DONE } from './fixed-answers.ts';
import { type Intent, listIntentSymbols, mapSymbols, type OrderChange, type ReplaceIntent } from './intent.ts';
import type { Item } from './item.ts';
import { readItems } from './items.ts';
import { foldWord } from './lexicon.ts';
import { isAsset, symbolOf } from './match.ts';

import { MISSING_ASSET } from './order-frame.ts';
import { periodCues, periodDays, toQuestion } from './question.ts';
import { lastSymbol, type ParsedPrompt, parsePrompt, readClauses } from './read.ts';
import { type AskedSlot, NotUnderstoodError } from './refusal.ts';
import { fractions, readMentions } from './slots.ts';

interface UnderstoodTurn {
  readonly parsed: ParsedPrompt;
  /** The planner's corrected sentence, if the person accepted it with "yes". */
  readonly accepted?: string;
  /** The request after its questions have been answered. */
  readonly text?: string;
}

type Before = () => UnderstoodTurn | undefined;

const MAX_TURNS = 20;

/**
 * Reads the newest turn, which may refer to previous turns: a "yes" to a question, the answer to a question, "the same
 * for KO", "what about MSFT?" or "half of it". If the meaning is ambiguous, the planner asks.
 * @param turns the person's own turns, newest last
 */
export function parseNewestTurn(turns: readonly string[]): UnderstoodTurn {
  let before: Before = () => undefined;
  for (const turn of turns.slice(-MAX_TURNS, -1)) {
    const earlier = before;
    let known: UnderstoodTurn | undefined;
    before = () => (known ??= understand(turn, earlier));
  }
  return understand(turns.at(-1) ?? '', before);
}

function understand(turn: string, before: Before): UnderstoodTurn {
  try {
    const items = readItems(turn.slice(0, 1_000)).filter(
      ({ tags }) => !tags.includes('end') && !tags.includes('question'),
    );
    const bare = items.filter(({ tags }) => !tags.includes('harmless') || tags.includes('yes'));
    const isYes = bare.some(({ tags }) => tags.includes('yes'));
    if (isYes && bare.every(({ tags }) => tags.includes('yes') || tags.includes('comma'))) return acceptOffer(before());
    const withdrawn = withdrawalOf(items, before);
    if (withdrawn !== undefined) return { parsed: { intents: [withdrawn] } };
    const followed = followUp(items, before);
    if (followed !== undefined) return { parsed: { intents: followed } };
    const same = repeated(bare);
    if (same !== undefined) return { parsed: { intents: [repeatFor(before(), same)] } };
    const change = correctionOf(items);
    const filled = change === undefined ? undefined : fillSize(change, before());
    if (filled !== undefined) return filled;
    const corrected = change === undefined ? undefined : correctOrder(change, before());
    if (corrected !== undefined) return { parsed: { intents: [corrected] } };
    const about = askedAbout(bare, before);
    if (about !== undefined) return { parsed: { intents: [answerWhatAbout(before(), about)] } };
    return readTurn(turn, items, before);
  } catch (error) {
    if (error instanceof NotUnderstoodError) return { parsed: { refusal: error.refusal } };
    throw error;
  }
}

function readTurn(turn: string, items: readonly Item[], before: Before): UnderstoodTurn {
  const isReference = items.some(({ tags }) => tags.includes('it'));
  const it = isReference ? contextSymbol(before()) : undefined;
  const parsed = parsePrompt(turn, it);
  const asked = withAskedSymbol(turn, parsed, before);
  if (asked !== undefined) return asked;
  const isShort =
    items.length <= 12 &&
    !items.some(({ tags }) => tags.some((tag) => ['buy', 'sell', 'cancel', 'change', 'ask'].includes(tag)));
  const isRequest = items.length > 1 && 'intents' in parsed && parsed.intents.some(({ kind }) => kind !== 'quote');
  const earlier = isRequest || !isShort ? undefined : before();
  const asks = earlier !== undefined && 'refusal' in earlier.parsed ? earlier.parsed.asks : undefined;
  if (earlier?.text === undefined || asks === undefined) return { parsed, text: turn };
  const text = withAnswer(earlier.text, turn.trim().replace(/[.!?]+$/, ''), asks, items);
  const answered = text === undefined ? undefined : parsePrompt(text, contextSymbol(earlier));
  const isBetter =
    answered !== undefined && text !== undefined && ('intents' in answered || answered.asks !== undefined);
  return isBetter ? { parsed: answered, text } : { parsed, text: turn };
}

/** Reads "buy 2" after a question about one symbol as "buy 2 TSLA". */
function withAskedSymbol(turn: string, parsed: ParsedPrompt, before: Before): UnderstoodTurn | undefined {
  if (!('refusal' in parsed) || parsed.asks !== 'append' || parsed.refusal.phrases.message !== MISSING_ASSET)
    return undefined;
  const earlier = before();
  const intents = earlier !== undefined && 'intents' in earlier.parsed ? earlier.parsed.intents : [];
  const symbol = contextSymbol(earlier);
  const isQuestion = intents.every(({ kind }) => ['quote', 'chart', 'portfolio', 'news'].includes(kind));
  if (symbol === undefined || !isQuestion) return undefined;
  const text = `${turn.trim().replace(/[.!?]+$/, '')} ${symbol}`;
  const whole = parsePrompt(text);
  return 'intents' in whole ? { parsed: whole, text } : undefined;
}

/** Meanings of words that a correction may contain in addition to its new number. */
const CORRECTING = 'correction harmless comma share same unchanged the_price at my for it is limit'.split(' ');
const isOnly = ({ lower }: Item) => lower === 'only' || lower === 'just' || lower === 'instead';

/** Reads "make that 6, same price" or "no wait, only 3". Returns undefined if the items are not a correction. */
function correctionOf(items: readonly Item[]): OrderChange | undefined {
  const [number, ...more] = items.filter((item) => item.quantity !== undefined);
  const rest = items.filter((item) => item !== number);
  const isCorrection = rest.some(({ tags }) => tags.includes('correction'));
  const isPlain = rest.every(
    (item) => isOnly(item) || (!item.aside && !isAsset(item) && item.tags.some((tag) => CORRECTING.includes(tag))),
  );
  const quantity = number?.quantity;
  if (quantity === undefined || more.length > 0 || quantity.isBad || quantity.unit === 'percent') return undefined;
  if (!isCorrection || !isPlain) return undefined;
  const says = (tag: string) => rest.some(({ tags }) => tags.includes(tag));
  if (says('limit')) return { limit_price: quantity.value };
  const isPrice = quantity.unit === 'dollars' || says('at');
  const isCount =
    says('share') ||
    says('same') ||
    says('unchanged') ||
    rest.some(({ lower }) => lower === 'only' || lower === 'just');
  if (isPrice && isCount) return undefined;
  const { value } = quantity;
  return isPrice ? { price: value } : isCount ? { qty: value } : { value };
}

/** Reads "nah, only 3" as the answer to the question of how many shares. */
function fillSize(change: OrderChange, before: UnderstoodTurn | undefined): UnderstoodTurn | undefined {
  const value = 'qty' in change ? change.qty : 'value' in change ? change.value : undefined;
  const isAsked = before !== undefined && 'refusal' in before.parsed && before.parsed.asks === 'size';
  if (value === undefined || !isAsked || before.text === undefined) return undefined;
  const text = `${before.text.trim().replace(/[.!?]+$/, '')} ${value} shares`;
  return { parsed: parsePrompt(text), text };
}

const acts = ['buy', 'sell', 'trim', 'close', 'invest', 'swap', 'change', 'alert', 'rebalance'];
const hasAct = (items: readonly Item[]) => items.some(({ tags }) => acts.some((act) => tags.includes(act)));

/** Reads "jk, don't" and "I changed my mind": withdraws the previous turn's order if it is open. */
function withdrawalOf(items: readonly Item[], before: Before): Intent | undefined {
  if (hasAct(items) || items.some((item) => isAsset(item) && item.isKnownName) || items.length > 20) return undefined;
  if (items.some(({ quantity, ticker }) => quantity !== undefined || ticker !== undefined)) return undefined;
  if (!toQuestion(items, { it: undefined, isQuestion: false }).has('withdraws')) return undefined;
  const earlier = before();
  if (earlier === undefined) return undefined;
  if ('refusal' in earlier.parsed) return { kind: 'say', text: NOTHING_DONE };
  const [intent, ...more] = earlier.parsed.intents;
  if (intent?.kind !== 'order' || more.length > 0) return undefined;
  const which = { symbol: String(intent.request.symbol), many: false };
  return { kind: 'cancel', which, ...defined({ account: intent.account }) };
}

/** Meanings of words that add nothing to a follow-up. */
const LINKING = 'harmless ask what is it and comma for at on of a the_price what_about inert nobody i do'.split(' ');
const questions: readonly Intent['kind'][] = [
  ...(['portfolio', 'quote', 'chart', 'performance', 'activities', 'gains', 'orders', 'news', 'lots'] as const),
];

/** Reads "by how much?" and "what about last month?" as the previous turn's question, for another period. */
function followUp(items: readonly Item[], before: Before): readonly Intent[] | undefined {
  if (items.length === 0 || items.length > 12 || hasAct(items) || items.some(({ ticker }) => ticker !== undefined))
    return undefined;
  const question = toQuestion(items, { it: undefined, isQuestion: true });
  const { period } = question;
  if (!question.has('follow_up') && period === undefined) return undefined;
  const own = question.wordsOf(['follow_up', ...periodCues]);
  const isOwn = ({ lower }: Item) => lower.split(' ').every((word) => own.has(foldWord(word)));
  const isLink = (item: Item) => item.name === undefined && item.tags.some((tag) => LINKING.includes(tag));
  if (!items.every((item) => isOwn(item) || isLink(item))) return undefined;
  const earlier = before();
  const intents = earlier !== undefined && 'intents' in earlier.parsed ? earlier.parsed.intents : [];
  if (intents.length === 0 || !intents.every(({ kind }) => questions.includes(kind))) return undefined;
  return intents.map((intent) => (period === undefined ? intent : forPeriod(intent, period)));
}

function forPeriod(intent: Intent, period: Period): Intent {
  const account = defined({ account: intent.account });
  const [symbol] = listIntentSymbols(intent);
  switch (intent.kind) {
    case 'performance':
    case 'activities':
      return { ...intent, period };
    case 'gains':
      return { ...intent, year: period === 'YTD' ? 'this' : 'last' };
    case 'chart':
    case 'quote':
    case 'portfolio':
      return symbol === undefined
        ? { kind: 'performance', period, ...account }
        : { kind: 'chart', symbol, days: periodDays[period] ?? 365, ...account };
    default:
      return intent;
  }
}

/** Changes the previous turn's order, so that a correction never places a second order or changes another order. */
function correctOrder(change: OrderChange, before: UnderstoodTurn | undefined): Intent | undefined {
  const intents = before !== undefined && 'intents' in before.parsed ? before.parsed.intents : [];
  const [order] = intents;
  if (order === undefined || intents.length !== 1) return undefined;
  if (order.kind === 'replace') return { ...order, change, which: changedOrder(order) };
  if (order.kind !== 'order' || order.contract !== undefined) return undefined;
  const { symbol, side, qty } = order.request;
  const account = defined({ account: order.account });
  if (qty !== undefined) return { kind: 'replace', which: { symbol: String(symbol), side, qty }, change, ...account };
  throw new NotUnderstoodError(
    phrase`I can only correct an order for a number of shares, so I haven't done anything.`,
    phrase`If it is still open, say "cancel my ${String(symbol).toUpperCase()} order", and then type the whole request.`,
  );
}

/** Returns the reference that identifies an order after its change, with any new number of shares. */
function changedOrder({ which, change }: ReplaceIntent): ReplaceIntent['which'] {
  if (!('symbol' in which) || which.qty === undefined || 'price' in change) return which;
  const { qty: _, ...same } = which;
  return 'qty' in change ? { ...same, qty: change.qty } : same;
}

/** Puts an answer into the slot that the question asked for. Returns undefined if the text is not an answer. */
function withAnswer(text: string, answer: string, asks: AskedSlot, items: readonly Item[]): string | undefined {
  const said = text.trim().replace(/[.!?]+$/, '');
  const quantity = items.find((item) => item.quantity !== undefined)?.quantity;
  const isNumber = items.length === 1 && quantity?.unit === 'none';
  if (asks === 'count') return withCount(said, items);
  if (asks === 'size') return `${said} ${isNumber ? `${answer} shares` : answer}`;
  if (asks === 'append' || asks === 'near_miss') return `${said} ${answer}`;
  if (asks === 'unit') {
    const unit = unitOf(items);
    return unit === undefined ? undefined : said.replace(/(\d[\d.,]*k?)(?= |$)/, `$1 ${unit}`);
  }
  return quantity === undefined ? undefined : `${said} ${items.length === 1 ? `${asks} ${answer}` : answer}`;
}

/** Puts "10" or "all of them" in place of the part of the position. Returns undefined if the text is not an answer. */
function withCount(said: string, items: readonly Item[]): string | undefined {
  const mentions = readClauses(said).flatMap((clause) => clause.mentions);
  const part = mentions.find((one) => one.kind === 'size' && ('fraction' in one.size || 'keep' in one.size));
  const [count] = readMentions(items).flatMap((one) => (one.kind === 'size' ? [one.size] : []));
  if (part === undefined || count === undefined) return undefined;
  const of = mentions.some((one) => one.kind === 'ref' && one.text === part.text) ? 'of it' : 'of';
  const put = (size: string) => said.replace(part.text, `${size} ${of}`);
  if ('qty' in count) return put(`${count.qty} shares`);
  const fraction = items.find(({ tags }) => tags.some((tag) => tag === 'all' || tag in fractions));
  return fraction === undefined ? undefined : `${put(fraction.text)} held now`;
}

/** Returns the unit that answers "shares or dollars?". */
function unitOf(items: readonly Item[]): 'shares' | 'dollars' | undefined {
  const isShares = items.some(({ tags }) => tags.includes('share'));
  const isDollars = items.some(
    ({ lower, quantity }) => /^(?:dollars?|usd|bucks)$/.test(lower) || quantity?.unit === 'dollars',
  );
  return isShares === isDollars ? undefined : isShares ? 'shares' : 'dollars';
}

function contextSymbol(before: UnderstoodTurn | undefined): string | undefined {
  return before !== undefined && 'intents' in before.parsed ? lastSymbol(before.parsed.intents) : undefined;
}

function acceptOffer(before: UnderstoodTurn | undefined): UnderstoodTurn {
  const offer = before !== undefined && 'refusal' in before.parsed ? before.parsed.refusal.offer : undefined;
  if (offer === undefined) {
    throw new NotUnderstoodError(
      phrase`I haven't asked you a yes-or-no question.`,
      phrase`Type the whole request, as in "buy 5 AAPL".`,
    );
  }
  return { parsed: parsePrompt(offer), accepted: offer };
}

const wholeOrder = phrase`Type the whole request, as in "buy 5 KO" or "quote KO".`;

/** Returns the items after "the same for". */
function repeated(items: readonly Item[]): readonly Item[] | undefined {
  const at = items.findIndex(({ tags }) => tags.includes('same'));
  const isLead =
    at >= 0 &&
    items.slice(0, at).every(({ tags }) => tags.includes('and') || tags.includes('do') || tags.includes('my'));
  return isLead && items[at + 1]?.tags.some((tag) => tag === 'for' || tag === 'with') ? items.slice(at + 2) : undefined;
}

function askedAbout(items: readonly Item[], before: Before): readonly Item[] | undefined {
  const at = items.findIndex(({ tags }) => tags.includes('what_about'));
  if (at === 0 || (at === 1 && items[0]?.tags.includes('and'))) return items.slice(at + 1);
  const isAnd = items[0]?.tags.includes('and') === true;
  const rest = items[1]?.tags.includes('for') ? items.slice(2) : items.slice(1);
  return isAnd && rest.length === 1 && isAsset(rest[0] as Item) && before() !== undefined ? rest : undefined;
}

function previousIntent(before: UnderstoodTurn | undefined, hint: Phrase, mayBeWhole = false): Intent {
  const intents = before !== undefined && 'intents' in before.parsed ? before.parsed.intents : [];
  const [intent] = intents;
  if (intent !== undefined && intents.length === 1 && (mayBeWhole || listIntentSymbols(intent).length > 0))
    return intent;
  throw new NotUnderstoodError(phrase`I don’t know which earlier request you mean.`, hint);
}

const pricesOfOne = ['limit_price', 'stop_price', 'trail_price', 'order_class'];

function repeatFor(before: UnderstoodTurn | undefined, items: readonly Item[]): Intent {
  const symbol = singleSymbol(items);
  const intent = previousIntent(before, wholeOrder);
  if (listIntentSymbols(intent).length > 1) {
    throw new NotUnderstoodError(phrase`Your last request had several symbols.`, wholeOrder);
  }
  if (
    intent.kind === 'replace' ||
    (intent.kind === 'order' && pricesOfOne.some((name) => name in intent.request)) ||
    (intent.kind === 'alert' && (intent.alert.above ?? intent.alert.below ?? intent.alert.reaches) !== undefined) ||
    (intent.kind === 'standing' && ('limit_price' in intent.request || intent.when.every === undefined))
  ) {
    throw new NotUnderstoodError(
      phrase`The earlier price was for ${listIntentSymbols(intent)[0]?.toUpperCase()}. What is the price for ${symbol.toUpperCase()}?`,
      phrase`Type the whole request, as in "buy 5 ${symbol.toUpperCase()} limit 60".`,
    );
  }
  return mapSymbols(intent, () => symbol);
}

function answerWhatAbout(before: UnderstoodTurn | undefined, items: readonly Item[]): Intent {
  const symbol = singleSymbol(items);
  const intent = previousIntent(before, wholeOrder, true);
  const account = defined({ account: intent.account });
  switch (intent.kind) {
    case 'quote':
    case 'news':
    case 'dividend_dates':
      return { ...intent, symbols: [symbol] };
    case 'chart':
    case 'cancel':
    case 'replace':
    case 'wash':
      if (listIntentSymbols(intent).length > 0) return mapSymbols(intent, () => symbol);
      break;
    case 'portfolio':
      return { kind: 'portfolio', symbol, ...account };
    case 'lots':
    case 'orders':
    case 'gains':
      return { ...intent, symbol };
    case 'activities':
      return { ...intent, only: { ...intent.only, symbol } };
    default:
  }
  throw new NotUnderstoodError(
    phrase`Do you want the price of ${symbol.toUpperCase()}, or the same request for it?`,
    phrase`Say "quote ${symbol.toUpperCase()}" or "the same for ${symbol.toUpperCase()}".`,
  );
}

function singleSymbol(items: readonly Item[]): string {
  const left = items.filter(
    (item) => isAsset(item) || !item.tags.some((tag) => ['harmless', 'my', 'share', 'position'].includes(tag)),
  );
  const [item, ...more] = left;
  const odd = more[0] ?? (item !== undefined && isAsset(item) ? undefined : item);
  if (item !== undefined && odd === undefined) return symbolOf(item);
  throw new NotUnderstoodError(phrase`I don't understand "${odd?.text ?? ''}" here.`, wholeOrder);
}
