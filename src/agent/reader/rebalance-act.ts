import { phrase } from '../../text/phrase.ts';
import { Dec, toPlain, ZERO } from '../../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import { defined } from '../../values/defined.ts';
import { readCashTarget } from './cash-target.ts';
import type { OrderIntent, RebalanceIntent, TargetIntent } from './intent.ts';
import type { Item } from './item.ts';
import { has, isAsset, symbolOf, type TemplateMatch } from './match.ts';
import { namesIn } from './question.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { fractions } from './slots.ts';
import { listedTicker, tickersByNickname } from './symbols-by-name.ts';
import { Taker } from './taker.ts';

const rebalanceExample = phrase`Try "rebalance to 60% VTI 40% BND".`;

/** Verbs that ask for a target size of a position, by the side of the order that they imply. */
const sells = ['trim', 'sell', 'close'];
const buys = ['buy', 'grow', 'add'];
const VERBS = 'trim|sell|get|alter|rebalance|grow|place|invest|change';

/**
 * Reads "make NVDA 10% of my portfolio", "get my AAPL down to $5,000" and "bring KO up to 50 shares". Returns undefined
 * for other requests.
 */
export function readTargetSize(items: readonly Item[]): OrderIntent | TargetIntent | undefined {
  return readCashTarget(items) ?? readPositionTarget(items);
}

function readPositionTarget(items: readonly Item[]): OrderIntent | TargetIntent | undefined {
  const words = new Taker(items);
  const [lead] = words.take(VERBS)?.items ?? [];
  const symbol = words.take('my? share|position? of? my? my? @ share|position?')?.symbols[0];
  if (lead === undefined || symbol === undefined) return undefined;
  const found = words.take(PART_OF_ACCOUNT) ?? words.take(COUNT_OR_VALUE);
  while (words.take('comma? and? just_do') !== undefined);
  return found === undefined || words.rest !== undefined
    ? undefined
    : targetOf(symbol, found, sideOf(items, lead, found), lead);
}

const PART_OF_ACCOUNT =
  'direction? to|is|have_after|of? is? roughly? only? most|each_most|at? only? % of? my? my? whole_account worth? most?';
const COUNT_OR_VALUE =
  'direction? to|have_after|until_i_have roughly|comment? only? most|each_most? $|# worth? share? of? it? only?';

function targetOf(
  symbol: string,
  found: TemplateMatch,
  side: 'buy' | 'sell' | undefined,
  verb: Item,
): OrderIntent | TargetIntent | undefined {
  const [quantity] = found.quantities;
  if (quantity === undefined) return undefined;
  const { value, unit, isScaled } = quantity;
  if (unit === 'percent')
    return { kind: 'target', symbol, to: { weight: toPlain(new Dec(value).div(100)) }, ...defined({ side }) };
  if (found.has('share')) {
    const isCount = unit === 'none' && side !== undefined;
    return isCount ? { kind: 'order', request: { symbol, side, type: 'market' }, keep: value } : undefined;
  }
  const isDown = found.items.some(({ lower }) => /\bdown to$/.test(lower));
  const isValue = unit === 'dollars' || isScaled;
  return isValue && (isDown || !verb.tags.includes('sell'))
    ? { kind: 'target', symbol, to: { value }, ...defined({ side }) }
    : undefined;
}

/** Returns the side that the verb, "no more than" or "down" names. */
function sideOf(items: readonly Item[], verb: Item, found: TemplateMatch): 'buy' | 'sell' | undefined {
  const to = items.map(({ lower }) => lower).join(' ');
  const isMost = found.has('most') || found.has('each_most') || found.has('only');
  if (sells.some((tag) => verb.tags.includes(tag)) || isMost || /\bdown\b/.test(to)) return 'sell';
  return buys.some((tag) => verb.tags.includes(tag)) || /\bup\b/.test(to) ? 'buy' : undefined;
}

