import type { Item } from './item.ts';
import { isAsset } from './match.ts';

/*
 * Conditions with a modal verb: "if AAPL should happen to drop below 190" and "should AAPL drop below 190". The modal
 * verb adds nothing, but it is also a question word. It is therefore removed before questions are read.
 */

/** Meanings of words that say that a price crosses another price. */
const VERBS = ['falls', 'rises', 'moves', 'breaks_below', 'breaks_above', 'below', 'above', 'is_down', 'is_up'];

/** Removes modal verbs from conditions. A sentence that ends with a question mark stays a question. */
export function withPlainConditions(items: readonly Item[]): readonly Item[] {
  const isAsked = items.some(({ tags }) => tags.includes('question'));
  if (isAsked || !items.some(({ tags }) => tags.includes('aux'))) return items;
  const plain: Item[] = [];
  let at = 0;
  while (at < items.length) {
    const item = items[at] as Item;
    const subject = item.tags.includes('if') ? subjectEnd(items, at + 1) : undefined;
    const verb = subject === undefined ? undefined : verbAt(items, subject);
    if (subject === undefined || verb === undefined) {
      plain.push(item);
      at += 1;
      continue;
    }
    // "should" begins a question. Before a subject and a verb, without another "if", it begins a condition.
    const lead: Item = item.tags.includes('aux') ? { ...item, tags: ['if'] } : item;
    plain.push(lead, ...items.slice(at + 1, subject));
    at = verb;
  }
  return plain;
}

/** Returns the position after "my AAPL shares" or "the price". */
function subjectEnd(items: readonly Item[], from: number): number | undefined {
  let at = from;
  let isNamed = false;
  for (; at < items.length; at += 1) {
    const item = items[at] as Item;
    const isPart = isAsset(item) || item.tags.includes('the_price');
    if (!isPart && !item.tags.includes('my') && !item.tags.includes('harmless')) break;
    if (isPart && item.tags.includes('aux')) break;
    isNamed ||= isPart;
  }
  return isNamed ? at : undefined;
}

/** Returns the position of the verb that follows modal verbs. */
function verbAt(items: readonly Item[], from: number): number | undefined {
  let at = from;
  while (items[at]?.tags.includes('aux') && !items[at]?.tags.some((tag) => VERBS.includes(tag))) at += 1;
  return items[at]?.tags.some((tag) => VERBS.includes(tag)) ? at : undefined;
}
