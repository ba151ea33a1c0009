/* Long because the topics of questions are one table: of those that match, the heaviest is answered. */
import { phrase } from '../../text/phrase.ts';
import { listedSymbols } from '../../trading/listed-symbols.ts';
import type { Period } from '../../trading/period.ts';
import { defined } from '../../values/defined.ts';
import { isRisky } from './clauses.ts';
import { figurePartQuestions, figureQuestions, type PlannedAnswer } from './computed-topics.ts';
import { orderLimits, smallTalk, topicsWithoutData, wholeTopics } from './fixed-answers.ts';
import type { Intent, PerformanceFigure, PortfolioRanking } from './intent.ts';
import type { Item } from './item.ts';
import { isAsset } from './match.ts';
import { type Context, daysOf, namesIn, type Question, toQuestion } from './question.ts';
import { NotUnderstoodError, noAdviceError } from './refusal.ts';
import { dateOf } from './times.ts';

/*
 * Questions for information. A lexicon's cues are the words for a subject, at any position. A topic has a weight for
 * each combination of cues. Unknown words don't matter, because an answer changes nothing.
 */

/** Minimum weight of a topic that has a word of its own. Act words next to that word only describe the topic. */
export const CERTAIN = 5;
/** Minimum weight of a topic that is answered even if the question is about an order that was not placed. */
export const SURE = 9;
/** Minimum weight of a topic for which the other words don't matter. */
const PLAIN = 8;
/** In a question about several things, a topic with this weight or less is ignored. */
const WEAK = 1;
/** Maximum number of positions in a ranking. */
const MAX_RANKED = 20;

const WEEKDAYS = 'monday tuesday wednesday thursday friday saturday sunday'.split(' ');

/** Cues of the days on which the market may be closed. "The day after Thanksgiving" comes before "Thanksgiving". */
const HOLIDAYS: readonly string[] = [
  ...['black_friday', 'thanksgiving', 'christmas_eve', 'christmas', 'new_year', 'mlk_day', 'presidents_day'],
  ...['good_friday', 'memorial_day', 'juneteenth', 'independence_day', 'labor_day'],
];

const fixed = (intent: Intent | readonly Intent[]) => () => intent;

const yearIn = (items: readonly Item[]) => items.find(({ text }) => /^(?:19|20)\d\d$/.test(text))?.text;

/** Returns the number of shares that a question names. */
const countIn = (items: readonly Item[]) =>
  items.find(({ quantity }) => quantity?.unit === 'none' && !quantity.isBad)?.quantity?.value;

/** Returns a function that lists orders with a status, for a single symbol if the question names only one. */
const ordersIn =
  (status: 'open' | 'closed' | 'all') =>
  ({ symbols, has }: Question): Intent => ({
    kind: 'orders',
    status,
    ...defined({
      symbol: symbols.length === 1 ? symbols[0] : undefined,
      dated: has('placed_when') ? (true as const) : undefined,
    }),
  });

/** Returns the month after a preposition, because "may" and "march" are also other words. */
function monthIn(items: readonly Item[]): string | undefined {
  const found = items.find(
    ({ tags }, at) =>
      tags.includes('month_name') &&
      !items[at - 1]?.lower.endsWith('since') &&
      items.slice(Math.max(0, at - 3), at).some(isPreposition),
  );
  return found === undefined ? undefined : dateOf([found]);
}

const isPreposition = ({ lower }: Item) => /^(?:in|of|for|during|month of|the month of|over)$/.test(lower);

/** Returns the period of the activities, and the filter that the question asks for. */
function filteredPeriod({ items, period, symbols, words, has }: Question, unsaid: Period) {
  const side = has('bought') ? ('buy' as const) : ('sell' as const);
  const day = has('today') ? undefined : has('yesterday') ? 'yesterday' : WEEKDAYS.find((one) => words.has(one));
  const only = defined({
    day,
    year: yearIn(items),
    month: monthIn(items),
    side: has('fees') || has('bought') === has('sold') ? undefined : side,
    symbol: symbols.length === 1 ? symbols[0] : undefined,
  });
  const said = day === undefined ? period : '1W';
  const isOfMonth = only.month !== undefined && only.year === undefined && day === undefined;
  return {
    period: isOfMonth ? '1Y' : (said ?? (only.year === undefined ? unsaid : '5Y')),
    ...(Object.keys(only).length === 0 ? {} : { only }),
  };
}

