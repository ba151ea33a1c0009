import type { Item, Quantity } from './item.ts';
import { isAsset, symbolOf } from './match.ts';
import { fractions } from './slots.ts';

/*
 * Corrections within a sentence: "use 400, no wait, make it 600", "buy 4 JPM, I mean sell 4 JPM". The part after the
 * words of correction replaces the part that it can stand for. If it can stand for several parts, the words of
 * correction stay, no slot takes them, and nothing is done.
 */

const ORDER_ACTS = 'buy sell trim close leave invest get protect place buying selling'.split(' ');
const SIDES = 'buy sell trim close'.split(' ');
const PARTS = [...Object.keys(fractions), 'all'];
/** Meanings of the words before a price. */
const PRICE_LEADS = 'at limit stop stop_loss profit trailing most least each_most each_least below above trigger'.split(
  ' ',
);

/** Words of a second order beside the first one: "actually, also buy 3 KO". */
const ADDING = /\b(?:also|too|as well|in addition|additionally|more|another|besides|first|then|plus)\b/;

const hasTag = (item: Item | undefined, tags: readonly string[]) =>
  item !== undefined && tags.some((tag) => item.tags.includes(tag));
const isAct = (item: Item) => hasTag(item, ORDER_ACTS) && !isCorrecting(item) && !isAsset(item);
const isSideAct = (item: Item | undefined) => item !== undefined && hasTag(item, SIDES) && isAct(item);
const isCorrecting = ({ tags, aside }: Item) => !aside && tags.includes('correction');
const isBreak = ({ tags, lower }: Item) =>
  ['comma', 'end', 'colon'].some((tag) => tags.includes(tag)) || /^[-–—…]+$/.test(lower);
const isIdle = (item: Item) => isBreak(item) || (item.tags.includes('harmless') && !isAsset(item));
const isNumber = ({ quantity, aside }: Item) => !aside && quantity !== undefined && !quantity.isBad;
const isPart = (item: Item | undefined) => hasTag(item, PARTS);
const isPlainWord = (item: Item) => hasTag(item, ['share', 'of', 'my', 'it', 'a', 'instead']) || isIdle(item);

const RESTART =
  /^(?:(?:excuse me|sorry|no|nah|wait|ok|okay|oh|well|actually|please) )*(?:let me start (?:over|again)|starting over|scratch (?:all )?(?:of )?that|forget (?:all )?(?:of )?that|jk|just kidding|im kidding|disregard (?:that|it)|ignore (?:that|it)|let me rephrase)$/;
const MAX_RESTART = 6;

/** Returns the items after words such as "let me start over", if a whole request follows. */
function afterRestart(items: readonly Item[]): readonly Item[] {
  const at = items.findLastIndex((item, index) => index > 0 && isBreak(item) && restartLength(items, index + 1) > 0);
  if (at < 0) return items;
  const rest = items.slice(at + 1 + restartLength(items, at + 1));
  const first = rest.find((item) => !isIdle(item));
  const isWhole = rest.some(isAsset) && rest.some((item) => isNumber(item) || isPart(item));
  return isWhole && (isSideAct(first) || hasTag(first, ['get'])) ? rest : items;
}

function restartLength(items: readonly Item[], from: number): number {
  for (let count = MAX_RESTART; count > 0; count -= 1) {
    const run = items.slice(from, from + count);
    if (!run.some((item) => item.tags.includes('end')) && RESTART.test(wordsFrom(run, 0))) return run.length;
  }
  return 0;
}

/** Returns the items with the corrected words in place of the words that they correct. */
export const withCorrections = (items: readonly Item[]): readonly Item[] => corrected(afterRestart(items));

function corrected(items: readonly Item[]): readonly Item[] {
  const at = items.findIndex((_, index) => opensCorrection(items, index));
  if (at < 0) return items;
  const isNegated = hasTag(items[at], ['not']) && items[at + 1]?.quantity !== undefined;
  const end = items.findIndex(
    (item, index) => index >= at + (isNegated ? 2 : 0) && !isIdle(item) && !isCorrecting(item),
  );
  const said = trimmed(items.slice(0, at));
  const instead = end < 0 ? [] : items.slice(end).filter(({ tags }) => !tags.includes('instead'));
  if (!said.some((item) => isNumber(item) || isAsset(item) || isPart(item))) return items;
  // "actually, also buy 3 KO" corrects nothing.
  if (items.slice(at).some(({ lower }) => ADDING.test(lower))) return items;
  const changed = instead.length === 0 ? withLastPart(said, items[at]) : resolve(said, instead);
  if (changed !== undefined) return corrected(changed);
  // Without its meanings, the word fills no slot.
  return startsPart(instead) ? items.map((item, index) => (index === at ? { ...item, tags: [] } : item)) : items;
}

