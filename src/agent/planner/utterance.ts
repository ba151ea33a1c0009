import { Dec, toPlain } from '../../trading/decimal.ts';
import type { OrderType, Side, TimeInForce } from '../../trading/order.ts';
import { type OrderClass, orderClasses, type PositionIntent } from '../../trading/order-classes.ts';
import { defined } from '../../values/defined.ts';
import { CONTRACT_RULE, findPositionIntents, matchesContract } from './contract-mention.ts';
import { parseNewestTurn } from './conversation.ts';
import { isUnresolvedName, type OrderIntent } from './intent.ts';
import { isNumberWord, parseNumber } from './number-words.ts';
import { timeInForceWords } from './order-terms.ts';
import { sentenceClauses } from './sentence.ts';
import { findSymbol, NAME_RULE, type NameSearchResult } from './symbols-by-name.ts';
import { reservedWords } from './words.ts';

/*
 * Reads what the person's own words say about an order, even in sentences that the planner can't parse. Words that are
 * not recognized count as not said. For a field that the person did not mention, the phone shows who chose it.
 */

interface NumberMention {
  readonly value: string;
  readonly fields: readonly string[];
}

/** Everything that one turn says about orders for one symbol. */
export interface Utterance {
  readonly symbol: boolean;
  /** Name of the rule that finds the symbol if the words don't contain it. */
  readonly symbolBy?: string;
  readonly sides: readonly Side[];
  readonly intents: readonly PositionIntent[];
  readonly types: readonly OrderType[];
  /** The order classes that the words can mean, one for each reading. */
  readonly classes: readonly OrderClass[];
  readonly times: readonly TimeInForce[];
  readonly extendedHours: boolean;
  readonly numbers: readonly NumberMention[];
  /** Fractions of a position: `"0.5"` for half. */
  readonly fractions: readonly string[];
}

const amountFields = [
  'qty',
  'notional',
  'limit_price',
  'stop_price',
  'trail_price',
  'trail_percent',
  'trail',
  'take_profit_limit_price',
  'stop_loss_stop_price',
  'stop_loss_limit_price',
];
const exitPrices = ['take_profit_limit_price', 'stop_loss_stop_price', 'stop_loss_limit_price'] as const;
const fieldsByUnit = {
  shares: ['qty'],
  price: ['limit_price', 'stop_price', ...exitPrices],
  profit: ['take_profit_limit_price', 'limit_price'],
  stop: ['stop_price', 'stop_loss_stop_price'],
  dollars: ['notional', 'limit_price', 'stop_price', 'trail_price', 'trail', ...exitPrices],
  percent: ['trail_percent', 'trail', 'max_slippage'],
  trail: ['trail_percent', 'trail_price', 'trail'],
  bare: amountFields,
} as const;
type Unit = keyof typeof fieldsByUnit;

export const orderVerbs: readonly (readonly [string, Side])[] = [
  ['buy', 'buy'],
  ['purchase', 'buy'],
  ['acquire', 'buy'],
  ['grab', 'buy'],
  ['sell', 'sell'],
  ['dump', 'sell'],
  ['unload', 'sell'],
  ['offload', 'sell'],
  ['liquidate', 'sell'],
];
const negatedVerb = new RegExp(
  `\\b(?:don'?t|do not|never|not)\\s+(?:\\S+\\s+){0,2}?(?:${orderVerbs.map(([verb]) => verb).join('|')})\\b`,
  'i',
);
const acronyms = new Set('OK USD ETF ETFS AM PM EST EDT ET UTC NYSE NASDAQ STP IRA CEO IPO PS FYI ASAP'.split(' '));

/**
 * Returns what the newest turn says about orders for a symbol: one reading per order if the planner can parse the turn,
 * otherwise one reading of all its words.
 * @param turns the person's own turns, newest last, for "the same for KO"
 * @param names resolved names
 * @returns at least one reading
 */