/** Returns a function that ranks as many positions as a question names. Defaults to one, or to three for `both`. */
const rankingBy =
  (by: PortfolioRanking['by'], from: PortfolioRanking['from'] = 'top') =>
  ({ items, has }: Question): Intent => {
    const said = Number(items.find(({ quantity }) => quantity?.unit === 'none')?.quantity?.value ?? Number.NaN);
    const count = Number.isInteger(said) && said > 0 && said <= MAX_RANKED ? said : from === 'both' ? 3 : 1;
    const isDay = has('today') && by !== 'value';
    return { kind: 'portfolio', ranking: { by: isDay ? 'day' : has('in_dollars') ? 'dollars' : by, from, count } };
  };
const APPROVALS = phrase`Requests that wait for your approval are on your phone, and "trade-agent approvals" lists them. Your open orders:`;
const AUTOMATION = phrase`"trade-agent mandates" lists your recurring orders, and "trade-agent schedule" your regular checks. Your alerts:`;

const topics: readonly PlannedAnswer[] = [
  ...topicsWithoutData,
  ...figurePartQuestions,
  {
    say: 'advice',
    when: '9.5 advise, 7.5 predict+!when, 7.5 predict+when+symbol, 7.5 will+symbol, 4.5 think',
    advice: true,
  },
  { say: 'help', when: '1.5 help, 0.5 greeting', intent: fixed({ kind: 'help' }) },
  {
    say: 'approvals',
    when: '9.3 approvals',
    intent: fixed([
      { kind: 'say', text: APPROVALS },
      { kind: 'orders', status: 'open' },
    ]),
  },
  {
    say: 'automatic orders and checks',
    when: '9.05 automation',
    intent: fixed([{ kind: 'say', text: AUTOMATION }, { kind: 'alerts' }]),
  },
  { say: 'who am I', when: '8 who, 8 paper', intent: fixed({ kind: 'whoami' }) },
  { say: 'my risk', when: '8 risk+mine, 8 risk+holdings', intent: fixed({ kind: 'risk' }) },
  { say: 'findings', when: '8 findings', intent: fixed({ kind: 'findings' }) },
  {
    say: 'my tax lots',
    when: '8 lots, 9.4 hypothetical+gain+symbol+!cash, 9.4 hypothetical+taxes+symbol, 8.4 held_long+symbol, 8.4 basis+when+symbol, 9.4 basis+held_long+symbol',
    intent: ({ symbols }) => ({ kind: 'lots', ...defined({ symbol: symbols[0] }) }),
  },
  { say: 'my watchlist', when: '8 watchlist', intent: fixed({ kind: 'watchlist' }) },
  { say: 'my alerts', when: '8 alerts+!number', intent: fixed({ kind: 'alerts' }) },
  {
    say: 'my realized gains',
    when: '8 realized, 8.2 wash_sale+!symbol',
    intent: ({ items, symbols, has }) => {
      const year = yearIn(items);
      return {
        kind: 'gains',
        ...defined({
          year: year ?? (has('LY') ? 'last' : has('YTD') || has('wash_sale') ? 'this' : undefined),
          symbol: has('wash_sale') ? undefined : symbols[0],
          onlyWashSales: has('wash_sale') ? (true as const) : undefined,
        }),
      };
    },
  },
  {
    say: 'taxes',
    when: '8.5 taxes+!realized+!lots+!hypothetical, 8.5 taxes+asked+!lots+!hypothetical',
    intent: ({ has }) => [
      { kind: 'say', text: NO_TAXES },
      { kind: 'gains', year: has('LY') ? 'last' : 'this' },
    ],
  },
  {
    say: 'would selling AAPL be a wash sale?',
    when: '8.3 wash_sale+symbol',
    intent: ({ symbols }) => ({ kind: 'wash', symbol: symbols[0] ?? '' }),
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
    say: 'next dividend of AAPL',
    when: '9.05 dividend+pays_any+symbol+!mine, 9.1 dividend+upcoming+symbol, 9.6 dividend+upcoming+symbol+expect',
    intent: ({ symbols }) => ({ kind: 'dividend_dates', symbols }),
  },
  {
    say: 'dividends this year',
    when: '7 dividend',
    intent: (question) => ({
      kind: 'activities',
      kinds: ['dividend'],
      ...filteredPeriod(question, question.has('total') ? 'ALL' : 'YTD'),
    }),
  },
  {
    say: 'my fees',
    when: '7.2 fees+mine, 7.1 fees+period, 7.1 fees+traded, 7.05 fees+asked+!symbol',
    intent: (question) => ({ kind: 'activities', kinds: ['fee'], ...filteredPeriod(question, '1M') }),
  },
  {
    say: 'my interest',
    when: '7.15 interest+mine+!symbol',
    intent: (question) => ({ kind: 'activities', kinds: ['interest'], ...filteredPeriod(question, 'YTD') }),
  },
  {
    say: 'my deposits',
    when: '7 deposits',
    intent: ({ period }) => ({ kind: 'activities', kinds: ['deposit', 'withdrawal'], period: period ?? 'YTD' }),
  },
  {
    say: 'my performance compared with the S&P 500',
    when: '7.3 compare+mine, 7.3 compare+holdings+symbol, 7.3 compare+account',
    intent: ({ symbols, period, has }) => {
      const [said = has('market') || has('index') ? 'SPY' : undefined] = symbols;
      const benchmark = said !== undefined && INDEX.test(said) ? 'SPY' : said;
      if (symbols.length > 1)
        throw new NotUnderstoodError(
          phrase`I compare your performance with one asset at a time.`,
          phrase`Name only one of them.`,
        );
      return benchmark === undefined ? undefined : { kind: 'performance', period: period ?? 'YTD', benchmark };
    },
  },
  { say: 'news', when: '7 news', intent: ({ symbols }) => ({ kind: 'news', symbols }) },
  {
    say: 'chart AAPL',
    when: '7 chart+symbol, 5.4 period+symbol+moving+!performance+!mine, 5.3 period+symbol+quote+!mine, 5.3 period+symbol+my_symbol+moving',
    intent: ({ symbols, period, items, has }) =>
      symbols.map((symbol) => ({
        kind: 'chart',
        symbol,
        days: has('year_range') ? 365 : daysOf(items, period, has),
      })),
  },
  {
    say: 'closed orders',
    when: '6.6 order+why+closed, 6 order+closed, 5 closed+why+mine, 8.6 hypothetical_fill',
    intent: ordersIn('closed'),
  },
  {
    say: 'all orders',
    when: '6.3 order+placed_when+asks+!open+!pending, 6 order+history, 4.5 filled_or_not+asked+!market+!symbol, 5.6 order+today+mine+!open, 5.5 order+all, 5.1 order+why, 4 past_orders, 6.2 order+filled_or_not',
    intent: ordersIn('all'),
  },
  {
    say: 'open orders',
    when: '6.7 order+pending+!filled_or_not+!why, 6.5 order+open+!filled_or_not, 5 order, 5 pending',
    intent: ordersIn('open'),
  },
  {
    say: 'trading days',
    when: '6.5 holiday, 7.6 holiday+market+hours, 6.5 market+hours+calendar_date, 6.5 market+hours+tomorrow, 6.5 hours+tomorrow+mine, 6.4 market+tomorrow',
    intent: ({ has, words, items }) => ({
      kind: 'calendar',
      day:
        HOLIDAYS.find(has) ??
        (has('calendar_date') ? dateOf(items) : undefined) ??
        (has('holiday_name') && !has('tomorrow') ? 'holidays' : (WEEKDAYS.find((day) => words.has(day)) ?? 'tomorrow')),
    }),
  },
  { say: 'is the market open', when: '6 market+hours, 6 clock', intent: fixed({ kind: 'clock' }) },
  {
    say: 'my trades',
    when: '5.2 traded+mine+!tomorrow+!fees, 5.21 traded+mine+weekday+past+!fees+!each_time, 6.6 trades+weekday+mine+!market+!each_time, 5.2 trades, 5.45 trades+symbol+period, 9.2 recurring+closed',
    intent: (question) => ({
      kind: 'activities',
      kinds: ['fill'],
      ...filteredPeriod(question, question.has('today') ? '1D' : '1M'),
    }),
  },
  {
    say: 'what happened in my account today',
    when: '8.1 summary+account, 8.1 summary+my_day, 8.1 summary+today',
    intent: ({ period }) => [
      { kind: 'portfolio', view: 'day' },
      { kind: 'activities', period: period ?? '1D' },
    ],
  },
  {
    say: 'account activity',
    when: '5.5 activity, 8 transaction',
    intent: (question) => ({ kind: 'activities', ...filteredPeriod(question, '1M') }),
  },
  {
    say: 'my performance this month',
    when: '5 period+gain+mine+!symbol, 5 period+holdings+!symbol, 5 performance+mine+period, 5 period+gain+account, 4.9 period+gain+profit+!symbol, 5.05 period+account+past+!symbol',
    intent: ({ period }) => (period === undefined ? undefined : { kind: 'performance', period }),
  },
  {
    say: 'my biggest position',
    when: '5.5 largest+holdings+!loss+!all, 5.5 largest+own+mine+!loss, 5.5 most_of+mine, 5.5 largest+mine+!gain+!symbol+!loss+!worst',
    intent: rankingBy('value'),
  },
  {
    say: 'my best position',
    when: '5.6 best+mine+!worst, 5.6 best+performer+!worst, 5.6 gain+most+holdings+!loss+!worst, 5.7 best+holdings+!worst',
    intent: rankingBy('percent'),
  },
  {
    say: 'my worst position',
    when: '5.6 worst+mine+!best+!largest, 5.6 worst+performer+!best, 5.6 worst+holdings+!best, 5.8 loss+most+holdings+!best, 5.8 loss+most+mine+!best, 5.8 loss+largest+mine+!best, 5.8 loss+largest+holdings+!best, 5.8 big_loser+!best, 5.6 worst+asked+!best+!mine',
    intent: (question) => rankingBy(question.has('loss') ? 'dollars' : 'percent', 'bottom')(question),
  },
  {
    say: 'my worst position this month',
    when: '6.1 worst+period+!best+!symbol, 6.1 best+period+!worst+!symbol+!screen, 6.1 best+period+own_best+!worst+!symbol',
    intent: ({ period = 'MTD', has }) => ({ kind: 'performance', period, figure: has('worst') ? 'worst' : 'best' }),
  },
  {
    say: 'my best and worst positions',
    when: '5.9 best+worst, 5.9 largest+worst+!loss',
    intent: rankingBy('percent', 'both'),
  },
  {
    say: 'how much did I make today',
    when: '5 today+gain+mine+!symbol, 5 today+gain+holdings+!symbol, 5 today+mine+holdings+!symbol, 5 today+account+!symbol, 5 today+profit+!symbol, 5 my_day',
    intent: fixed({ kind: 'portfolio', view: 'day' }),
  },
  {
    say: 'my total gain',
    when: '4 total+gain+mine+!symbol, 4 profit+total+!symbol, 4 up_or_down+mine+!symbol, 4 made+mine+asked+!symbol',
    intent: fixed({ kind: 'portfolio', view: 'total' }),
  },
  {
    say: 'my AAPL position',
    when: '4 symbol+own+mine, 4 symbol+holdings+mine, 5.3 symbol+basis, 4 my_symbol, 4 symbol+made+mine, 5.2 symbol+profit+mine, 5.35 since_bought+symbol, 4 symbol+share_of, 5.1 symbol+up_or_down+mine, 4.1 symbol+unrealized',
    intent: ({ symbols }) => symbols.map((symbol) => ({ kind: 'portfolio', symbol })),
  },
  {
    say: 'what do I own',
    when: '2 holdings, 3 own+mine+!symbol, 3 worth+mine, 2 account+!symbol, 5.85 in_loss+holdings+asks+!most+!largest+!symbol+!worst, 3 gain+mine+doing, 3 gain+holdings, 2 profit, 2.5 rich, 5.7 all+holdings+mine+!loss, 5.7 all+holdings+largest+!loss',
    intent: fixed({ kind: 'portfolio' }),
  },
  {
    say: 'my cash',
    when: '3.2 cash, 3.2 money+own, 9.05 cash_to_buy+mine, 9.05 cash_to_buy+cash, 6.9 settled+cash, 6.9 settled+money, 6.8 withdrawable, 3.3 no_margin+asked',
    intent: ({ has }) => ({ kind: 'portfolio', view: has('settled') || has('withdrawable') ? 'settled' : 'cash' }),
  },
  {
    say: 'my options',
    when: '6.7 option+expire+mine+!number, 6.7 option+expire+asked+!number',
    intent: fixed({ kind: 'portfolio', view: 'options' }),
  },
  {
    say: 'what would 5 AAPL cost?',
    when: '6 cost_of+symbol+number+!past',
    intent: ({ symbols, items }) => {
      const qty = countIn(items);
      return symbols.length === 1 && qty !== undefined ? { kind: 'quote', symbols, qty } : undefined;
    },
  },
  {
    say: 'quote AAPL',
    when: '5.15 symbol+moved+today+!mine+!why, 5.15 symbol+moved+asked+!mine+!why+!period, 3.5 symbol+quote, 1 only_symbols, 2 symbol+what, 3.4 symbol+up_or_down, 3.6 symbol+level+number+asked+!mine+!trade',
    intent: ({ symbols }) => ({ kind: 'quote', symbols }),
  },
  {
    say: 'how is the market doing',
    when: '5.05 market_mood+!hours+!why+!symbol',
    intent: fixed({ kind: 'quote', symbols: ['SPY', 'QQQ'] }),
  },
  {
    say: 'why is AAPL down',
    when: '9 why+symbol+moved, 9 why+market+moved, 9.3 news+symbol+moved',
    intent: ({ symbols }) => [
      { kind: 'say', text: NO_REASONS },
      ...(symbols.length === 0 ? [] : [{ kind: 'quote', symbols } as const]),
      { kind: 'news', symbols },
    ],
  },
];

