import { isCoinCode } from './coins.ts';
import type { Item, Quantity } from './item.ts';

/*
 * Matches templates of meanings against items. A template is a sequence of meanings: `limit of|at? #`. Because it
 * contains no words, it is the same for every language.
 */

interface Element {
  /**
   * Meanings, or signs that match: `#` a number, `$` an amount in dollars, `%` a percentage, `@` a symbol or name, `*`
   * any item. `!#` matches no item, and requires that no number follows.
   */
  readonly any: readonly string[];
  readonly optional: boolean;
}

export interface TemplateMatch {
  /** Position after the last item. */
  readonly end: number;
  readonly items: readonly Item[];
  readonly quantities: readonly Quantity[];
  readonly symbols: readonly string[];
  has(tag: string): boolean;
}

const compiled = new Map<string, readonly Element[]>();

function elements(template: string): readonly Element[] {
  const known = compiled.get(template);
  if (known !== undefined) return known;
  const made = template.split(' ').map((part) => {
    const optional = part.endsWith('?');
    return { any: (optional ? part.slice(0, -1) : part).split('|'), optional };
  });
  compiled.set(template, made);
  return made;
}

function matches({ any }: Element, item: Item): boolean {
  return any.some((one) => {
    switch (one) {
      case '#':
        return item.quantity !== undefined && item.quantity.unit !== 'percent' && !item.quantity.isBad;
      case '#n':
        return item.quantity?.unit === 'none' && !item.quantity.isBad;
      case '$':
        return item.quantity?.unit === 'dollars' && !item.quantity.isBad;
      case '%':
        return item.quantity?.unit === 'percent' && !item.quantity.isBad;
      case '@':
        return isAsset(item);
      case '*':
        return true;
      default:
        return item.tags.includes(one);
    }
  });
}

/** Returns whether any of the items has this meaning. */
export const has = (items: readonly Item[], tag: string) => items.some(({ tags }) => tags.includes(tag));

export const isAsset = ({ ticker, name }: Item) => ticker !== undefined || name !== undefined;

/** Returns the symbol of an item: a ticker in capitals, or a name in lower case that must be looked up. */
export function symbolOf({ ticker, name, text }: Item): string {
  // "$BTC" always means the fund with that ticker; "BTC" may mean the fund or the coin.
  if (ticker !== undefined) return isCoinCode(ticker) && !text.startsWith('$') ? ticker.toLowerCase() : ticker;
  return name ?? '';
}

/** Matches a template at a position, with as many optional elements as possible. */
export function matchAt(template: string, items: readonly Item[], at: number): TemplateMatch | undefined {
  const parts = elements(template);
  const taken = walk(parts, 0, items, at);
  if (taken === undefined) return undefined;
  const end = at + taken.length;
  const found = taken.map((part, index) => ({ part, item: items[at + index] as Item }));
  const isValue = ({ any }: Element) => any.some((one) => /^[#$%]/.test(one));
  return {
    end,
    items: found.map(({ item }) => item),
    quantities: found.flatMap(({ part, item }) =>
      isValue(part) && item.quantity !== undefined ? [item.quantity] : [],
    ),
    symbols: found.flatMap(({ part, item }) => (part.any.includes('@') && isAsset(item) ? [symbolOf(item)] : [])),
    has: (tag) => found.some(({ part, item }) => part.any.includes(tag) && item.tags.includes(tag)),
  };
}

function walk(
  parts: readonly Element[],
  from: number,
  items: readonly Item[],
  at: number,
): readonly Element[] | undefined {
  const part = parts[from];
  if (part === undefined) return [];
  const item = items[at];
  if (part.any[0] === '!#') return item?.quantity === undefined ? walk(parts, from + 1, items, at) : undefined;
  if (item !== undefined && matches(part, item)) {
    const rest = walk(parts, from + 1, items, at + 1);
    if (rest !== undefined) return [part, ...rest];
  }
  return part.optional ? walk(parts, from + 1, items, at) : undefined;
}