/** Returns whether words of correction begin here: they follow an act, and stand apart from the words around them. */
function opensCorrection(items: readonly Item[], at: number): boolean {
  const item = items[at] as Item;
  if (!items.slice(0, at).some(isAct)) return false;
  return hasTag(item, ['not']) ? takesBack(items, at) : isCorrecting(item) && isApart(items, at);
}

/** Returns whether "not all" or "not 20" takes back an earlier word: "Buy 20 F. Not 20, 200." */
function takesBack(items: readonly Item[], at: number): boolean {
  const [before, after] = [items[at - 1], items[at + 1]];
  if (isPart(after)) return before !== undefined && isIdle(before);
  const said = items
    .slice(0, at)
    .some(({ quantity }) => quantity !== undefined && quantity.value === after?.quantity?.value);
  return said && items[at + 2] !== undefined;
}

function isApart(items: readonly Item[], at: number): boolean {
  const [{ lower }, before, after] = [items[at] as Item, items[at - 1], items[at + 1]];
  // "no AAPL" is no correction, unless there is a comma: "no, AAPL".
  if (/^(?:no|nope|nah)$/.test(lower))
    return after !== undefined && (isIdle(after) || isCorrecting(after) || isNumber(after));
  if (lower.endsWith('better')) return after !== undefined && isNumber(after);
  if (/^(?:make|change) /.test(lower)) return before !== undefined && (isBreak(before) || isCorrecting(before));
  return before !== undefined && !hasTag(before, ['and', 'relative', 'what', 'i', 'do']);
}

/** Returns whether the words begin with something that an order may consist of. */
function startsPart(items: readonly Item[]): boolean {
  const first = items.find((item) => !hasTag(item, ['of', 'at', 'my', 'a', 'to']) || isAsset(item));
  return first !== undefined && (isNumber(first) || isAsset(first) || isPart(first) || isAct(first));
}

/** Reads "seven shares of Visa. Mastercard, I meant". */
function withLastPart(said: readonly Item[], mark: Item | undefined): readonly Item[] | undefined {
  const at = said.findLastIndex(isBreak);
  return at < 0 || !/^i mean/.test(mark?.lower ?? '')
    ? undefined
    : resolve(trimmed(said.slice(0, at)), said.slice(at + 1));
}

function trimmed(items: readonly Item[]): readonly Item[] {
  return items.slice(0, items.findLastIndex((item) => !isIdle(item)) + 1);
}

function resolve(before: readonly Item[], instead: readonly Item[]): readonly Item[] | undefined {
  const said = withoutRepeated(before, instead);
  const first = instead.find((item) => !hasTag(item, ['of', 'my', 'a']) || isAsset(item) || isPart(item));
  if (first === undefined) return undefined;
  const from = instead.indexOf(first);
  const rest = instead.slice(from + 1);
  if (isSideAct(first)) return withAct(said, first, rest);
  if (isAsset(first)) return withAsset(said, first, rest);
  if (isNumber(first)) return withNumber(said, first, rest);
  if (isPart(first)) return withPart(said, first, rest);
  // "sell all the KO, no, not all, leave me 25"
  if (hasTag(first, ['not']) && isPart(rest[0]) && said.some(isPart)) return [...said, ...added(rest.slice(1))];
  return hasTag(first, ['limit', 'at', 'stop']) ? withPrice(said, instead.slice(from)) : undefined;
}

/** Drops the last part if the correction repeats it: "Visa. Mastercard, I meant Mastercard". */
function withoutRepeated(said: readonly Item[], [first]: readonly Item[]): readonly Item[] {
  const last = said.at(-1);
  const isRepeated = last !== undefined && first !== undefined && isAsset(last) && isAsset(first);
  const isApart = said.length > 1 && isBreak(said.at(-2) as Item);
  return isRepeated && isApart && symbolOf(last) === symbolOf(first) ? trimmed(said.slice(0, -1)) : said;
}