const NO_TAXES = phrase`I don’t compute taxes or give tax advice. Taxes depend on the gains that you realized:`;
const NO_REASONS = phrase`I can’t tell why a price moved. This is what I know:`;

const INDEX = /^(?:s ?& ?p|sp500|s&p ?500|s ?& ?p ?500|s and p|s and p 500)(?: index)?$/i;
const figures: readonly PerformanceFigure[] = ['sharpe', 'sortino', 'beta'];

interface Rule {
  readonly topic: PlannedAnswer;
  readonly weight: number;
  readonly all: readonly string[];
  readonly none: readonly string[];
}

const compileRules = (list: readonly PlannedAnswer[]): readonly Rule[] =>
  list
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

const rules = compileRules(topics);

/** Topics that need the whole sentence, because a part of it sounds like a request. */
const wholeQuestions: readonly PlannedAnswer[] = [
  {
    say: 'my tax lots',
    when: '9.4 hypothetical+gain+symbol+!cash, 9.4 hypothetical+taxes+symbol',
    intent: ({ symbols }) => ({ kind: 'lots', symbol: symbols[0] ?? '' }),
  },
  {
    say: 'my cash',
    when: '9.2 withdrawable+money, 9.2 withdrawable+cash, 9.2 withdrawable+dollars+asks+!symbol+!bank, 9.2 withdrawable+amount+can_i+!symbol+!bank, 9.2 no_margin+cash, 9.2 settled+cash+asked',
    intent: ({ has }) => ({ kind: 'portfolio', view: has('settled') || has('withdrawable') ? 'settled' : 'cash' }),
  },
  {
    say: 'what do I own',
    when: '9.26 hypothetical+all_mine+!symbol+asks',
    intent: fixed({ kind: 'portfolio' }),
  },
  {
    say: 'dividends this year',
    when: '9.01 dividend+symbol+mine+asked+!upcoming+!reinvest+!pays_any+!by_month+!trade',
    intent: (question) =>
      question.symbols.length === 1 && !question.items.some(({ tags }) => tags.includes('and'))
        ? {
            kind: 'activities',
            kinds: ['dividend'],
            ...filteredPeriod(question, question.has('total') ? 'ALL' : 'YTD'),
          }
        : undefined,
  },
  {
    say: 'what happened in my account today',
    when: '9.1 summary+account, 9.1 summary+my_day',
    intent: ({ period }) => [
      { kind: 'portfolio', view: 'day' },
      { kind: 'activities', period: period ?? '1D' },
    ],
  },
];
const wholeRules = compileRules([...wholeTopics, ...smallTalk, ...wholeQuestions, ...figureQuestions]);

