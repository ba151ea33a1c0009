import type { Period } from '../../trading/period.ts';
import { defined } from '../../values/defined.ts';
import type { Intent, PerformanceFigure } from './intent.ts';
import type { Item } from './items.ts';
import { foldWord, lexiconFor } from './lexicon.ts';
import { isAsset, symbolOf } from './match.ts';
import { NotUnderstoodError, questionError } from './refusal.ts';
import { isListedName } from './symbols-by-name.ts';

/*
 * Questions for information. A lexicon's cues say which words are about what, wherever they stand; a topic says how much
 * a combination of cues counts. Unknown words don't matter, because an answer changes nothing.
 */

/** The words of a question, as slots and cues. */
interface Question {
  readonly symbols: readonly string[];
  readonly period: Period | undefined;
  readonly items: readonly Item[];
  /** The words of all cues. */
  readonly words: ReadonlySet<string>;
  has(cue: string): boolean;
}

interface Topic {
  /** An example, which a question between two topics offers. */
  readonly say: string;
  /** Weights of combinations of cues: `5 order+open, 3 order`. `!cue` must be absent. */
  readonly when: string;
  /** Text of the refusal if the program has no data, with what it can show. */
  readonly missing?: readonly [message: string, hint: string];
  /** Whether it asks for an opinion, which nobody gets. */
  readonly advice?: true;
  readonly intent?: (question: Question) => Intent | undefined;
}

/** From this weight on, a topic has a word of its own, so that act words beside it are only about it. */
const CERTAIN = 5;
/** Up to this weight, a topic is no part of a question that asks for several things. */
const WEAK = 1;

const fixed = (intent: Intent) => () => intent;
const noData = (message: string, hint: string) => [`I don't have ${message}.`, hint] as const;
const QUOTE_HINT = 'I can show its price, chart and news: "quote AAPL", "chart AAPL", "news on AAPL".';

const topicsWithoutData: readonly Topic[] = [
  {
    say: 'earnings',
    when: '9 earnings',
    missing: noData('earnings dates and reports', QUOTE_HINT),
  },
  { say: 'ratings', when: '9 ratings', missing: noData('analyst ratings and price targets', QUOTE_HINT) },
  { say: 'company', when: '9 company', missing: noData('facts about companies and their people', QUOTE_HINT) },
  {
    say: 'fundamentals',
    when: '9 fundamentals',
    missing: noData('company figures such as market value, revenue and ratios', QUOTE_HINT),
  },
  {
    say: 'range',
    when: '9 range',
    missing: noData('52-week highs and lows', 'I can draw the last year: "chart AAPL 1y".'),
  },
  {
    say: 'next dividend',
    when: '9 dividend+upcoming, 9 dividend+tomorrow',
    missing: noData('dates of future dividends', 'I can show those that were paid: "dividends this year".'),
  },
  {
    say: 'taxes',
    when: '9 taxes',
    missing: noData(
      'tax amounts',
      'I can show what they are computed from: "my realized gains this year", "my tax lots".',
    ),
  },
  {
    say: 'recurring orders',
    when: '9 recurring',
    missing: noData('the list of recurring orders here', 'Run "trade-agent mandates" to see them.'),
  },
  {
    say: 'limits',
    when: '7.9 limits',
    missing: noData('the text of your limits here', 'Ask about one order, as in "would buying 5 AAPL pass my rules?".'),
  },
  {
    say: 'world',
    when: '9 world',
    missing: noData('facts beyond your account and the market', 'I can show prices, charts, news and your account.'),
  },
  {
    say: 'best stocks',
    when: '9 screen',
    missing: noData(
      'rankings or searches of the whole market',
      'I can show your own: "my best position", "my watchlist".',
    ),
  },
  {
    say: 'reasons',
    when: '9 why+symbol+moved, 9 why+market+moved',
    missing: noData('reasons for a price', 'I can show "news on AAPL" and "chart AAPL".'),
  },
  {
    say: 'one position',
    when: '9 ratio+symbol, 9 dividend+by_month+symbol, 9 dividend+by_symbol, 9 ratio+year_number, 9 realized+symbol+!lots',
    missing: noData('that figure for one security', 'I can compute it for the whole account.'),
  },
];