/** Returns whether the new words are about the same kind of number. The size has no words of price before it. */
const isPriceAt = (items: readonly Item[], at: number) =>
  [items[at - 1], hasTag(items[at - 1], ['of', 'a', 'at']) ? items[at - 2] : undefined].some((item) =>
    hasTag(item, PRICE_LEADS),
  ) || hasTag(items[at + 1], ['limit', 'stop', 'per', 'each_most', 'or_less', 'or_more']);

const isAlike = (one: Quantity, other: Quantity) => (one.unit === 'percent') === (other.unit === 'percent');

/** Returns the new number with the old number's unit, if it has none of its own. */
const renumbered = (old: Item, item: Item): Item => {
  const [was, quantity] = [old.quantity as Quantity, item.quantity as Quantity];
  return quantity.unit === 'none' ? { ...item, quantity: { ...quantity, unit: was.unit } } : item;
};

function withNumber(said: readonly Item[], number: Item, rest: readonly Item[]): readonly Item[] | undefined {
  const places = said.flatMap((item, at) => (isNumber(item) ? [at] : []));
  const at =
    places.length === 0
      ? said.findIndex((item) => isPart(item) && !isAsset(item))
      : correctedPlace(said, places, number, rest);
  if (at === undefined || at < 0) return undefined;
  // "trim my MSFT by one quarter, meaning 3 shares"
  if (places.length === 0)
    return hasTag(rest[0], ['share'])
      ? [...said.slice(0, at), number, rest[0] as Item, ...said.slice(at + 1), ...added(rest)]
      : undefined;
  const old = said[at] as Item;
  const next = renumbered(old, number);
  // "thirty, pardon, thirteen shares of Walmart"
  if (at === said.length - 1) return [...said.slice(0, -1), next, ...continued(rest)];
  const asset = rest.find(isAsset);
  if (asset === undefined) return [...replaced(said, at, next), ...added(rest)];
  const changed = withAsset(said, asset, rest.slice(rest.indexOf(asset) + 1));
  const isPlain = rest.slice(0, rest.indexOf(asset)).every((item) => hasTag(item, ['share', 'of', 'my', 'a']));
  return changed === undefined || !isPlain || places.length > 1 ? undefined : replaced(changed, at, next);
}

/** Returns the position of the number that a new number replaces, or undefined if several are possible. */
function correctedPlace(
  said: readonly Item[],
  places: readonly number[],
  { quantity }: Item,
  [after]: readonly Item[],
): number | undefined {
  const alike = places.filter((at) => isAlike(said[at]?.quantity as Quantity, quantity as Quantity));
  const isPrice = hasTag(after, ['limit', 'stop', 'per']);
  const isSize = hasTag(after, ['share']);
  const fitting = alike.filter((at) => (isPrice ? isPriceAt(said, at) : !isSize || !isPriceAt(said, at)));
  const [only, ...more] = fitting;
  if (only === undefined || more.length === 0) return only;
  // "5 GOOG at 170, sorry, 165": the number nearest in place must also be by far the nearest in size.
  const near = fitting.filter((at) => isNear(said[at]?.quantity as Quantity, quantity as Quantity));
  return near.length === 1 && near[0] === said.length - 1 ? near[0] : undefined;
}

const isNear = (one: Quantity, other: Quantity) => {
  const ratio = Number(one.value) / Number(other.value);
  return ratio > 0.5 && ratio < 2;
};

const replaced = (items: readonly Item[], at: number, item: Item) =>
  items.map((one, index) => (index === at ? item : one));

/** Returns the words without the mark before them, unless they begin another request. */
const continued = (rest: readonly Item[]) =>
  rest[0] !== undefined && isBreak(rest[0]) && !rest.some(isAct)
    ? rest.slice(rest.findIndex((item) => !isBreak(item)))
    : rest;

/** Returns the words after the corrected part that say something of their own. */
function added(rest: readonly Item[]): readonly Item[] {
  const from = rest.findIndex((item) => !isPlainWord(item));
  return from < 0 ? [] : rest.slice(from);
}

function withAsset(said: readonly Item[], asset: Item, rest: readonly Item[]): readonly Item[] | undefined {
  const places = said.flatMap((item, at) => (isAsset(item) ? [at] : []));
  const [at, ...more] = places;
  if (at === undefined || more.length > 0) return undefined;
  return [...replaced(said, at, asset), ...added(rest)];
}