/** Small talk. If a sentence has several kinds, the first kind in this list is answered. */
const talk = ['thanks', 'apology', 'bye', 'retracts', 'praise', 'greeting'];

/**
 * Returns the reply to small talk in a sentence that was not understood and that may ask for nothing: it has no act, no
 * asset and no number.
 */
export function readTalk(items: readonly Item[]): readonly Intent[] | undefined {
  const question = toQuestion(items, { it: undefined, isQuestion: false });
  const said = talk.find((cue) => question.has(cue));
  const mayAsk = items.some((item) => isRisky(item) || item.quantity !== undefined || item.ticker !== undefined);
  if (said === undefined || mayAsk || question.has('trade') || question.symbols.length > 0) return undefined;
  const reply = smallTalk.find(({ when }) => when.includes(`${said}+idle`));
  return reply?.text === undefined ? undefined : [{ kind: 'say', text: reply.text }];
}

/** Returns the explanation of a term in quotation marks: 'what means "partially filled"'. */
export function readExplained(items: readonly Item[]): readonly Intent[] | undefined {
  if (!items.some(({ aside }) => aside)) return undefined;
  const question = toQuestion(
    items.map((item) => ({ ...item, aside: false })),
    { it: undefined, isQuestion: true },
  );
  const found = question.has('trade') ? undefined : classify(question, wholeRules);
  return found?.topic.text === undefined ? undefined : found.intents;
}

