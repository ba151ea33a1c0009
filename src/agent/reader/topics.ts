import type { Period } from '../../trading/period.ts';
import { defined } from '../../values/defined.ts';
import type { Intent, PerformanceFigure } from './intent.ts';
import type { Item } from './items.ts';
import { isAsset, symbolOf } from './match.ts';
import { NotUnderstoodError } from './refusal.ts';

/*
 * Questions for information. A topic is known by the meanings it needs; every item of the clause must have one of the
 * meanings that the topic needs or allows, in any order.
 */

/** Meanings that no question depends on. */
const ALWAYS = [
  'ask',
  'self',
  'harmless',
  'what',
  'is',
  'i',
  'do',
  'of',
  'my',
  'a',
  'question',
  'end',
  'for',
  'at',
  'over',
  'and',
  'on',
  'get',
];

interface Said {
  readonly symbols: readonly string[];
  readonly period: Period | undefined;
  readonly number: string | undefined;
  has(tag: string): boolean;
  readonly items: readonly Item[];
}

interface Topic {
  /** Groups of meanings, each of which at least one item must have. */
  readonly need: string;
  /** Meanings that may be said too. */
  readonly may?: string;
  /** How many symbols the topic takes; none by default. */
  readonly symbols?: 'one' | 'some' | 'maybe';
  readonly intent: (said: Said) => Intent | undefined;
}

const fixed = (intent: Intent) => () => intent;
const PORTFOLIO = 'portfolio|position';