function withPart(said: readonly Item[], part: Item, rest: readonly Item[]): readonly Item[] | undefined {
  const places = said.flatMap((item, at) => (isNumber(item) || (isPart(item) && !isAsset(item)) ? [at] : []));
  const [at, ...more] = places;
  if (at === undefined || more.length > 0 || rest.some(isAsset)) return undefined;
  return [...replaced(said, at, part), ...added(rest)];
}

function withAct(said: readonly Item[], act: Item, rest: readonly Item[]): readonly Item[] | undefined {
  const at = said.findIndex(isAct);
  const numbers = (items: readonly Item[]) => items.filter((item) => isNumber(item) || isPart(item)).length;
  // "buy 4 JPM limit 300, I mean sell 4 JPM" leaves open whether the limit stays.
  if (rest.some(isAsset)) return numbers(rest) < numbers(said) ? undefined : [...said.slice(0, at), act, ...rest];
  const changed = replaced(said, at, act);
  const first = rest.find((item) => !isPlainWord(item));
  if (first === undefined) return changed;
  const after = rest.slice(rest.indexOf(first) + 1);
  if (isNumber(first)) return numbers(said) > 1 ? undefined : withNumber(changed, first, after);
  return isPart(first) ? withPart(changed, first, after) : undefined;
}

/** Reads "market order for 3 TSLA, or rather, a limit at 300". */
function withPrice(said: readonly Item[], terms: readonly Item[]): readonly Item[] | undefined {
  const [number, ...more] = terms.filter(isNumber);
  if (number === undefined || more.length > 0 || terms.some(isAsset)) return undefined;
  const places = said.flatMap((item, at) => (isNumber(item) && isPriceAt(said, at) ? [at] : []));
  const [at, ...others] = places;
  if (at === undefined) return [...said.filter((item) => !hasTag(item, ['market'])), ...terms];
  const isPlain = terms.every((item) => item === number || hasTag(item, ['limit', 'at', 'a', 'of']) || isIdle(item));
  return others.length > 0 || !isPlain ? undefined : replaced(said, at, renumbered(said[at] as Item, number));
}

const FILLER =
  'no|nah|nope|wait|actually|sorry|well|ok|okay|hmm|hm|oh|um|uh|but|please|oops|on second thoughts?|i changed my mind|ive changed my mind|lets|just|hold on|thanks|thank you|for now|now|then|its fine|thats fine';
const WITHDRAWAL =
  'dont|do not|dont do (?:it|that|anything)|do not do (?:it|that|anything)|never ?mind|nvm|jk|just kidding|forget (?:it|that|about it)|cancel (?:it|that)|scratch that|strike that|skip (?:it|that)|hold off|not (?:now|yet|today)|i take (?:it|that) back|i was (?:just |only )?(?:kidding|joking)|ignore (?:that|it|me)|disregard(?: that| it)?|do nothing|dont buy (?:it|them|anything)|dont sell (?:it|them|anything)|leave (?:it|everything|all|things|them)(?: (?:alone|be|as (?:it|they) (?:is|are)|as is|the way (?:it is|they are)))?|(?:i|ive) changed my mind';
const WITHDRAWN = new RegExp(`^(?:(?:${FILLER}) )*(?:${WITHDRAWAL})(?: (?:${FILLER}|${WITHDRAWAL}))*$`);

/** Returns whether the sentence only forbids trades: "whatever you do, don't touch my JPM". */
export const isUntouchable = (items: readonly Item[]): boolean =>
  /\b(?:dont|do not|never)(?: (?:you|ever|dare|please|even))* (?:touch|trade|mess with|go near)\b/.test(
    wordsFrom(items, 0),
  ) &&
  items.some(isAsset) &&
  !items.some((item) => isAct(item) || hasTag(item, ['cancel', 'change', 'swap', 'rebalance', 'alert']));

/** Returns whether the sentence takes its order back at the end: "Buy 9 Visa. No, on second thought, don't." */
export function isWithdrawn(items: readonly Item[]): boolean {
  const act = items.findIndex(isAct);
  // "if it never gets there, forget it" takes nothing back.
  if (act < 0 || items.slice(act).some(({ tags }) => tags.includes('unmet') || tags.includes('if'))) return false;
  return items.some((item, at) => at > act && isBreak(item) && WITHDRAWN.test(wordsFrom(items, at + 1)));
}

const wordsFrom = (items: readonly Item[], from: number) =>
  items
    .slice(from)
    .filter((item) => !isBreak(item))
    .map(({ lower }) => lower.replaceAll("'", ''))
    .join(' ');
