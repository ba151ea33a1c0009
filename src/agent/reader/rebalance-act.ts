import { phrase } from '../../text/phrase.ts';
import { Dec, toPlain, ZERO } from '../../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import { defined } from '../../values/defined.ts';
import { readCashTarget } from './cash-target.ts';
import type { OrderIntent, RebalanceIntent, TargetIntent } from './intent.ts';
import type { Item } from './item.ts';
import { isAsset, symbolOf, type TemplateMatch } from './match.ts';
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
  words.take('my? portfolio? back?');
  words.take('to|of|colon');
  words.take('to|of|colon');
  const split = slashedTargets(words);
  if (split !== undefined) return requireTargets(split);
  const isBare = !items.some(
    ({ quantity, tags }) => quantity?.unit === 'percent' || Object.keys(parts).some((part) => tags.includes(part)),
  );
  const bare = items.flatMap(({ quantity }) => (quantity?.unit === 'none' && !quantity.isBad ? [quantity.value] : []));
  // Numbers that add up to 100 are percentages: "rebalance to 50 SPY 30 AAPL 20 KO".
  const isWhole = bare.length > 1 && bare.reduce((sum, value) => sum.plus(value), ZERO).eq(100);
  if (isBare && !isWhole) {
    throw new NotUnderstoodError(
      phrase`How much of each symbol?`,
      phrase`Give each symbol its percentage of the account, 100% in total: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". To rebalance to the targets in a rules file, use "trade-agent check --suggest" (docs/guide/CHECKS.md).`,
    );
  }
  return requireTargets(readTargets(words));
}

function readTargets(words: Taker): RebalanceIntent['targets'] {
  const targets: RebalanceIntent['targets'][number][] = [];
  while (words.rest !== undefined) {
    if (words.take('comma|and and?') !== undefined) continue;
    const rest = words.take('all of? my? @|cash') ?? words.take('all is? of? my? @|cash');
    targets.push(rest === undefined ? readTarget(words) : restTarget(rest.items, targets));
  }
  return targets;
}

/** Reads "my portfolio should be 50% SPY, 30% AAPL and the rest in cash". Returns undefined for other requests. */
function readWeights(items: readonly Item[]): RebalanceIntent | undefined {
  const words = new Taker(items);
  // "My portfolio is 50% SPY" only describes it.
  const isWish = items.some(({ tags }) => tags.includes('wish_be'));
  if (words.take('alter|alter_it|get|change|place|split|invest') === undefined && !isWish) return undefined;
  const isWhole = words.take('my? that? my? whole_account|portfolio') !== undefined;
  while (words.take('consists|to|of|colon|have_after|at') !== undefined);
  try {
    const targets = slashedTargets(words) ?? readTargets(words);
    // Without the word "portfolio", only a share of cash says that the whole account is meant.
    const isAccount = isWhole || targets.some(({ symbol }) => symbol === 'cash');
    return isAccount && targets.length > 1 ? requireTargets(targets) : undefined;
  } catch (error) {
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

/** Reads "the rest in BND" as a target with the weight that the other targets leave. */
function restTarget(
  items: readonly Item[],
  targets: readonly RebalanceIntent['targets'][number][],
): RebalanceIntent['targets'][number] {
  const left = targets.reduce((rest, { weight }) => rest.minus(weight), new Dec(1));
  const name = targetName(items.find((one) => isAsset(one) || one.tags.includes('cash')));
  if (name !== undefined && left.gt(0)) return { symbol: name, weight: toPlain(left) };
  throw new NotUnderstoodError(
    phrase`I expected a percentage and a ticker symbol but found "${truncateWord(items.map(({ text }) => text).join(' '))}".`,
    rebalanceExample,
  );
}

/** Reads "60/40 SPY and KO". */
function slashedTargets(words: Taker): RebalanceIntent['targets'] | undefined {
  const numbers = words.take('date')?.items[0]?.text.split('/') ?? [];
  const symbols: string[] = [];
  for (const _ of numbers) {
    words.take('comma|and and?');
    words.take('of|in|consists');
    const name = targetName(words.take('@|cash')?.items[0]);
    if (name === undefined) return undefined;
    symbols.push(name);
  }
  if (numbers.length < 2 || words.rest !== undefined) return undefined;
  return symbols.map((symbol, at) => ({ symbol, weight: toPlain(new Dec(numbers[at] ?? '0').div(100)) }));
}

/**
 * Returns "cash" or the ticker of a symbol or of a well-known company. Returns undefined for "CASH", which
 * could mean the ticker or the account’s cash.
 */
function targetName(item: Item | undefined): string | undefined {
  if (item === undefined) return undefined;
  if (item.lower === 'cash' && item.text !== 'CASH') return 'cash';
  if (item.ticker !== undefined) return item.ticker === 'CASH' ? undefined : symbolOf(item);
  const name = item.name ?? '';
  const [ticker, ...more] = Object.hasOwn(tickersByNickname, name) ? (tickersByNickname[name] ?? []) : [];
  if (ticker !== undefined) return more.length === 0 ? ticker : undefined;
  return listedTicker(name);
}

/** The parts that have an exact percentage. */
const { third: _third, two_thirds: _twoThirds, ...parts } = fractions;

function readTarget(words: Taker): RebalanceIntent['targets'][number] {
  const { rest } = words;
  const found =
    words.take('all? %|#n of? my? @|cash') ??
    words.take('@|cash is|to|at? of? all? %|#n') ??
    words.take(`a? ${Object.keys(parts).join('|')} of? my? @|cash`);
  const item = found?.items.find((one) => isAsset(one) || one.tags.includes('cash'));
  const part = Object.keys(parts).find((name) => found?.has(name));
  const percent = part === undefined ? found?.quantities[0]?.value : parts[part]?.times(100);
  if (item === undefined || percent === undefined) {
    throw new NotUnderstoodError(
      phrase`I expected a percentage and a ticker symbol but found "${truncateWord(rest?.text ?? '')}".`,
      rebalanceExample,
    );
  }
  const weight = toPlain(new Dec(percent).div(100));
  const symbol = targetName(item);
  if (symbol !== undefined) return { symbol, weight };
  throw new NotUnderstoodError(
    phrase`I expected a ticker symbol in capitals but found "${truncateWord(item.text)}".`,
    rebalanceExample,
  );
}

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
  if (!whole.eq(100)) {
    throw new NotUnderstoodError(
      phrase`These percentages add up to ${toPlain(whole)}%, not 100%.`,
      phrase`Include everything, even cash, as in "rebalance to 60% VTI 30% BND 10% cash".`,
    );
  }
  return { kind: 'rebalance', targets };
}