/** Reads "rebalance to 60% VTI 40% BND". @throws {NotUnderstoodError} if the targets are incomplete */
export function readRebalance(items: readonly Item[]): RebalanceIntent | undefined {
  const words = new Taker(items);
  if (words.take('rebalance') === undefined) return readWeights(items);
  words.take('my? portfolio|whole_account? back?');
  while (words.take('to|of|colon|my|weights|comma') !== undefined);
  const split = slashedTargets(words);
  if (split !== undefined) return requireTargets(split);
  const isBare = !items.some((item) => item.quantity?.unit === 'percent' || isPart(item));
  const bare = items.flatMap(({ quantity }) => (quantity?.unit === 'none' && !quantity.isBad ? [quantity.value] : []));
  const sum = bare.reduce((whole, value) => whole.plus(value), ZERO);
  // Numbers that add up to 100 are percentages: "rebalance to 50 SPY 30 AAPL 20 KO".
  const isWhole = bare.length > 1 && (sum.eq(100) || sum.lte(1));
  if (isBare && !isWhole) {
    throw new NotUnderstoodError(
      phrase`How much of each symbol?`,
      phrase`Give each symbol its percentage of the account, 100% in total: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". To rebalance to the targets in a rules file, use "trade-agent check --suggest" (docs/guide/CHECKS.md).`,
    );
  }
  return requireTargets(readTargets(words));
}

/**
 * Reads the weights of a whole sentence, because "and leave the rest in cash" would begin a clause of its own. Returns
 * undefined for other requests.
 */
export function readAllWeights(items: readonly Item[]): RebalanceIntent | undefined {
  const isListed = items.filter((item) => item.quantity !== undefined || isPart(item)).length > 1;
  if (!isListed && !has(items, 'evenly') && !has(items, 'date')) return undefined;
  try {
    return readRebalance(items);
  } catch (error) {
    if (error instanceof NotUnderstoodError && !isSumError(error)) return undefined;
    throw error;
  }
}

const is = (item: Item, ...tags: readonly string[]) => tags.some((tag) => item.tags.includes(tag));
const isPart = ({ tags }: Item) => Object.keys(fractions).some((part) => tags.includes(part));

function readTargets(words: Taker): RebalanceIntent['targets'] {
  const alike = alikeTargets(words);
  if (alike !== undefined) return alike;
  const targets: RebalanceIntent['targets'][number][] = [];
  while (words.rest !== undefined) {
    if (words.take('comma|and and?') !== undefined) continue;
    const rest =
      words.take('rest_cash') ??
      words.take('keep|leave|place? all|untouched|the_rest #n|%? moves|is? consists|of|to? my? @|cash');
    targets.push(rest === undefined ? readTarget(words) : restTarget(rest, targets));
  }
  // "AAPL .4, MSFT .6" are parts of the whole.
  const sum = targets.reduce((whole, { weight }) => whole.plus(weight), ZERO);
  return sum.lte('0.01') ? targets.map((one) => ({ ...one, weight: toPlain(new Dec(one.weight).mul(100)) })) : targets;
}

/** Meanings of words before the targets that say what to do with them: "make the whole account", "go for". */
const LEAD =
  'alter|alter_it|get|change|place|split|invest|wish_be|aim_for|whole_account|portfolio|weights|consists|to|of|colon|have_after|at|is|my|it|so_that|with|for|around|comma';
const WISHES = ['alter', 'alter_it', 'get', 'change', 'place', 'split', 'invest', 'wish_be', 'aim_for', 'weights'];
const WHOLE = ['whole_account', 'portfolio', 'aim_for', 'weights'];

/** Reads "my portfolio should be 50% SPY, 30% AAPL and the rest in cash". Returns undefined for other requests. */
function readWeights(items: readonly Item[]): RebalanceIntent | undefined {
  const words = new Taker(withoutTail(items));
  const lead = takeLead(words);
  const says = (tags: readonly string[]) => lead.some((item) => tags.some((tag) => item.tags.includes(tag)));
  // "My portfolio is 50% SPY" only describes it, but a list of weights without cash asks for them.
  const isClosed = has(items, 'only_these') || has(items, 'just_do');
  if (!says(WISHES) && !has(items, 'wish_be') && !isClosed) return undefined;
  try {
    const targets = slashedTargets(words) ?? readTargets(words);
    // Without the word "portfolio", only a share of cash says that the whole account is meant.
    const isAccount = says(WHOLE) || isClosed || targets.some(({ symbol }) => symbol === 'cash');
    return isAccount && targets.length > 1 ? requireTargets(targets) : undefined;
  } catch (error) {
    if (error instanceof NotUnderstoodError && !(says(WHOLE) && isSumError(error))) return undefined;
    throw error;
  }
}