/**
 * Returns whether the sentence is another person's words or a thought about a trade, instead of a request.
 * @param end the position after the act
 */
export function stanceOf(items: readonly Item[], end: number): 'reported' | 'undecided' | undefined {
  const context = { it: undefined, isQuestion: false };
  const lead = toQuestion(items.slice(0, end), context);
  if (lead.has('reported')) return 'reported';
  return lead.has('undecided') || toQuestion(items, context).has('unsure') ? 'undecided' : undefined;
}

/** Words about what might have been, or about an earlier trade. */
const MUSING =
  /\b(?:i wish|if only|had i|should(?:nt)? have|could have|would have|id have|i regret|what a pity|i (?:just |already |finally |almost |nearly )*(?:bought|sold|had to (?:sell|buy))|thinkin\w* (?:about|bout|of|maybe))\b/;
export const isMusing = (items: readonly Item[]) =>
  MUSING.test(items.map(({ lower }) => lower.replaceAll("'", '')).join(' ')) &&
  !items.some((_, at) => isRequestIn(items, at));

/** Returns the refusal of a request that no order can fulfill; undefined if the words make no such request. */
export function findOrderLimit(items: readonly Item[]): NotUnderstoodError | undefined {
  const question = toQuestion(items, { it: undefined, isQuestion: false });
  const missing = classify(question, compileRules(orderLimits))?.topic.missing;
  return missing === undefined ? undefined : missingError(missing, question);
}

