import { phrase } from '../../text/phrase.ts';
import type { Period } from '../../trading/period.ts';
import type { Item } from './item.ts';
import { foldWord, lexiconFor } from './lexicon.ts';
import { isAsset, symbolOf } from './match.ts';
import { NotUnderstoodError } from './refusal.ts';
import { isListedName } from './symbols-by-name.ts';
import { dateOf } from './times.ts';

/* The slots and cues of a question. Slow ones are computed only if a topic needs them. */

/** The words of a question, as slots and cues. */
export interface Question {
  readonly symbols: readonly string[];
  readonly period: Period | undefined;
  readonly items: readonly Item[];
  /** The words of all cues. */
  readonly words: ReadonlySet<string>;
  has(cue: string): boolean;
  /** Returns the words of these cues. */
  wordsOf(cues: readonly string[]): ReadonlySet<string>;
}

export const periodCues: readonly string[] = ['MTD', 'YTD', '3M', '6M', '5Y', 'ALL', '1Y', '1M', '1W', 'LY', 'today'];
const periods: readonly Period[] = ['MTD', 'YTD', '3M', '6M', '5Y', 'ALL', '1Y', '1M', '1W'];

/** The symbol that "it" refers to, and whether the sentence is a question. */
export interface Context {
  readonly it: string | undefined;
  readonly isQuestion: boolean;
  /** Whether even a question without the word "it" is about the symbol `it`. */
  readonly mustBeIt?: boolean;
  /** The minimum weight of a topic. */
  readonly least: number;
}

const TRADES = ['buy', 'sell', 'buying', 'selling', 'close', 'trim', 'leave', 'invest', 'add', 'swap', 'write'];
const SELLS = ['sell', 'close', 'trim', 'leave'];
/** Meanings and words that small talk may contain. */
const IDLE = [
  'harmless',
  'inert',
  'nobody',
  'comment',
  'comma',
  'end',
  'i',
  'is',
  'a',
  'of',
  'for',
  'and',
  'to',
  'help',
  'with',
  'my',
  'on',
  'at',
  'by',
  'question',
];
const SMALL_TALK = ['thanks', 'apology', 'bye', 'praise', 'greeting', 'retracts', 'filler'];

export function toQuestion(all: readonly Item[], context: Omit<Context, 'least'>): Question {
  const items = all.filter(({ aside }) => !aside);
  const text = items.map((item) => item.text).join(' ');
  const lexicon = lexiconFor(text);
  const found = lexicon.cuesIn(text);
  const cues = new Set(found.map(({ cue }) => cue));
  const words = new Set(found.flatMap(({ phrase }) => [phrase, ...phrase.split(' ')]));
  const span = spanDays(items);
  const said = cues.has('LY') || cues.has('quarter') ? '1Y' : periods.find((one) => cues.has(one));
  const period = said ?? (span === undefined ? undefined : coveringPeriod(span));
  let known: readonly string[] | undefined;
  const symbols = () => {
    known ??= symbolsOf(items, words, cues, context);
    return known;
  };
  const isMine = ({ lower }: Item) => lexicon.cuesIn(lower).some(({ cue }) => cue === 'mine');
  const hasTag = (tags: readonly string[]) => items.some((item) => item.tags.some((tag) => tags.includes(tag)));
  const wordsOf = (some: readonly string[]) =>
    new Set(found.flatMap(({ cue, phrase }) => (some.includes(cue) ? phrase.split(' ') : [])));
  const extra: Readonly<Record<string, () => boolean>> = {
    asked: () => context.isQuestion,
    asks: () => context.isQuestion || cues.has('asking'),
    alert: () => hasTag(['alert']),
    year_number: () => hasTag(['year_number']),
    period: () => period !== undefined,
    symbol: () => symbols().length > 0,
    only_symbols: () => symbols().length > 0 && items.every((item) => isOnlyName(item, words)),
    my_symbol: () =>
      symbols().length > 0 &&
      items.some((item, at) => isAsset(item) && items.slice(Math.max(0, at - 1), at).some(isMine)),
    trade: () => hasTag(TRADES),
    sells: () => hasTag(SELLS),
    number: () => items.some(({ quantity, tags }) => quantity !== undefined && !tags.includes('year_number')),
    /** Whether no period has exactly as many days as the question. */
    inexact: () => cues.has('quarter') || (said === undefined && span !== undefined && !EXACT_DAYS.has(span)),
    buys: () => hasTag(['buy', 'get']),
    dollars: () => items.some(({ quantity }) => quantity?.unit === 'dollars'),
    calendar_date: () => /^\d\d-\d\d$/.test(dateOf(items) ?? ''),
    places: () => hasTag(['place', 'protect']),
    amount: () => items.some(({ quantity }) => quantity !== undefined && quantity.unit !== 'percent'),
    starts_short: () => startsShort(items),
    fund_ticker: () => items.some(isFundTicker),
    idle: () => isSmallTalk(items, wordsOf(SMALL_TALK)),
    addressed: () => isAddressed(items, wordsOf(SMALL_TALK)),
  };
  const has = (cue: string) => {
    const test = Object.hasOwn(extra, cue) ? extra[cue] : undefined;
    return test === undefined ? cues.has(cue) : test();
  };
  return {
    get symbols() {
      return symbols();
    },
    period,
    items,
    words,
    has,
    wordsOf,
  };
}