const topics: readonly Topic[] = [
  ...topicsWithoutData,
  { say: 'advice', when: '9.5 advise, 7.5 predict, 7.5 will+symbol, 4.5 think', advice: true },
  { say: 'help', when: '1.5 help, 0.5 greeting', intent: fixed({ kind: 'help' }) },
  { say: 'who am I', when: '8 who, 8 paper', intent: fixed({ kind: 'whoami' }) },
  { say: 'my risk', when: '8 risk+mine, 8 risk+holdings', intent: fixed({ kind: 'risk' }) },
  { say: 'findings', when: '8 findings', intent: fixed({ kind: 'findings' }) },
  {
    say: 'my tax lots',
    when: '8 lots',
    intent: ({ symbols }) => ({ kind: 'lots', ...defined({ symbol: symbols[0] }) }),
  },
  { say: 'my watchlist', when: '8 watchlist', intent: fixed({ kind: 'watchlist' }) },
  { say: 'my alerts', when: '8 alerts', intent: fixed({ kind: 'alerts' }) },
  {
    say: 'my realized gains',
    when: '8 realized',
    intent: ({ items, has }) => {
      const year = items.find(({ text }) => /^(?:19|20)\d\d$/.test(text))?.text;
      return { kind: 'gains', ...defined({ year: year ?? (has('LY') ? 'last' : has('YTD') ? 'this' : undefined) }) };
    },
  },
  {
    say: 'my Sharpe ratio',
    when: '8 ratio',
    intent: ({ period, has }) => ({
      kind: 'performance',
      period: period ?? '1Y',
      figure: figures.find((one) => has(one)) ?? 'beta',
    }),
  },
  {
    say: 'dividends by month',
    when: '8 dividend+by_month',
    intent: ({ period }) => ({ kind: 'performance', period: period ?? 'YTD', figure: 'dividends' }),
  },
  {
    say: 'dividends this year',
    when: '7 dividend',
    intent: ({ period, has }) => ({
      kind: 'activities',
      kinds: ['dividend'],
      period: period ?? (has('total') ? 'ALL' : 'YTD'),
    }),
  },
  {
    say: 'my deposits',
    when: '7 deposits',
    intent: ({ period }) => ({ kind: 'activities', kinds: ['deposit', 'withdrawal'], period: period ?? 'YTD' }),
  },
  {
    say: 'my performance compared with the S&P 500',
    when: '7 compare+mine, 7 compare+holdings+symbol',
    intent: ({ symbols, period, has }) => {
      const [said = has('market') || has('index') ? 'SPY' : undefined] = symbols;
      const benchmark = said !== undefined && INDEX.test(said) ? 'SPY' : said;
      return benchmark === undefined || symbols.length > 1
        ? undefined
        : { kind: 'performance', period: period ?? 'YTD', benchmark };
    },
  },
  { say: 'news', when: '7 news', intent: ({ symbols }) => ({ kind: 'news', symbols }) },
  {
    say: 'chart AAPL',
    when: '7 chart+symbol',
    intent: ({ symbols, period, items, has }) =>
      symbols.length === 1 ? { kind: 'chart', symbol: symbols[0] ?? '', days: daysOf(items, period, has) } : undefined,
  },
  {
    say: 'closed orders',
    when: '6.6 order+why+closed, 6 order+closed, 5 closed+why+mine',
    intent: fixed({ kind: 'orders', status: 'closed' }),
  },
  {
    say: 'all orders',
    when: '6 order+history, 5.5 order+all, 5 order+why, 4 past_orders',
    intent: fixed({ kind: 'orders', status: 'all' }),
  },
  {
    say: 'open orders',
    when: '6.5 order+open, 5 order, 5 pending',
    intent: fixed({ kind: 'orders', status: 'open' }),
  },
  {
    say: 'trading days',
    when: '6.5 holiday, 6.5 market+hours+tomorrow, 6.5 hours+tomorrow+mine',
    intent: fixed({ kind: 'calendar' }),
  },
  { say: 'is the market open', when: '6 market+hours, 6 clock', intent: fixed({ kind: 'clock' }) },
  {
    say: 'my trades',
    when: '5.2 traded+mine+!tomorrow, 5.2 trades',
    intent: ({ period, has }) => ({
      kind: 'activities',
      kinds: ['fill'],
      period: period ?? (has('today') ? '1D' : '1M'),
    }),
  },
  {
    say: 'account activity',
    when: '5.5 activity',
    intent: ({ period }) => ({ kind: 'activities', period: period ?? '1M' }),
  },
  {
    say: 'my performance this month',
    when: '5 period+gain+mine+!symbol, 5 period+holdings+!symbol, 5 performance+mine+period, 5 period+gain+account',
    intent: ({ period }) => (period === undefined ? undefined : { kind: 'performance', period }),
  },
  {
    say: 'my biggest position',
    when: '5.5 largest+holdings, 5.5 largest+own+mine, 5.5 most_of+mine, 5.5 largest+mine+!gain+!symbol',
    intent: fixed({ kind: 'portfolio', view: 'biggest' }),
  },
  {
    say: 'my best position',
    when: '5.6 best+mine, 5.6 best+performer, 5.6 gain+most+holdings',
    intent: fixed({ kind: 'portfolio', view: 'best' }),
  },
  {
    say: 'my worst position',
    when: '5.6 worst+mine, 5.6 worst+performer, 5.6 worst+holdings',
    intent: fixed({ kind: 'portfolio', view: 'worst' }),
  },
  {
    say: 'how much did I make today',
    when: '5 today+gain+mine+!symbol, 5 today+gain+holdings+!symbol, 5 today+mine+holdings+!symbol, 5 today+profit+!symbol, 5 my_day',
    intent: fixed({ kind: 'portfolio', view: 'day' }),
  },
  {
    say: 'my total gain',
    when: '4 total+gain+mine+!symbol, 4 profit+total+!symbol, 4 up_or_down+mine+!symbol, 4 made+mine+asked+!symbol',
    intent: fixed({ kind: 'portfolio', view: 'total' }),
  },
  {
    say: 'my AAPL position',
    when: '4 symbol+own+mine, 4 symbol+holdings+mine, 4 symbol+basis, 4 my_symbol, 4 symbol+made+mine',
    intent: ({ symbols }) =>
      symbols.length === 1 ? { kind: 'portfolio', symbol: symbols[0] ?? '' } : { kind: 'portfolio' },
  },
  {
    say: 'my cash',
    when: '3 cash, 2 holdings, 3 own+mine+!symbol, 3 worth+mine, 2 account+!symbol, 3 gain+mine+doing, 3 money+own, 3 gain+holdings, 2 profit, 2.5 rich',
    intent: fixed({ kind: 'portfolio' }),
  },
  {
    say: 'quote AAPL',
    when: '3.5 symbol+quote, 1 only_symbols, 2 symbol+what',
    intent: ({ symbols }) => ({ kind: 'quote', symbols }),
  },
];