interface Found {
  readonly topic: PlannedAnswer;
  readonly intents: readonly Intent[];
  readonly weight: number;
}

function intentsOf({ text, intent }: PlannedAnswer, question: Question): readonly Intent[] {
  if (text !== undefined) return [{ kind: 'say', text }];
  const found = intent?.(question);
  return found === undefined ? [] : 'kind' in found ? [found] : found;
}

/** Returns the topic with the greatest weight. @throws {NotUnderstoodError} if two have the same weight */
function classify(question: Question, among = rules): Found | undefined {
  let best: Found | undefined;
  for (const { topic, weight, all, none } of among) {
    if (best !== undefined && weight < best.weight) break;
    if (best?.topic === topic || !all.every(question.has) || none.some(question.has)) continue;
    const intents = intentsOf(topic, question);
    if (intents.length === 0 && topic.missing === undefined && topic.advice === undefined) continue;
    if (best !== undefined) throw unclear(best.topic, topic);
    best = { topic, intents, weight };
  }
  return best;
}

function unclear(one: PlannedAnswer, other: PlannedAnswer): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`Do you mean "${one.say}" or "${other.say}"?`,
    phrase`I found both in your question. Ask for one of them.`,
  );
}

/**
 * Returns the intents of a question. There are several if its parts ask for different things.
 * @throws {NotUnderstoodError} if there is no data, or if two topics are equally likely
 */
export function readTopic(items: readonly Item[], context: Context): Intent[] | undefined {
  if (isUnreadOrder(items)) return undefined;
  const parts = classifyParts(items, context);
  const clear = parts.filter((one) => one !== undefined);
  const isSplit =
    parts.length > 1 &&
    clear.length === parts.length &&
    new Set(clear.map(({ intents, topic }) => JSON.stringify(intents) + topic.say)).size === parts.length;
  const question = toQuestion(items, context);
  const found = isSplit ? clear : [classify(question)].filter((one) => one !== undefined);
  if (!found.every((one) => isClear(one, question, context))) return undefined;
  if (found.some(({ topic }) => topic.advice)) throw noAdviceError(toShown(question.symbols[0]));
  const intents = found.flatMap((one) => one.intents);
  const missing = found.flatMap(({ topic }) =>
    topic.missing === undefined ? [] : [missingError(topic.missing, question)],
  );
  const [first] = missing;
  if (first !== undefined && intents.length === 0) throw first;
  const isWider =
    question.has('inexact') && intents.some(({ kind }) => kind === 'performance' || kind === 'activities');
  const said = [
    ...missing.map(({ refusal }): Intent => ({ kind: 'say', text: refusal.phrases.message })),
    ...(isWider ? [{ kind: 'say', text: WIDER } as const] : []),
  ];
  const all = [...said, ...intents];
  return all.length === 0 ? undefined : all;
}

const WIDER = phrase`I don’t have exactly that period, so this is for a longer one.`;

const ORDER_TERMS = ['trailing', 'stop', 'stop_loss', 'stop_with_limit', 'limit', 'day', 'gtc', 'bracket'];