const topics: readonly Topic[] = [
  { need: 'help', may: 'help', intent: fixed({ kind: 'help' }) },
  { need: 'who', may: 'who', intent: fixed({ kind: 'whoami' }) },
  {
    need: 'what account',
    may: 'account|on|using|portfolio',
    intent: ({ items }) => (/^(?:what|which) account/i.test(textOf(items)) ? { kind: 'whoami' } : undefined),
  },
  {
    need: 'paper',
    may: 'paper|or|account|it|portfolio|vague',
    intent: ({ items }) => (items.some(({ tags }) => tags.includes('is')) ? { kind: 'whoami' } : undefined),
  },
  { need: 'risk', may: `risk|${PORTFOLIO}|how_rich|what|make`, intent: fixed({ kind: 'risk' }) },
  { need: 'findings', may: 'findings|latest|check|rules', intent: fixed({ kind: 'findings' }) },
  {
    need: 'lots',
    may: 'lots|all|open_list|position|portfolio',
    symbols: 'maybe',
    intent: ({ symbols }) => ({ kind: 'lots', ...defined({ symbol: symbols[0] }) }),
  },
  { need: 'watchlist', may: 'watchlist', intent: fixed({ kind: 'watchlist' }) },
  { need: 'alerts', may: 'alerts|all|own|open_list|place', intent: fixed({ kind: 'alerts' }) },
  {
    need: 'realize',
    may: 'realize|gain|make|period|year',
    intent: ({ period, number, items }) => {
      const isYear = number === undefined || /^(?:19|20)\d\d$/.test(number);
      const isPeriod = period === undefined || period === 'YTD' || isLastYear(items);
      const year = number ?? (period === undefined ? undefined : isLastYear(items) ? 'last' : 'this');
      // "realize my gains" asks for sales, not for a report.
      const isAct = items.find(({ tags }) => !tags.includes('harmless'))?.lower.replace('s', 'z') === 'realize';
      return isYear && isPeriod && !isAct ? { kind: 'gains', ...defined({ year }) } : undefined;
    },
  },
  {
    need: 'ratio',
    may: 'ratio|period|portfolio',
    intent: ({ period, items }) => ({ kind: 'performance', period: period ?? '1Y', figure: figureOf(items) }),
  },
  {
    need: 'dividends by_month',
    may: 'dividends|by_month|period|all|receive',
    intent: ({ period }) => ({ kind: 'performance', period: period ?? 'YTD', figure: 'dividends' }),
  },
  {
    need: 'dividends',
    may: 'dividends|receive|period|make|all|unrealized',
    intent: ({ period, has }) => ({
      kind: 'activities',
      kinds: ['dividend'],
      period: period ?? (has('unrealized') ? 'ALL' : 'YTD'),
    }),
  },
  {
    need: 'deposits',
    may: 'deposits|period|latest|make|all',
    intent: ({ period, has }) => ({
      kind: 'activities',
      kinds: has('deposits') ? ['deposit', 'withdrawal'] : [],
      period: period ?? 'YTD',
    }),
  },
  {
    need: 'benchmark make|portfolio|benchmark|doing',
    may: 'benchmark|make|portfolio|period|how_rich|do|a|unrealized',
    symbols: 'one',
    intent: ({ symbols, period, items }) => compared(symbols[0] ?? '', period, items),
  },
  {
    need: 'activity',
    may: 'activity|period|latest|portfolio|all|account|history',
    intent: ({ period }) => ({ kind: 'activities', period: period ?? '1M' }),
  },
  {
    need: 'traded',
    may: 'traded|period|latest|all|day_of|order_noun|vague',
    intent: ({ period, has, items }) => {
      const isQuestion = items.some(({ tags }) => tags.includes('what') || tags.includes('do'));
      const isNoun = items.some(({ lower }) =>
        /trades|history|log|executions|fills|activity|purchases|sales/.test(lower),
      );
      const when = period ?? (has('day_of') ? '1D' : '1M');
      return isQuestion || isNoun ? { kind: 'activities', kinds: ['fill'], period: when } : undefined;
    },
  },
  {
    need: 'what|ask make period',
    may: 'make|period|portfolio|gain|how_rich|position|cash|unrealized',
    intent: performance,
  },
  { need: 'make portfolio|my period', may: 'make|period|portfolio|gain|how_rich|position|cash', intent: performance },
  { need: 'portfolio period', may: 'make|period|portfolio|gain|how_rich|position', intent: performance },
  {
    need: 'largest portfolio|own|position|performer|largest',
    may: 'largest|portfolio|own|position|all|it',
    intent: ({ items }) =>
      items.some(({ tags, lower }) => tags.includes('portfolio') || tags.includes('own') || /most of/.test(lower))
        ? { kind: 'portfolio', view: 'biggest' }
        : undefined,
  },
  {
    need: 'best portfolio|performer|best',
    may: 'best|portfolio|performer|make|largest|position|day_of',
    intent: ({ items, has }) => (isMine(items, has, 'best') ? { kind: 'portfolio', view: 'best' } : undefined),
  },
  {
    need: 'worst portfolio|performer|worst',
    may: 'worst|portfolio|performer|make|largest|position|day_of',
    intent: ({ items, has }) => (isMine(items, has, 'worst') ? { kind: 'portfolio', view: 'worst' } : undefined),
  },
  {
    need: 'day_of make|gain|portfolio|how_rich',
    may: 'make|day_of|portfolio|gain|how_rich|cash|position|or|own|vague|all|self|quote',
    intent: ({ items, has }) => (isAboutMe(items) || has('gain') ? { kind: 'portfolio', view: 'day' } : undefined),
  },
  {
    need: 'make|gain unrealized',
    may: 'make|unrealized|portfolio|gain|how_rich|cash|position|or|vague',
    intent: ({ items }) => (isAboutMe(items) ? { kind: 'portfolio', view: 'total' } : undefined),
  },
  {
    need: 'unrealized gain',
    may: 'unrealized|gain|make|portfolio',
    intent: fixed({ kind: 'portfolio', view: 'total' }),
  },
  {
    need: 'make is',
    may: 'make|or|how_rich',
    intent: ({ items }) =>
      items.some(({ lower }) => /^(?:up|down|up or down)$/.test(lower)) && isAboutMe(items)
        ? { kind: 'portfolio', view: 'total' }
        : undefined,
  },
  {
    need: 'why|closed_list order_noun closed_list',
    may: 'why|order_noun|closed_list|latest|last|get|all|vague|not',
    symbols: 'maybe',
    intent: fixed({ kind: 'orders', status: 'closed' }),
  },
  { need: 'why order_noun', may: 'why|order_noun|latest|last', intent: fixed({ kind: 'orders', status: 'all' }) },
  {
    need: 'closed_list order_noun',
    may: 'closed_list|order_noun|latest|own|all|period',
    intent: fixed({ kind: 'orders', status: 'closed' }),
  },
  {
    need: 'order_history|history order_history|order_noun',
    may: 'all',
    intent: fixed({ kind: 'orders', status: 'all' }),
  },
  {
    need: 'all order_noun',
    may: 'all|open_list|vague|own',
    intent: ({ has }) => ({ kind: 'orders', status: has('open_list') ? 'open' : 'all' }),
  },
  { need: 'order_noun', may: 'open_list|own|vague', intent: fixed({ kind: 'orders', status: 'open' }) },
  {
    need: 'open_list',
    may: 'own',
    intent: ({ items }) => (/pending/.test(textOf(items)) ? { kind: 'orders', status: 'open' } : undefined),
  },
  {
    need: 'market_noun open_close tomorrow',
    may: 'market_noun|open_close|tomorrow|would',
    intent: fixed({ kind: 'calendar' }),
  },
  {
    need: 'open_close tomorrow',
    may: 'open_close|tomorrow|would|can',
    intent: ({ items }) => (items.some(({ lower }) => /can i|trade/.test(lower)) ? { kind: 'calendar' } : undefined),
  },
  { need: 'calendar', may: 'calendar|period', intent: fixed({ kind: 'calendar' }) },
  {
    need: 'market_noun open_close',
    may: 'market_noun|open_close|would|next|when|if|yet|what',
    intent: fixed({ kind: 'clock' }),
  },
  {
    need: 'open_close',
    may: 'open_close',
    intent: ({ items }) => (/(?:market|trading|opening) hours/.test(textOf(items)) ? { kind: 'clock' } : undefined),
  },
  {
    need: 'news',
    may: 'news|latest|about|period|with|market_noun|day_of|portfolio',
    symbols: 'maybe',
    intent: ({ symbols }) => ({ kind: 'news', symbols }),
  },
  {
    need: 'chart',
    may: 'chart|latest|period|span|per|week|month|daily|share|position|quote|place|over|a_day|trading_day|year',
    symbols: 'one',
    intent: ({ symbols, items }) => ({ kind: 'chart', symbol: symbols[0] ?? '', days: daysOf(items) }),
  },
  {
    need: 'own|position|make',
    may: 'own|position|make|share|portfolio|how_rich|quote|vague|what|day_of|gain|unrealized|with',
    symbols: 'one',
    intent: ({ symbols, items }) =>
      isAboutPosition(items) ? { kind: 'portfolio', symbol: symbols[0] ?? '' } : undefined,
  },
  {
    need: 'quote|latest|share|what',
    may: 'quote|latest|share|one_share|of|is|position|day_of|market|comma|the_price|worth|make|per|how_rich',
    symbols: 'some',
    intent: ({ symbols, items }) =>
      isAboutMe(items) && !items.some(({ tags }) => tags.includes('quote')) ? undefined : { kind: 'quote', symbols },
  },
  {
    need: '@',
    may: 'comma',
    symbols: 'some',
    intent: ({ symbols, items }) =>
      items.every((one) => !isAsset(one) || one.ticker !== undefined || one.isKnownName)
        ? { kind: 'quote', symbols }
        : undefined,
  },
  {
    need: 'portfolio|how_rich|own|cash',
    may: 'portfolio|how_rich|own|cash|position|all|what|latest|account|unrealized|vague|gain|it|with',
    intent: ({ items }) => (isPlainPortfolio(items) ? { kind: 'portfolio' } : undefined),
  },
];