function takeLead(words: Taker): readonly Item[] {
  const lead: Item[] = [];
  while (!words.is('cash') && !words.is('@')) {
    const found = words.take('all whole_account|portfolio') ?? words.take(LEAD);
    if (found === undefined) break;
    lead.push(...found.items);
  }
  return lead;
}

/** Removes words that restate the targets: "nothing else", "no cash left over", "can you set that up?". */
function withoutTail(items: readonly Item[]): readonly Item[] {
  const end = items.findLastIndex(
    (item) => isAsset(item) || item.quantity !== undefined || is(item, 'cash', 'rest_cash'),
  );
  const isRestated = ({ tags }: Item) =>
    ['only_these', 'just_do', 'comma', 'end', 'question', 'harmless', 'and'].some((tag) => tags.includes(tag));
  const tail = items.findIndex((_, at) => at > 0 && items.slice(at).every(isRestated));
  return tail < 0 || tail <= end ? items : items.slice(0, tail);
}

/** Reads "the rest in BND" as a target with the weight that the other targets leave. */
function restTarget(
  { items, quantities }: TemplateMatch,
  targets: readonly RebalanceIntent['targets'][number][],
): RebalanceIntent['targets'][number] {
  const left = targets.reduce((rest, { weight }) => rest.minus(weight), new Dec(1));
  const said = items.find((one) => isAsset(one) || one.tags.includes('cash'));
  const name = items.some(({ tags }) => tags.includes('rest_cash')) ? 'cash' : targetName(said);
  const weight = quantities[0]?.value;
  const isSame = weight === undefined || left.mul(100).eq(weight);
  if (name !== undefined && left.gt(0) && isSame) return { symbol: name, weight: toPlain(left) };
  throw new NotUnderstoodError(
    phrase`I expected a percentage and a ticker symbol but found "${truncateWord(items.map(({ text }) => text).join(' '))}".`,
    rebalanceExample,
  );
}

/** Reads "a quarter each in JPM, KO, AAPL and cash" and "equal parts of SPY, QQQ and cash". */
function alikeTargets(words: Taker): RebalanceIntent['targets'] | undefined {
  const found = words.take(`a? %|${PARTS} each of?`) ?? words.take('evenly among|consists|of|on?');
  if (found === undefined) return undefined;
  const symbols: string[] = [];
  while (words.rest !== undefined) {
    if (words.take('comma|and and?') !== undefined) continue;
    const name = targetName(
      words.take('of? my? @|cash')?.items.find((one) => isAsset(one) || one.tags.includes('cash')),
    );
    if (name === undefined) throw missingTarget(words.rest);
    symbols.push(name);
  }
  const part = Object.keys(fractions).find((name) => found.has(name));
  const percent = found.quantities[0]?.value;
  const own = part === undefined ? percent && new Dec(percent).div(100) : fractions[part];
  const weight =
    own === undefined || own === '' ? new Dec(1).div(symbols.length).toDecimalPlaces(9, Dec.ROUND_DOWN) : own;
  return symbols.map((symbol) => ({ symbol, weight: toPlain(weight) }));
}

const missingTarget = (item: Item | undefined) =>
  new NotUnderstoodError(
    phrase`I expected a percentage and a ticker symbol but found "${truncateWord(item?.text ?? '')}".`,
    rebalanceExample,
  );

/** Reads "60/40 SPY and KO". */
function slashedTargets(words: Taker): RebalanceIntent['targets'] | undefined {
  const numbers = words.take('date')?.items[0]?.text.split('/') ?? [];
  const symbols: string[] = [];
  for (const _ of numbers) {
    words.take('comma|and and?');
    words.take('of|in|consists');
    if (symbols.length === numbers.length) break;
    const found = targetNames(words.take('my? @|cash')?.items.at(-1));
    if (found === undefined) return undefined;
    symbols.push(...found);
  }
  if (symbols.length !== numbers.length || numbers.length < 2 || words.rest !== undefined) return undefined;
  return symbols.map((symbol, at) => ({ symbol, weight: toPlain(new Dec(numbers[at] ?? '0').div(100)) }));
}