function symbolsOf(
  items: readonly Item[],
  words: ReadonlySet<string>,
  cues: ReadonlySet<string>,
  { it, mustBeIt }: Omit<Context, 'least'>,
): readonly string[] {
  const symbols = symbolsIn(items, words, mustBeIt && it !== undefined ? new Set() : cues);
  const refers = mustBeIt || items.some(({ tags }) => tags.includes('it'));
  if (symbols.length === 0 && it !== undefined && refers) symbols.push(it);
  if (symbols.length > 20)
    throw new NotUnderstoodError(phrase`That is more than 20 symbols.`, phrase`Ask for fewer at once.`);
  return symbols;
}

function isOnlyName(item: Item, words: ReadonlySet<string>): boolean {
  const isName = item.name === undefined || item.isKnownName || namesIn(item.name, words).rest.length === 0;
  return (
    (isAsset(item) && isName) ||
    item.tags.some((tag) => ['harmless', 'comma', 'question', 'end', 'and', 'share'].includes(tag))
  );
}

/** Returns whether the sentence begins with "short 50 TSLA". */
function startsShort(items: readonly Item[]): boolean {
  const at = items.findIndex(({ tags }) => !tags.includes('harmless'));
  const next = items[at + 1];
  const isShort = items[at]?.lower === 'short' || items[at]?.lower === 'sell short';
  return isShort && next !== undefined && (next.quantity !== undefined || isAsset(next));
}

/** Returns whether a word may be a mutual fund's ticker, which has five letters and ends in X: VTSAX. */
const isFundTicker = ({ text, tags }: Item) => tags.length === 0 && /^[a-z]{4}x$/i.test(text) && !isListedName(text);

const isSmallTalk = (items: readonly Item[], words: ReadonlySet<string>) => items.every((item) => isIdle(item, words));

/** Returns whether small talk ends with a person's name, in lower case or capitalized: "bye mara". */
function isAddressed(items: readonly Item[], words: ReadonlySet<string>): boolean {
  const last = items.at(-1);
  if (last?.name === undefined || last.isKnownName) return false;
  const said = last.text.split(' ');
  const isName = said.slice(0, -1).every((word) => words.has(foldWord(word))) && /^\p{L}+$/u.test(said.at(-1) ?? '');
  return isName && isSmallTalk(items.slice(0, -1), words);
}

function isIdle(item: Item, words: ReadonlySet<string>): boolean {
  if (item.quantity !== undefined || item.ticker !== undefined || item.tags.includes('yes')) return false;
  // "gm" is also a company.
  if (item.isKnownName) return item.text === item.lower && words.has(item.lower);
  if (item.lower.split(' ').every((word) => words.has(foldWord(word)))) return true;
  return item.name === undefined
    ? item.tags.length === 0 || item.tags.some((tag) => IDLE.includes(tag))
    : namesIn(item.name, words).names.length === 0;
}

/** Meanings of words that can come before an asset's name: "price of X", "news about X". */
const NAMING = ['quote', 'chart', 'news'];

/** Subjects of questions in which an unknown word is not an asset: "how much cash is idle". */
const OWN_SUBJECTS = ['cash', 'fees', 'realized', 'deposits', 'approvals'];

/**
 * Returns the assets: tickers with `$` or in capitals, and listed names. An unknown word counts as an asset only if it
 * is the only unknown word and the question needs an asset.
 */
function symbolsIn(items: readonly Item[], words: ReadonlySet<string>, cues: ReadonlySet<string>): string[] {
  const found = items.filter(isAsset).map((item) => namesOf(item, words));
  const listed = found.flatMap(({ names }) => names);
  const known = listed.length === 0 ? [] : [...listed, ...enumeratedIn(items)];
  const unknown = found.flatMap(({ rest }) => rest);
  if (known.length > 0 || !NAMING.some((cue) => cues.has(cue)) || OWN_SUBJECTS.some((cue) => cues.has(cue)))
    return [...new Set(known)];
  return unknown.length === 1 ? unknown : tickerAfterLink(items, words);
}