const INDEX = /^(?:s ?& ?p|sp500|s&p ?500|s ?& ?p ?500|s and p|s and p 500)(?: index)?$/i;
const figures: readonly PerformanceFigure[] = ['sharpe', 'sortino', 'beta'];

interface Rule {
  readonly topic: Topic;
  readonly weight: number;
  readonly all: readonly string[];
  readonly none: readonly string[];
}

const rules: readonly Rule[] = topics
  .flatMap((topic) =>
    topic.when.split(', ').map((part) => {
      const [weight, cues = ''] = part.split(' ');
      const names = cues.split('+');
      return {
        topic,
        weight: Number(weight),
        all: names.filter((name) => !name.startsWith('!')),
        none: names.filter((name) => name.startsWith('!')).map((name) => name.slice(1)),
      };
    }),
  )
  .toSorted((one, other) => other.weight - one.weight);

const periods: readonly Period[] = ['MTD', 'YTD', '3M', '6M', '5Y', 'ALL', '1Y', '1M', '1W'];

/** The symbol that "it" refers to, and whether the sentence is a question. */
interface Context {
  readonly it: string | undefined;
  readonly isQuestion: boolean;
  /** Whether only a topic with a word of its own counts. */
  readonly isCertain?: boolean;
}

function toQuestion(items: readonly Item[], { it, isQuestion }: Context): Question {
  const text = items.map((item) => item.text).join(' ');
  const lexicon = lexiconFor(text);
  const found = lexicon.cuesIn(text);
  const cues = new Set(found.map(({ cue }) => cue));
  const words = new Set(found.flatMap(({ phrase }) => [phrase, ...phrase.split(' ')]));
  const symbols = symbolsIn(items, words, cues);
  if (symbols.length === 0 && it !== undefined && items.some(({ tags }) => tags.includes('it'))) symbols.push(it);
  if (symbols.length > 20) throw new NotUnderstoodError('That is more than 20 symbols.', 'Ask for fewer at once.');
  const period = cues.has('LY') ? '1Y' : periods.find((one) => cues.has(one));
  const isOnly = items.every(
    (item) =>
      (isAsset(item) && (item.name === undefined || item.isKnownName || namesIn(item.name, words).rest.length === 0)) ||
      item.tags.some((tag) => ['harmless', 'comma', 'question', 'end', 'and', 'share'].includes(tag)),
  );
  const isMine = ({ lower }: Item) => lexicon.cuesIn(lower).some(({ cue }) => cue === 'mine');
  const isMySymbol = items.some((item, at) => isAsset(item) && items.slice(Math.max(0, at - 1), at).some(isMine));
  const extra: readonly (readonly [string, boolean])[] = [
    ['asked', isQuestion],
    ['year_number', items.some(({ tags }) => tags.includes('year_number'))],
    ['period', period !== undefined],
    ['symbol', symbols.length > 0],
    ['only_symbols', symbols.length > 0 && isOnly],
    ['my_symbol', symbols.length > 0 && isMySymbol],
  ];
  for (const [cue, isPresent] of extra) if (isPresent) cues.add(cue);
  return { symbols, period, items, words, has: (cue) => cues.has(cue) };
}

