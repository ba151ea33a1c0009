import { formatDollarAmount, formatShares } from '../../trading/amounts.ts';
import { type Intent, listIntentSymbols } from './intent.ts';
import { parseNumberWord } from './number-words.ts';
import { amountVerbs } from './order-sentence.ts';
import { NotUnderstoodError, truncateWord, WordReader } from './words.ts';

/*
 * Reads one verb with several symbols: "buy 5 AAPL, 3 MSFT and 2 KO". The planner asks unless the orders cover the
 * whole list.
 */

type Parse = (clause: string) => Intent;

const itemNouns = ['shares', 'share', 'stocks', 'stock', 'positions', 'position', 'orders', 'order'];
const sized =
  /^(?:-?\$?-?\.?\d|half\b|all\b|every (?:last )?share\b|(?:a|one) quarter\b|three quarters\b|a share\b|an? hundred\b|an? thousand\b)/i;
const verbFirst = new RegExp(`^(?:.*?\\s)??(?:${amountVerbs.join('|')})(?: me| us)?(?= )`, 'i');
const WRITE_OUT_HINT = 'Write each one out, as in "buy 5 AAPL and buy 3 MSFT".';

function isSized(item: string): boolean {
  return sized.test(item) || parseNumberWord(item.split(' ')[0]?.toLowerCase() ?? '') !== undefined;
}

/** Returns whether a clause can be an item of a list: "NVDA", "my NVDA shares", "3 MSFT". */
export function isListItem(clause: string): boolean {
  return isSized(clause) || symbolItem(clause) !== undefined;
}

interface SymbolItem {
  readonly symbol: string;
  readonly noun: string;
  /** Text after the symbol: "every Friday" in "and BND every Friday". */
  readonly rest: string;
}

/** Matches weekdays, so that "Thursday" in "every Monday and Thursday" is not read as a company's name. */
const weekdayPattern = /^(?:mon|tues|wednes|thurs|fri|satur|sun)days?$/i;

function symbolItem(clause: string): SymbolItem | undefined {
  const words = new WordReader(clause);
  words.takeAny('my', 'the');
  try {
    const symbol = words.symbol();
    if (weekdayPattern.test(symbol)) return undefined;
    const noun = itemNouns.find((each) => words.take(each)) ?? '';
    return { symbol, noun, rest: words.rest() };
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

/** Expands a list into one complete clause per item. @throws {NotUnderstoodError} if the list is ambiguous */
export function expandList(clause: string, items: readonly string[], parse: Parse): string[] {
  if (!items.some(isSized)) return expandSymbols(clause, items, parse);
  if (!items.every(isSized)) throw unreadItems(items);
  return expandSizedItems(clause, items, parse);
}

function unreadItems(items: readonly string[]): NotUnderstoodError {
  const what = items.map((item) => `"${truncateWord(item)}"`).join(', ');
  return new NotUnderstoodError(
    `I don't understand ${what} in this request, so I haven't done anything.`,
    WRITE_OUT_HINT,
  );
}

function tryParse(text: string, parse: Parse): Intent | NotUnderstoodError {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof NotUnderstoodError) return error;
    throw error;
  }
}

const isIntent = (read: Intent | NotUnderstoodError): read is Intent => !(read instanceof NotUnderstoodError);

/** Matches an "each" that refers to the list's items ("5 each of", "$500 of each of"), not to days. */
const eachOf = /(?: of)? each(?: of)?(?! (?:trading|market|business|week|day|month|mon|tue|wed|thu|fri))\b/i;

/** Matches the end of "AAPL and NVDA each", but not "each Friday". */
const eachAtEnd = /^each(?:\b(?! \w+day|$) ?|$)/i;

function expandSymbols(clause: string, items: readonly string[], parse: Parse): string[] {
  const found = items.flatMap((item) => symbolItem(item) ?? []);
  const last = found.at(-1);
  if (last === undefined || found.length < items.length || found.slice(0, -1).some(({ rest }) => rest !== ''))
    throw unreadItems(items);
  const rest = last.rest.replace(eachAtEnd, '');
  const head = withoutEach(clause);
  const plain = singleSpaced(`${head} ${rest}`);
  const withNoun = singleSpaced(`${head} ${last.noun} ${rest}`);
  const text = isIntent(tryParse(withNoun, parse)) ? withNoun : plain;
  const base = tryParse(text, parse);
  if (!isIntent(base)) throw rest !== '' && isIntent(tryParse(head, parse)) ? unreadItems(items) : base;
  const [own, ...more] = listIntentSymbols(base);
  const isContract = base.kind === 'order' && base.contract !== undefined;
  if (own === undefined || more.length > 0 || isContract) throw unreadItems(items);
  const symbols = [own, ...found.map(({ symbol }) => symbol)];
  if (new Set(symbols.map((symbol) => symbol.toUpperCase())).size < symbols.length) throw unreadItems(items);
  if (isPriced(base)) throw ambiguousPrice(symbols);
  const first = new RegExp(`(?<![\\w.])\\$?${own.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\w)`, 'gi');
  if (text.match(first)?.length !== 1) throw unreadItems(items);
  const written = [text, ...found.map(({ symbol }) => text.replace(first, () => symbol))];
  if (rest === last.rest && head === clause) requireUnambiguousAmount(base, symbols, written);
  return written;
}