export function parseUtterances(
  turns: readonly string[],
  symbol: string,
  names: readonly NameSearchResult[] = [],
): Utterance[] {
  const turn = turns.at(-1) ?? '';
  const { parsed, accepted } = parseNewestTurn(turns);
  // The turn is only a "yes" to a spelling question, so it says nothing about an order.
  if (accepted !== undefined) return [emptyUtterance];
  const orders = 'intents' in parsed ? parsed.intents.filter((intent) => intent.kind === 'order') : [];
  if (orders.length === 0) return [readWords(turn, symbol)];
  const ours = orders.filter(({ request, contract }) => {
    const ticker = resolveTicker(String(request.symbol), names);
    return contract === undefined ? ticker === symbol : matchesContract(symbol, ticker, contract);
  });
  return ours.length === 0 ? [emptyUtterance] : ours.map((order) => readIntent(order, turn, symbol));
}

function resolveTicker(said: string, names: readonly NameSearchResult[]): string | undefined {
  if (!isUnresolvedName(said)) return said;
  // If the name was not looked up, because a model chose the symbol, the word counts only if it is the ticker itself.
  return findSymbol(said, names) ?? said.toUpperCase();
}

const emptyUtterance: Utterance = {
  symbol: false,
  sides: [],
  intents: [],
  types: [],
  classes: [],
  times: [],
  extendedHours: false,
  numbers: [],
  fractions: [],
};

function readIntent({ request, fraction, contract }: OrderIntent, turn: string, symbol: string): Utterance {
  const numbers = amountFields.flatMap((field) => {
    const value = (request as Record<string, unknown>)[field];
    return typeof value === 'string' ? [{ value, fields: [field] }] : [];
  });
  const type = request.type ?? 'market';
  const said = String(request.symbol);
  const isByName = isUnresolvedName(said) && said.toUpperCase() !== symbol;
  const computed = contract !== undefined ? CONTRACT_RULE : isByName ? NAME_RULE : undefined;
  return {
    symbol: true,
    ...defined({ symbolBy: computed }),
    sides: [request.side],
    intents: request.position_intent === undefined ? [] : [request.position_intent],
    types: type !== 'market' || /\b(?:market|mkt)\b/i.test(turn) ? [type] : [],
    classes: request.order_class === undefined ? [] : [request.order_class],
    times: request.time_in_force === undefined ? [] : [request.time_in_force],
    extendedHours: request.extended_hours === true,
    numbers,
    fractions: fraction === undefined ? [] : [fraction],
  };
}

function readWords(turn: string, symbol: string): Utterance {
  const clauses = splitIntoClauses(turn);
  const concern = clauses.filter(({ tickers }) => tickers.length === 0 || tickers.includes(symbol));
  const classes = classesIn(concern);
  return {
    symbol: clauses.some(({ tickers }) => tickers.includes(symbol)),
    sides: unique(concern.flatMap(({ sides }) => sides)),
    intents: unique(concern.flatMap(({ lower }) => findPositionIntents(lower))),
    types: classes.length === 0 ? unique(concern.flatMap(typesIn)) : entryTypes(concern, classes),
    classes,
    times: unique(
      concern.flatMap((clause) =>
        timeInForceWords.flatMap(([time, ...phrases]) => (containsPhrase(clause, ...phrases) ? [time] : [])),
      ),
    ),
    extendedHours: concern.some((clause) => containsPhrase(clause, 'extended hours', 'extended-hours')),
    numbers: concern.flatMap((clause) => numbersIn(clause, symbol)),
    fractions: unique(concern.flatMap(fractionsIn)),
  };
}

interface Clause {
  readonly words: readonly string[];
  readonly lower: readonly string[];
  readonly tickers: readonly string[];
  /** The sides of the clause's own verbs, or else of the previous clause: "sell 5 AAPL, 3 MSFT". */
  readonly sides: readonly Side[];
}

export function splitIntoClauses(turn: string): Clause[] {
  const shouted = !/[a-z]/.test(turn);
  let before: readonly Side[] = [];
  return sentenceClauses(turn.replaceAll('’', "'"))
    .filter((clause) => !negatedVerb.test(clause))
    .flatMap((clause) => clause.split(/,\s+(?=\$?\d|[A-Z]{2})/))
    .map((clause) => {
      const words = wordsOf(clause);
      const lower = words.map((word) => word.toLowerCase());
      const own = orderVerbs.flatMap(([verb, side]) => (lower.includes(verb) ? [side] : []));
      if (own.length > 0) before = unique(own);
      return { words, lower, tickers: tickersIn(words, shouted), sides: before };
    });
}