/** Meanings of words that name the asset after them: "price of X", "news about X". */
const NAMING = ['quote', 'chart', 'news'];

/**
 * Returns the assets: tickers with `$` or in capitals, and names that are listed. An unknown word is one only if it is the
 * only one, and if the question needs one.
 */
function symbolsIn(items: readonly Item[], words: ReadonlySet<string>, cues: ReadonlySet<string>): string[] {
  const found = items.filter(isAsset).map((item) => namesOf(item, words));
  const known = found.flatMap(({ names }) => names);
  const unknown = found.flatMap(({ rest }) => rest);
  const isNeeded = known.length === 0 && unknown.length === 1 && NAMING.some((cue) => cues.has(cue));
  return [...new Set(isNeeded ? unknown : known)];
}

function namesOf(item: Item, words: ReadonlySet<string>): { names: string[]; rest: string[] } {
  if (item.isKnownName) return { names: [symbolOf(item)], rest: [] };
  if (item.ticker === undefined) return namesIn(item.name ?? '', words);
  const isWord = item.tags.length > 0 && !item.text.startsWith('$');
  const isSymbol = !isWord || (isListedName(item.text) && !words.has(foldWord(item.text)));
  return { names: isSymbol ? [symbolOf(item)] : [], rest: [] };
}

/** Finds listed names in a run of unknown words, longest first. The rest are runs of words without one. */
function namesIn(run: string, cues: ReadonlySet<string>): { names: string[]; rest: string[] } {
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

interface Found {
  readonly topic: Topic;
  readonly intent: Intent | undefined;
  readonly weight: number;
}

/** Returns the topic with the greatest weight. @throws {NotUnderstoodError} if two weigh the same */
function classify(question: Question): Found | undefined {
  let best: Found | undefined;
  for (const { topic, weight, all, none } of rules) {
    if (best !== undefined && weight < best.weight) break;
    if (best?.topic === topic || !all.every(question.has) || none.some(question.has)) continue;
    const intent = topic.intent?.(question);
    if (intent === undefined && topic.missing === undefined && topic.advice === undefined) continue;
    if (best !== undefined) throw unclear(best.topic, topic);
    best = { topic, intent, weight };
  }
  return best;
}

function unclear(one: Topic, other: Topic): NotUnderstoodError {
  return new NotUnderstoodError(
    `Do you mean "${one.say}" or "${other.say}"?`,
    'I found both in your question. Ask for one of them.',
  );
}

/**
 * Returns what the items ask for; more than one intent if their parts ask for different things.
 * @throws {NotUnderstoodError} if there is no data on it, or if it is one of two topics
 */
export function readTopic(items: readonly Item[], context: Context): Intent[] | undefined {
  const parts = partsOf(items).map((part) => tryClassify(part, context));
  const clear = parts.filter((one) => one !== undefined);
  const isSplit =
    parts.length > 1 && clear.length === parts.length && new Set(clear.map(({ topic }) => topic)).size === parts.length;
  const question = toQuestion(items, context);
  const found = isSplit ? clear : [classify(question)].filter((one) => one !== undefined);
  if (!found.every((one) => isClear(one, question, context))) return undefined;
  if (found.some(({ topic }) => topic.advice)) throw questionError(question.symbols[0]);
  const missing = found.find(({ intent }) => intent === undefined)?.topic.missing;
  if (missing !== undefined) throw new NotUnderstoodError(...missing);
  const intents = found.flatMap(({ intent }) => (intent === undefined ? [] : [intent]));
  return intents.length === 0 ? undefined : intents;
}

/** A sentence that is no question may be a misspelled request, so it must begin with a known word. */
function isClear({ weight, topic }: Found, { items, words }: Question, { isQuestion, isCertain }: Context): boolean {
  if (isCertain && weight < CERTAIN) return false;
  if (isQuestion) return true;
  const isKnown = (item: Item) =>
    [item.tags.length > 0, item.ticker, item.isKnownName, item.quantity].some(Boolean) ||
    namesIn(item.name ?? item.lower, words).rest.length === 0;
  const said = items.filter(({ tags }) => !tags.includes('harmless'));
  if (topic.say === 'quote AAPL' && weight > 2) return true;
  return (weight >= CERTAIN ? said.slice(0, 1) : said).every(isKnown);
}

function tryClassify(items: readonly Item[], context: Context): Found | undefined {
  try {
    const found = classify(toQuestion(items, context));
    return found === undefined || found.weight <= WEAK ? undefined : found;
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

/** Splits items at "and" and at commas. */
function partsOf(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [[]];
  for (const item of items) {
    const isLink = !isAsset(item) && item.tags.some((tag) => tag === 'and' || tag === 'comma');
    if (isLink) parts.push([]);
    else parts.at(-1)?.push(item);
  }
  return parts.filter((part) => part.length > 0);
}

const DAYS: Readonly<Record<string, number>> = { d: 1, w: 7, m: 30, y: 365 };
const periodDays: Partial<Record<Period, number>> = {
  '1W': 7,
  MTD: 30,
  '1M': 30,
  '3M': 90,
  '6M': 180,
  YTD: 365,
  '1Y': 365,
};

/** @throws {NotUnderstoodError} for more than a year */
function daysOf(items: readonly Item[], period: Period | undefined, has: (cue: string) => boolean): number {
  const text = items
    .filter((item) => !isAsset(item))
    .map(({ lower }) => lower)
    .join(' ');
  const [, count, short] = /\b(\d{1,3}) ?(d|w|m|y)\b/.exec(text) ?? [];
  const unit = short ?? ['d', 'w', 'm', 'y'].find((one) => has(`unit_${one}`));
  const number = count ?? items.find(({ quantity }) => quantity?.isBad === false)?.quantity?.value ?? '1';
  const said = unit === undefined || period !== undefined ? undefined : Number(number) * (DAYS[unit] ?? 0);
  const days = said ?? (period === undefined ? 90 : (periodDays[period] ?? 366));
  if (days >= 1 && days <= 365) return days;
  throw new NotUnderstoodError('I can draw charts of one day to one year.', 'Try "chart AAPL 6 months".');
}

/** Returns whether an act with an amount is a request inside a question: "my cash go ahead sell 5 KO". */
export function isRequestIn(items: readonly Item[], at: number): boolean {
  const isAct = items[at]?.tags.some((tag) => ['buy', 'sell', 'trim', 'cancel'].includes(tag));
  const isAsked = items
    .slice(Math.max(0, at - 3), at)
    .some(({ tags, lower }) => tags.includes('ask') || /\b(?:i|we|you|to)\b/.test(lower));
  return isAct === true && !isAsked && items[at + 1]?.quantity !== undefined;
}