/**
 * Returns whether a sentence asks for an order or an alert in words that were not understood: "can you do a 7% trailing stop on all
 * my AAPL". An answer to it would hide that nothing was placed.
 */
function isUnreadOrder(items: readonly Item[]): boolean {
  const hasTag = (...names: readonly string[]) => items.some(({ tags }) => names.some((tag) => tags.includes(tag)));
  const text = items.map(({ lower }) => lower).join(' ');
  const isRequest = /\b(?:can|could|would|will) (?:you|u|ya)\b/.test(text);
  const isSized = items.some(({ quantity }) => quantity !== undefined);
  // "Let me know whether NVDA falls below 100" asks for an alert.
  const isAlert = /\bme (?:know )?whether\b/.test(text) && hasTag('falls', 'rises', 'above', 'below');
  if (isAlert && isSized) return true;
  return isRequest && isSized && items.some(isAsset) && hasTag(...ORDER_TERMS) && !hasTag('what');
}

/** Returns the possible subjects of a sentence, most likely first, even if the sentence can't be read. */
export function findMentionedKinds(items: readonly Item[]): readonly Intent['kind'][] {
  const question = toQuestion(items, { it: undefined, isQuestion: true });
  const found = rules.filter(({ all, none }) => all.every(question.has) && !none.some(question.has));
  return [...new Set(found.flatMap(({ topic }) => intentsOf(topic, question).map(({ kind }) => kind)))];
}

/** Cues that are common to many topics. */
const GENERAL =
  'mine asked asks what period number symbol my_symbol only_symbols trade amount !symbol today doing when'.split(' ');
const MAX_NEAREST = 3;

/** Returns possible questions with the words of a sentence that was not understood, nearest first. */
export function nearestQuestions(items: readonly Item[]): readonly string[] {
  const question = toQuestion(items, { it: undefined, isQuestion: true });
  const [symbol] = question.symbols;
  const near = rules
    .filter(({ topic }) => topic.intent !== undefined && topic.say !== 'help')
    .map(({ topic, all }) => {
      const own = all.filter((cue) => !GENERAL.includes(cue));
      return {
        say: topic.say,
        has: own.filter(question.has).length,
        part: own.filter(question.has).length / own.length,
      };
    })
    .filter(({ has }) => has > 0)
    .toSorted((one, other) => other.part - one.part || other.has - one.has)
    .map(({ say }) => say);
  const unsaid = symbol === undefined ? [] : ['quote AAPL', 'my AAPL position', 'buy 5 AAPL'];
  return [...new Set([...near, ...unsaid])].slice(0, MAX_NEAREST).map((say) => say.replaceAll('AAPL', toShown(symbol)));
}

/** Returns a ticker in capitals, or a company's name as the person wrote it. */
function toShown(symbol = 'AAPL'): string {
  return listedSymbols().has(symbol.toUpperCase()) ? symbol.toUpperCase() : symbol;
}

/** Returns the error for a topic without data. Its hint is about the question's symbol. */
function missingError(
  [message, hint]: NonNullable<PlannedAnswer['missing']>,
  { symbols }: Question,
): NotUnderstoodError {
  const [symbol] = symbols;
  return new NotUnderstoodError(message, symbol === undefined ? hint : hint.about(toShown(symbol)));
}

/**
 * Reads a whole sentence that is about something impossible, asks for an explanation, or asks for nothing. Returns
 * undefined if there is an act next to a question, because the act may be a request.
 * @throws {NotUnderstoodError} if the request is impossible
 */
export function readWhole(items: readonly Item[], context: Omit<Context, 'least'>): readonly Intent[] | undefined {
  const question = toQuestion(items, context);
  const found = classify(question, wholeRules);
  if (found?.topic.missing !== undefined) throw missingError(found.topic.missing, question);
  if (found?.topic.advice) throw noAdviceError(toShown(question.symbols[0]));
  const mayTrade =
    found !== undefined &&
    found.weight >= SURE &&
    items.some(({ tags }) => tags.includes('ask') || tags.includes('question'));
  if (found === undefined || items.some((_, at) => isRequestIn(items, at))) return undefined;
  return question.has('trade') && !mayTrade ? undefined : found.intents;
}

/**
 * Reads the question next to words that forbid or report something: "don't sell my AAPL, I only want to know its
 * price". Returns undefined if there are other acts.
 */