/**
 * Returns "cash" or the ticker of a symbol or of a well-known company. Returns undefined for "CASH", which
 * could mean the ticker or the account’s cash.
 */
function targetName(item: Item | undefined): string | undefined {
  if (item === undefined) return undefined;
  if (item.tags.includes('cash') && !isAsset(item) && item.text !== 'CASH') return 'cash';
  if (item.ticker !== undefined) return item.ticker === 'CASH' ? undefined : symbolOf(item);
  const name = item.name ?? '';
  const [ticker, ...more] = Object.hasOwn(tickersByNickname, name) ? (tickersByNickname[name] ?? []) : [];
  if (ticker !== undefined) return more.length === 0 ? ticker : undefined;
  return listedTicker(name);
}

/** Returns the tickers of names without a comma between them: "apple nvidia". */
function targetNames(item: Item | undefined): readonly string[] | undefined {
  const whole = targetName(item);
  if (whole !== undefined || item?.name === undefined) return whole === undefined ? undefined : [whole];
  const { names, rest } = namesIn(item.name, new Set());
  const found = names.map((name) => targetName({ ...item, name }));
  return rest.length > 0 || found.some((one) => one === undefined)
    ? undefined
    : found.filter((one) => one !== undefined);
}

const PARTS = Object.keys(fractions).join('|');

function readTarget(words: Taker): RebalanceIntent['targets'][number] {
  const { rest } = words;
  const found =
    words.take('all? %|#n moves|is? consists|of|on|for|to? my? @|cash') ??
    words.take('@|cash colon|is|to|at|consists? of? all? %|#n') ??
    words.take(`a? ${PARTS} moves|is? consists|of|for|to? my? @|cash`) ??
    words.take(`my? @|cash colon|is|to|at? a? ${PARTS}`);
  const item = found?.items.find((one) => isAsset(one) || one.tags.includes('cash'));
  const part = Object.keys(fractions).find((name) => found?.has(name));
  const percent = part === undefined ? found?.quantities[0]?.value : fractions[part]?.times(100);
  if (item === undefined || percent === undefined) {
    throw missingTarget(rest);
  }
  const weight = toPlain(new Dec(percent).div(100));
  const symbol = targetName(item);
  if (symbol !== undefined) return { symbol, weight };
  throw new NotUnderstoodError(
    phrase`I expected a ticker symbol in capitals but found "${truncateWord(item.text)}".`,
    rebalanceExample,
  );
}

const isSumError = (error: NotUnderstoodError) => error.refusal.message.startsWith('These percentages');

function requireTargets(targets: RebalanceIntent['targets']): RebalanceIntent {
  const names = targets.map(({ symbol }) => symbol);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new NotUnderstoodError(phrase`${twice} has two percentages.`, phrase`Name each symbol once.`);
  if (names.every((name) => name === 'cash'))
    throw new NotUnderstoodError(phrase`A ticker symbol is missing.`, rebalanceExample);
  if (targets.length > MAX_BATCH_ORDERS) {
    throw new NotUnderstoodError(phrase`That is more than ${MAX_BATCH_ORDERS} symbols.`, phrase`Name fewer at once.`);
  }
  const whole = targets.reduce((sum, { weight }) => sum.plus(weight), ZERO).mul(100);
  if (!whole.toDecimalPlaces(4).eq(100)) {
    throw new NotUnderstoodError(
      phrase`These percentages add up to ${toPlain(whole.toDecimalPlaces(4))}%, not 100%.`,
      phrase`Include everything, even cash, as in "rebalance to 60% VTI 30% BND 10% cash".`,
    );
  }
  const [first, ...others] = targets;
  if (first === undefined || whole.eq(100)) return { kind: 'rebalance', targets };
  // Three thirds add up to a little less than everything.
  const weight = others.reduce((rest, one) => rest.minus(one.weight), new Dec(1));
  return { kind: 'rebalance', targets: [{ ...first, weight: toPlain(weight) }, ...others] };
}
