import type { Item } from './item.ts';
import { has, isAsset, symbolOf } from './match.ts';
import { isListedName } from './symbols-by-name.ts';
import { Taker } from './taker.ts';

const word = (text: string): Item => ({ text, lower: text, tags: [text], aside: false });

/**
 * Joins an amount that one clause needs with the sale that is to raise it: "I need $500, sell enough NVDA to get there"
 * becomes "sell $500 of NVDA". Returns other items unchanged.
 */
export function withNeededMoney(items: readonly Item[]): readonly Item[] {
  const end = items.findIndex(({ tags, aside }) => !aside && (tags.includes('comma') || tags.includes('end')));
  const amount = end < 0 ? undefined : neededAmount(items.slice(0, end));
  const asset = amount === undefined ? undefined : soldAsset(items.slice(end + 1));
  return amount === undefined || asset === undefined ? items : [word('sell'), amount, word('of'), asset];
}

/** Meanings of the words of another request. */
const OTHER = [
  'buy',
  'sell',
  'invest',
  'cancel',
  'change',
  'limit',
  'stop',
  'if',
  'ask',
  'what',
  'all',
  'half',
  'below',
  'above',
];

function neededAmount(items: readonly Item[]): Item | undefined {
  const [amount, ...more] = items.filter(({ quantity }) => quantity !== undefined);
  const { quantity } = amount ?? {};
  if (amount === undefined || quantity === undefined || more.length > 0 || quantity.isBad) return undefined;
  const isMoney =
    quantity.unit === 'dollars' || (quantity.unit === 'none' && has(items.slice(items.indexOf(amount) + 1), 'cash'));
  const isNeeded = has(items, 'need_money') || has(items, 'raise') || has(items, 'reason');
  const isFree = items.every(
    (item) =>
      !item.aside &&
      !isKnownAsset(item) &&
      (item.tags.includes('need_money') || !OTHER.some((tag) => item.tags.includes(tag))),
  );
  return isMoney && isNeeded && isFree ? { ...amount, quantity: { ...quantity, unit: 'dollars' } } : undefined;
}

const isKnownAsset = (item: Item) =>
  isAsset(item) && (item.ticker !== undefined || item.isKnownName === true || isListedName(symbolOf(item)));

/** Returns the asset of "sell enough NVDA to get there" and "take it out of my NVDA". */
function soldAsset(items: readonly Item[]): Item | undefined {
  const words = new Taker(items);
  const found =
    words.take('sell|trim enough of? my? share? of? my? my? @ share?') ??
    words.take('take it out_of my? my? share? of? my? @ share?');
  while (words.take('just_do') ?? words.take('raise|covers my? it|field_qty|cash'));
  return words.rest === undefined ? found?.items.find(isAsset) : undefined;
}