/** Returns the unknown names in a list of assets: "prices of Coke, Pepsi and Dr Pepper". */
function enumeratedIn(items: readonly Item[]): string[] {
  const isName = (item: Item): boolean => item.name !== undefined && !item.isKnownName && /^\p{Lu}/u.test(item.text);
  return items.flatMap((item, at) => {
    const isLinked = items[at - 1]?.tags.some((tag) => tag === 'and' || tag === 'comma') === true;
    const before = items[at - 2];
    if (!isName(item) || !isLinked || before === undefined || !isAsset(before)) return [];
    return [before, item].filter(isName).map(symbolOf);
  });
}

/** Returns the common word that can only be a ticker in its position: "price of snow". */
function tickerAfterLink(items: readonly Item[], words: ReadonlySet<string>): string[] {
  const isLink = (item: Item | undefined) =>
    item?.tags.some((tag) => ['of', 'on', 'for', 'about'].includes(tag)) === true;
  const found = items.find(
    ({ lower }, at) => /^[a-z]{3,5}$/.test(lower) && isLink(items[at - 1]) && !words.has(lower) && isListedName(lower),
  );
  return found === undefined ? [] : [found.lower];
}

function namesOf(item: Item, words: ReadonlySet<string>): { names: string[]; rest: string[] } {
  if (item.isKnownName) return { names: [symbolOf(item)], rest: [] };
  if (item.ticker === undefined) return namesIn(item.name ?? '', words);
  const isWord = item.tags.length > 0 && !item.text.startsWith('$');
  const isCue = words.has(foldWord(item.text)) && !item.text.startsWith('$');
  const isSymbol = isWord ? isListedName(item.text) && !isCue : !isCue || isListedName(item.text);
  return { names: isSymbol ? [symbolOf(item)] : [], rest: [] };
}

/** Finds listed names in a run of unknown words, longest first. `rest` contains the words between them. */
export function namesIn(run: string, cues: ReadonlySet<string>): { names: string[]; rest: string[] } {
  const words = run.split(' ');
  const names: string[] = [];
  const rest: string[][] = [[]];
  for (let at = 0; at < words.length; ) {
    const isCue = cues.has(foldWord(words[at] ?? ''));
    let count = isCue ? 0 : words.length - at;
    while (count > 0 && !isListedName(words.slice(at, at + count).join(' '))) count -= 1;
    if (count > 0) {
      names.push(words.slice(at, at + count).join(' '));
      rest.push([]);
    } else if (!isCue) rest.at(-1)?.push(words[at] ?? '');
    at += Math.max(1, count);
  }
  return { names, rest: rest.filter((one) => one.length > 0).map((one) => one.join(' ')) };
}

const DAYS: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };
export const periodDays: Partial<Record<Period, number>> = {
  '1W': 7,
  MTD: 30,
  '1M': 30,
  '3M': 90,
  '6M': 180,
  YTD: 365,
  '1Y': 365,
};

/** Numbers of days for which there is a period. */
const EXACT_DAYS: ReadonlySet<number> = new Set([7, 28, 30, 31, 84, 90, 91, 92, 180, 182, 183, 360, 364, 365, 1825]);

/** Returns the days of "the last thirty days", "2 weeks" or "the 30 day high". */
function spanDays(items: readonly Item[]): number | undefined {
  const at = items.findIndex(
    ({ tags, lower }, index) =>
      items[index - 1]?.quantity !== undefined && (tags.includes('span') || /^(?:day|week|month|year)$/.test(lower)),
  );
  const quantity = items[at - 1]?.quantity;
  const days = DAYS[items[at]?.lower.charAt(0) ?? ''];
  return quantity === undefined || quantity.isBad || days === undefined
    ? undefined
    : Math.ceil(Number(quantity.value) * days);
}

/** Returns the shortest period with at least as many days. */
const coveringPeriod = (days: number): Period =>
  days <= 7 ? '1W' : days <= 31 ? '1M' : days <= 92 ? '3M' : days <= 184 ? '6M' : days <= 366 ? '1Y' : '5Y';

/** Returns the number of days that the question covers. @throws {NotUnderstoodError} for more than a year */
export function daysOf(items: readonly Item[], period: Period | undefined, has: (cue: string) => boolean): number {
  const text = items
    .filter((item) => !isAsset(item))
    .map(({ lower }) => lower)
    .join(' ');
  const [, count, short] = /\b(\d{1,3}) ?(d|w|m|y)\b/.exec(text) ?? [];
  const unit = short ?? ['d', 'w', 'm', 'y'].find((one) => has(`unit_${one}`));
  const number = count ?? items.find(({ quantity }) => quantity?.isBad === false)?.quantity?.value ?? '1';
  const one = unit === undefined || period !== undefined ? undefined : Number(number) * (DAYS[unit] ?? 0);
  const said = spanDays(items) ?? one;
  const days = said ?? (period === undefined ? 90 : (periodDays[period] ?? 366));
  if (days >= 1 && days <= 365) return days;
  throw new NotUnderstoodError(phrase`I can show charts for one day to one year.`, phrase`Try "chart AAPL 6 months".`);
}