function singleSpaced(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function withoutEach(clause: string): string {
  const isShares = /(?<![$\d,.])\d[\d,.]*(?: of)? each\b/i.test(clause);
  return clause.replace(eachOf, isShares ? ' shares of' : ' of').replace(/ worth of of /i, ' worth of ');
}

function listNames(symbols: readonly string[]): string {
  const names = symbols.map(truncateWord);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function ambiguousPrice(symbols: readonly string[]): NotUnderstoodError {
  return new NotUnderstoodError(
    `Is that one price for all of ${listNames(symbols)}?`,
    'Write each one out with its own price, as in "sell 5 AAPL limit 240 and sell 3 MSFT limit 450".',
  );
}

/** Asks unless it is clear whether an amount is per symbol or in total. Whole positions are always clear. */
function requireUnambiguousAmount(base: Intent, symbols: readonly string[], written: readonly string[]): void {
  if (base.kind !== 'order' && base.kind !== 'standing') return;
  const { side, qty, notional } = base.request;
  const fraction = base.kind === 'order' ? base.fraction : undefined;
  if (fraction === '1') return;
  if (fraction !== undefined) {
    const offer = written.join(' and ');
    throw new NotUnderstoodError(
      `Did you mean "${offer}"?`,
      'Nothing has been done yet. Say "yes", or rephrase the request.',
      'usage',
      offer,
    );
  }
  const count = formatShares(String(qty ?? '0'));
  const amount =
    notional !== undefined
      ? formatDollarAmount(String(notional)).replace(/\.00$/, '')
      : `${count} ${count === '1' ? 'share' : 'shares'}`;
  throw new NotUnderstoodError(
    `Is it ${amount} of each of ${listNames(symbols)}, or ${amount} in total?`,
    `For each, say "${side} ${amount} each of ${listNames(symbols)}". For a total, say how much of each: "buy 5 AAPL and 3 MSFT".`,
  );
}

function expandSizedItems(clause: string, items: readonly string[], parse: Parse): string[] {
  const first = tryParse(clause, parse);
  const verb = verbFirst.exec(clause)?.[0];
  if (verb === undefined) throw isIntent(first) ? unreadItems(items) : first;
  const texts = [clause, ...items.map((item) => `${verb} ${item}`)];
  const own = texts.map((text) => tryParse(text, parse));
  // A price before the verb applies to every item: "if it falls below 100 sell …".
  const isShared = own.some((read) => isIntent(read) && read.kind === 'standing' && isPriced(read)) && /\d/.test(verb);
  if (own.every(isIntent) && isAlike(own) && !isShared) return texts;
  const end = trailingTerms(texts.at(-1) ?? '', verb);
  if (end !== '' && !isShared) {
    const trimmed = texts.map((text, at) => (at === texts.length - 1 ? text : `${text} ${end}`));
    const all = trimmed.map((text) => tryParse(text, parse));
    if (all.every(isIntent) && isAlike(all) && !all.some(isPriced)) return trimmed;
  }
  throw unreadItems(items);
}

function trailingTerms(text: string, verb: string): string {
  const words = text.slice(verb.length).trim().split(' ');
  const at = words.findLastIndex((word) => /^\$?[A-Z][A-Z0-9./]*,?$/.test(word));
  const rest = words.slice(at + 1);
  return (itemNouns.includes(rest[0]?.toLowerCase() ?? '') ? rest.slice(1) : rest).join(' ');
}

const amounts = ['symbol', 'qty', 'notional'];
const prices = [
  'limit_price',
  'stop_price',
  'trail_price',
  'take_profit_limit_price',
  'stop_loss_stop_price',
  'stop_loss_limit_price',
];

/** Returns whether an intent has a share price, which can apply to only one symbol. */
function isPriced(intent: Intent): boolean {
  switch (intent.kind) {
    case 'order':
    case 'rules':
      return prices.some((name) => name in intent.request);
    case 'standing':
      return (
        prices.some((name) => name in intent.request) ||
        intent.when.below !== undefined ||
        intent.when.above !== undefined
      );
    case 'alert':
      return intent.alert.above !== undefined || intent.alert.below !== undefined;
    case 'replace':
      return !('time_in_force' in intent.change);
    default:
      return false;
  }
}

function isAlike(intents: readonly Intent[]): boolean {
  const shapes = intents.map((intent) => {
    if (intent.kind !== 'order' && intent.kind !== 'standing') return JSON.stringify(intent);
    const { request, account, kind } = intent;
    const terms = Object.entries(request)
      .filter(([name]) => !amounts.includes(name))
      .map(([name, value]) => [name, prices.includes(name) ? '' : value]);
    const when =
      kind === 'standing'
        ? Object.entries(intent.when).map(([name, value]) => [name, /^(?:below|above)$/.test(name) ? '' : value])
        : [];
    const contract = kind === 'order' && intent.contract !== undefined;
    return JSON.stringify([kind, account, contract, terms.sort(), when.sort()]);
  });
  return new Set(shapes).size === 1;
}