const textOf = (items: readonly Item[]) => items.map(({ lower }) => lower).join(' ');
const isLastYear = (items: readonly Item[]) => /last year/.test(textOf(items));
const isAboutMe = (items: readonly Item[]) =>
  items.some(({ tags }) => tags.includes('self')) || /\b(?:i|im|i'm|my|me|mine|we|our|us)\b/.test(textOf(items));
const isMine = (items: readonly Item[], has: (tag: string) => boolean, tag: string) =>
  isAboutMe(items) ||
  items.some(({ lower, tags }) => tags.includes(tag) && /performer|gainer|loser|winner|did|does|doing/.test(lower)) ||
  (has('portfolio') &&
    /^(?:which|what|best|worst)/.test(textOf(items)) &&
    !/\b(?:best|worst) (?:stocks|shares|investments?)\b/.test(textOf(items)));

/** A portfolio question has a noun for it, or says "I own", "am I doing"; a lone "worth" or "up" is not one. */
function isPlainPortfolio(items: readonly Item[]): boolean {
  const text = textOf(items);
  const noun = items.some(({ tags }) => tags.includes('portfolio') || tags.includes('cash'));
  const isMyPart =
    items.some(({ tags }) => tags.includes('own') && tags.includes('self')) ||
    /\b(?:i own|i have|i hold|am i holding|am i invested|i got|i m|how am i doing|how rich|how much money|invest|spend)\b/.test(
      text,
    );
  return (noun && !/^(?:everything|stuff|stocks in|balance of)$/.test(text)) || isMyPart;
}

function isAboutPosition(items: readonly Item[]): boolean {
  const text = textOf(items);
  const isOwn =
    /\b(?:own|hold|holding|have|got|stake|position|pay|paid|cost basis|average price|average cost)\b/.test(text) &&
    /\b(?:i|my)\b/.test(text);
  const isMyAsset = items.some(
    (item, at) =>
      isAsset(item) && items[at - 1]?.tags.includes('my') === true && /^(?:my|our)$/.test(items[at - 1]?.lower ?? ''),
  );
  return isOwn || isMyAsset;
}

function performance({ period, items }: Said): Intent | undefined {
  return period === undefined || !isAboutMe(items) ? undefined : { kind: 'performance', period };
}

const INDEX = /^(?:s ?& ?p|sp500|s&p ?500|s ?& ?p ?500)(?: index)?$/i;

function compared(symbol: string, period: Period | undefined, items: readonly Item[]): Intent | undefined {
  if (!isAboutMe(items) && !/\bme\b/.test(textOf(items))) return undefined;
  return { kind: 'performance', period: period ?? 'YTD', benchmark: INDEX.test(symbol) ? 'SPY' : symbol };
}

function figureOf(items: readonly Item[]): PerformanceFigure {
  const text = textOf(items);
  return (['sharpe', 'sortino', 'beta'] as const).find((one) => text.includes(one)) ?? 'beta';
}

const spans: readonly (readonly [RegExp, Period])[] = [
  [/month to date|mtd|this month|the month/, 'MTD'],
  [/year to date|ytd|this year|the year|since january/, 'YTD'],
  [/(?:three|3) months|quarter/, '3M'],
  [/(?:six|6) months/, '6M'],
  [/5 years/, '5Y'],
  [/all time/, 'ALL'],
  [/12 months|year/, '1Y'],
  [/30 days|month/, '1M'],
  [/week|7 days|few days/, '1W'],
];

function periodOf(items: readonly Item[]): Period | undefined {
  const said = items.find(({ tags }) => tags.includes('period'))?.lower;
  return said === undefined ? undefined : spans.find(([pattern]) => pattern.test(said))?.[1];
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
function daysOf(items: readonly Item[]): number {
  const period = periodOf(items);
  const text = textOf(items.filter((item) => !isAsset(item)));
  const [, count, unit] =
    /(?:(\d{1,3}) ?|\b)(d|w|m|y|days?|weeks?|months?|years?)\b/.exec(text.replace(/\bmy\b/g, '')) ?? [];
  const said = unit === undefined ? undefined : Number(count ?? 1) * (DAYS[unit.charAt(0)] ?? 0);
  const days = said ?? (period === undefined ? 90 : (periodDays[period] ?? 90));
  if (days >= 1 && days <= 365) return days;
  throw new NotUnderstoodError('I can draw charts of one day to one year.', 'Try "chart AAPL 6 months".');
}

const isSpan = ({ lower }: Item) => /^(?:\d{1,3}(?:d|w|m|y))$/.test(lower);

/** Returns the question that the items ask, or undefined if a word fits no topic. */
export function readTopic(items: readonly Item[]): Intent | undefined {
  if (items.some(({ aside }) => aside)) return undefined;
  for (const topic of topics) {
    const intent = readAs(topic, items);
    if (intent !== undefined) return intent;
  }
  return undefined;
}

function readAs({ need, may = '', symbols: takes, intent }: Topic, items: readonly Item[]): Intent | undefined {
  const groups = need.split(' ').map((group) => group.split('|'));
  const hasOne = (group: readonly string[]) => items.some((item) => group.some((tag) => hasMeaning(item, tag)));
  if (!groups.every(hasOne)) return undefined;
  const allowed = new Set([...ALWAYS, ...groups.flat(), ...may.split('|'), ...(takes === 'some' ? ['comma'] : [])]);
  const isTopic = (item: Item) =>
    item.tags.some((tag) => allowed.has(tag)) ||
    (allowed.has('year') && isNumber(item)) ||
    (allowed.has('chart') && isSpan(item));
  const named =
    takes === undefined ? [] : items.filter((item) => isAsset(item) && (item.ticker !== undefined || !isTopic(item)));
  if (!items.every((item) => named.includes(item) || isTopic(item)) || !isCount(takes, named.length)) return undefined;
  if (named.length > 20) throw new NotUnderstoodError('That is more than 20 symbols.', 'Ask for fewer at once.');
  return intent({
    symbols: named.map(symbolOf),
    period: periodOf(items),
    number: items.find(isNumber)?.quantity?.value,
    has: (tag) => items.some(({ tags }) => tags.includes(tag)),
    items,
  });
}

const hasMeaning = (item: Item, tag: string) => (tag === '@' ? isAsset(item) : item.tags.includes(tag));
const isNumber = ({ quantity }: Item) => quantity?.isBad === false;

function isCount(takes: Topic['symbols'], count: number): boolean {
  if (takes === 'maybe') return true;
  return takes === 'one' ? count === 1 : takes === 'some' ? count > 0 : count === 0;
}