export function readAside(items: readonly Item[], it: string | undefined): readonly Intent[] | undefined {
  const sentences = splitBy(items, ({ tags }) => ['end', 'comma', 'question'].some((tag) => tags.includes(tag)));
  const read = sentences.map((own) => ({ own, question: toQuestion(own, { it: undefined, isQuestion: true }) }));
  const acts = read.filter(({ question }) => question.has('trade'));
  const isIdle = acts.every(({ question }) => question.has('not_do') || question.has('reported'));
  const isAside = acts.length > 0 || items.some(({ aside }) => aside);
  if (!isAside || !isIdle || items.some((_, at) => isRequestIn(items, at))) return undefined;
  const quoted = items.map((item) => ({ ...item, aside: false }));
  const named = toQuestion(quoted, { it: undefined, isQuestion: true }).symbols;
  const symbol =
    it ?? acts.flatMap(({ question }) => question.symbols)[0] ?? (named.length === 1 ? named[0] : undefined);
  const asked = read.filter(({ question }) => question.has('asking') && !question.has('trade'));
  const intents = asked.flatMap(
    ({ own }) => readTopic(own, { it: symbol, mustBeIt: true, isQuestion: true, least: 0 }) ?? [],
  );
  return intents.length === 0 ? undefined : intents;
}

/** Returns whether the topic is clear. A sentence that is not a question must begin with a known word. */
function isClear({ weight, topic }: Found, { items, words }: Question, { isQuestion, least }: Context): boolean {
  if (weight < least) return false;
  if (isQuestion || weight >= PLAIN) return true;
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

/**
 * Classifies the parts of a question. A part may refer to the previous part's symbol ("and how long have I held it"),
 * or ask the same about another symbol ("and how much of that was from XOM").
 */
function classifyParts(items: readonly Item[], context: Context): (Found | undefined)[] {
  let before:
    | { readonly found: Found; readonly items: readonly Item[]; readonly symbol: string | undefined }
    | undefined;
  return partsOf(items).map((part) => {
    const refers = part.some(({ tags }) => ['it', 'position', 'lots', 'share'].some((tag) => tags.includes(tag)));
    const about = before?.symbol === undefined ? context : { ...context, it: before.symbol, mustBeIt: true };
    const alone = tryClassify(part, refers ? about : context);
    const own = alone?.topic.missing === undefined ? alone : tryClassify(part, about);
    const isSame = refers && before !== undefined && before.found.weight >= CERTAIN;
    const found = isSame && (own === undefined || own.weight < CERTAIN) ? again(before, part, context) : own;
    if (found !== undefined) before = { found, items: part, symbol: toQuestion(part, context).symbols[0] };
    return found;
  });
}

function again(
  before: { readonly found: Found; readonly items: readonly Item[] } | undefined,
  part: readonly Item[],
  context: Context,
): Found | undefined {
  if (before === undefined) return undefined;
  const { topic, weight } = before.found;
  const intents = intentsOf(topic, toQuestion([...before.items, ...part], context));
  return intents.length === 0 ? undefined : { topic, intents, weight };
}

/** Splits items at "and" and at commas. */
const partsOf = (items: readonly Item[]) =>
  splitBy(items, (item) => !isAsset(item) && item.tags.some((tag) => tag === 'and' || tag === 'comma'));

function splitBy(items: readonly Item[], isLink: (item: Item) => boolean): Item[][] {
  const parts: Item[][] = [[]];
  for (const item of items) {
    if (isLink(item)) parts.push([]);
    else parts.at(-1)?.push(item);
  }
  return parts.filter((part) => part.length > 0);
}

/** Returns whether the sentence begins with a verb that may request something: "double my KO position". */
export function isImperative(items: readonly Item[]): boolean {
  const first = items.filter(({ tags }) => !tags.includes('harmless')).slice(0, 1);
  return toQuestion(first, { it: undefined, isQuestion: false }).has('imperative');
}

/** Returns whether there is a question word anywhere in the sentence. */
export function isAsking(items: readonly Item[]): boolean {
  return toQuestion(items, { it: undefined, isQuestion: false }).has('asking');
}

/** Returns whether an act with an amount is a request inside a question: "my cash go ahead sell 5 KO". */
export function isRequestIn(items: readonly Item[], at: number): boolean {
  const isAct = items[at]?.tags.some((tag) => ['buy', 'sell', 'trim', 'cancel'].includes(tag));
  const isAsked = items
    .slice(Math.max(0, at - 3), at)
    .some(({ tags, lower }) => tags.includes('ask') || /\b(?:i|we|you|to)\b/.test(lower));
  return isAct === true && !isAsked && items[at + 1]?.quantity !== undefined;
}