function wordsOf(text: string): string[] {
  return text
    .replace(/\$\s+(?=\d)/g, '$')
    .replace(/(^|\s)@\s*(?=\$?\d)/g, '$1@ ')
    .split(/\s+/)
    .map((word) => word.replace(/^["'(]+|["'),.!?:;]+$/g, ''))
    .filter((word) => word !== '');
}

/** Words after which a lower-case word is a symbol: "5 aapl", "half my msft", "shares of ko". */
const leadsToTicker = new Set([...orderVerbs.map(([verb]) => verb), 'quote', 'share', 'shares', 'of', 'my']);

/** Returns the tickers. If any are in capitals, returns only those: in "5 shares of Apple (AAPL)", only AAPL. */
function tickersIn(words: readonly string[], shouted: boolean): string[] {
  const found = words.flatMap((word, at) => {
    const ticker = tickerAt(words, at, shouted);
    return ticker === undefined ? [] : [{ ticker, inCapitals: !/[a-z]/.test(word.replace(/'s$/, '')) }];
  });
  const capitals = found.filter(({ inCapitals }) => inCapitals);
  return unique((capitals.length > 0 ? capitals : found).map(({ ticker }) => ticker));
}

/**
 * Returns the ticker at a position. A lower-case word, or any word of a sentence in all capitals, counts as a ticker
 * only after a word such as "buy" or a quantity: "tell me" does not name TELL.
 */
function tickerAt(words: readonly string[], at: number, shouted: boolean): string | undefined {
  const word = words[at]?.replace(/^\$(?=[A-Za-z])/, '').replace(/'s$/i, '') ?? '';
  // Checked before converting to upper case, which turns the long s and ligatures into ASCII.
  if (!/^[A-Za-z][A-Za-z0-9]{0,9}([./][A-Za-z0-9]{1,4})?$/.test(word)) return undefined;
  const upper = word.toUpperCase();
  if (acronyms.has(upper)) return undefined;
  const inGrammar = reservedWords.has(word.toLowerCase());
  const lead = words[at - 1]?.toLowerCase() ?? '';
  const led = leadsToTicker.has(lead) || (parseNumber(lead) !== undefined && !isPrice(words, at - 1));
  if (word !== upper || shouted) return led && !inGrammar ? upper : undefined;
  const isWord = word === 'I' || word === 'A' || (inGrammar && upper.length > 2);
  return isWord || timeInForceWords.some(([time]) => time === word.toLowerCase()) ? undefined : upper;
}

function containsPhrase({ lower }: Clause, ...phrases: string[]): boolean {
  const line = ` ${lower.join(' ')} `;
  return phrases.some((phrase) => line.includes(` ${phrase} `));
}

function typesIn(clause: Clause): OrderType[] {
  if (containsPhrase(clause, 'trailing', 'trail')) return ['trailing_stop'];
  const stop = containsPhrase(clause, 'stop', 'stop loss', 'stop-loss', 'stp', 'stop-limit');
  const limit =
    containsPhrase(clause, 'limit', 'lmt', 'stop-limit') || numbersIn(clause, '').some(({ unit }) => unit === 'price');
  if (stop) return containsPhrase(clause, 'limit', 'lmt', 'stop-limit') ? ['stop_limit'] : ['stop'];
  if (limit) return ['limit'];
  return containsPhrase(clause, 'market', 'mkt') ? ['market'] : [];
}

const profitWords = ['take profit', 'take-profit', 'profit target', 'price target', 'tp'];
const stopWords = ['stop', 'stop loss', 'stop-loss', 'stp'];

/** Returns the order classes that are named or that follow from the prices. A lone stop is a leg only in a purchase. */
function classesIn(clauses: readonly Clause[]): OrderClass[] {
  const said = (...phrases: string[]) => clauses.some((clause) => containsPhrase(clause, ...phrases));
  const named = orderClasses.filter((name) => said(name));
  if (named.length > 0) return named;
  const sides = unique(clauses.flatMap((clause) => clause.sides));
  const [profit, stop] = [said(...profitWords), said(...stopWords)];
  if (sides.includes('sell')) {
    const either = said('or stop', 'or a stop', 'or at', 'or stop-loss');
    return stop && (profit || either) ? ['oco'] : [];
  }
  if (profit) return [stop ? 'bracket' : 'oto'];
  return said('stop loss', 'stop-loss', 'with a stop', 'with stop') ? ['oto'] : [];
}

/** Returns the types of the entry order. A leg's stop does not make the entry a stop order. */
function entryTypes(clauses: readonly Clause[], classes: readonly OrderClass[]): OrderType[] {
  if (classes.includes('oco')) return ['limit'];
  if (clauses.some((clause) => containsPhrase(clause, 'limit', 'lmt'))) return ['limit'];
  return clauses.some((clause) => containsPhrase(clause, 'market', 'mkt')) ? ['market'] : [];
}

function fractionsIn({ lower }: Clause): string[] {
  return lower.flatMap((word) => {
    if (word === 'half') return ['0.5'];
    if (word === 'all') return ['1'];
    const percent = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(word)?.[1];
    return percent === undefined ? [] : [toPlain(new Dec(percent).div(100))];
  });
}

/** Words that are followed by a price, possibly with other words in between ("limit of $180"). */
const priceWords = new Set('limit lmt at @ stop stp above below under over stop-limit stop-loss'.split(' '));
const between = new Set(['price', 'of', 'at', '@', 'is', 'by']);

/** Returns the word that says what a number is: `limit` in "limit price of 180". */
function leadingWord(words: readonly string[], at: number): string {
  let back = at - 1;
  const word = () => words[back]?.toLowerCase() ?? '';
  while (between.has(word()) && !priceWords.has(word())) back -= 1;
  return word();
}

function isPrice(words: readonly string[], at: number): boolean {
  return priceWords.has(leadingWord(words, at));
}

function numbersIn(clause: Clause, symbol: string): (NumberMention & { unit: Unit })[] {
  const { lower } = clause;
  return lower.flatMap((word, at) => {
    const read = parseNumber(word);
    if (read === undefined || isOtherSymbols(clause, at, symbol)) return [];
    if (isNumberWord(word) && [at - 1, at + 1].some((next) => isNumberWord(lower[next] ?? ''))) return [];
    const unit = numberUnit(clause, at);
    return [{ value: read, unit, fields: fieldsByUnit[unit] }];
  });
}

function numberUnit({ words, lower, tickers }: Clause, at: number): Unit {
  const [word = '', next = ''] = lower.slice(at, at + 2);
  const lead = leadingWord(words, at);
  if (word.endsWith('%') || next === 'percent' || next === '%') return 'percent';
  if (lower.slice(0, at).some((each) => each === 'trail' || each === 'trailing')) return 'trail';
  if (/^(?:stop|stp|stop-loss|loss)$/.test(lead)) return 'stop';
  if (/^(?:profit|take-profit|tp|target)$/.test(lead)) return 'profit';
  if (priceWords.has(lead)) return 'price';
  if (/^\$/.test(word) || /^(?:dollars?|usd|bucks)$/.test(next) || lower[at - 1] === 'usd') return 'dollars';
  return /^shares?$/.test(next) || tickers.includes((words[at + 1] ?? '').toUpperCase()) ? 'shares' : 'bare';
}

/** Returns whether a number belongs to another symbol: in "5 AAPL for 10 MSFT", 10 does not belong to AAPL. */
function isOtherSymbols({ words, lower, tickers }: Clause, at: number, symbol: string): boolean {
  for (let next = at + 1; next <= at + 4 && next < words.length; next += 1) {
    if (parseNumber(lower[next] ?? '') !== undefined) return false;
    const word = (words[next] ?? '').toUpperCase();
    if (tickers.includes(word)) return symbol !== '' && word !== symbol;
  }
  return false;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
