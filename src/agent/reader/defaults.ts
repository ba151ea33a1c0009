import type { Item } from './item.ts';
import { isAsset } from './match.ts';

/*
 * Recognizes words that ask for what holds anyway: that the owner sees an order before it is placed, and that an order
 * stays open until it is canceled.
 */

const wordsOf = (items: readonly Item[]) => items.map(({ lower }) => lower.replaceAll("'", '')).join(' ');
const isPlain = (item: Item) =>
  !item.aside && item.quantity === undefined && item.ticker === undefined && item.isKnownName !== true;

/** Words of "show me before anything happens" and "run it by me first". */
const SHOWN = new Set(
  [
    'show|ask|check|confirm|run|tell|send|give|me|it|this|that|them|by|past|with|let|see|look|review|approve|verify|want',
    'the|order|orders|trade|trades|detail|details|a|an|preview|summary|ticket|first|before|you|anything|something|can|i',
    'happens|is|are|gets|get|placed|place|placing|executed|execute|executing|sent|sending|done|do|doing|go|goes|through',
    'out|to|for|my|ok|okay|approval|so|ill|will|final|finally|once|more|please|and|just|but|on|phone|confirmation|submit',
    'submitting|submitted|each|every|one|everything|of|always|make|sure|beforehand|at|id|like|would|over|final|of course',
    'have|need|double|wait|id|though|yes|thanks',
  ].flatMap((line) => line.split('|')),
);
const SEEN =
  /\b(?:show|ask|confirm|see|review|approve|approval|preview|verify|confirmation|run (?:it|this|that) (?:by|past) me|check with me)\b/;
const AHEAD = /\b(?:first|before|beforehand|approval|approve|confirm|confirmation|ok|okay)\b/;

/** Returns whether a part only asks to see or approve the order before it is placed. */
export function restatesApproval(items: readonly Item[]): boolean {
  if (!items.every((item) => isPlain(item) || item.tags.includes('question'))) return false;
  const words = wordsOf(items.filter(({ tags }) => !tags.includes('question')));
  return SEEN.test(words) && AHEAD.test(words) && words.split(' ').every((word) => SHOWN.has(word));
}

const AGREED = /^(?:(?:ok|okay|alright|all right|right|deal|yes|yeah|cool|fine|please|thanks|thank you) ?)+$/;

/** Returns whether a part only asks for a "yes", as in "show me first, ok?". */
export const asksForAgreement = (items: readonly Item[]): boolean => AGREED.test(wordsOf(items));

const FUNDED =
  /^(?:and |but |please |only )*(?:provided|provided that|if|assuming|assuming that|as long as|so long as|given that) (?:i|we)(?: still| do| indeed)* (?:have|got) (?:enough|sufficient|the) (?:cash|money|funds|buying power)(?: (?:on hand|for it|for that|in the account|in my account|available|left|to cover it|to do so))*$/;

/** Returns whether a part only requires enough cash, which every order needs. */
export const restatesFunds = (items: readonly Item[]): boolean => items.every(isPlain) && FUNDED.test(wordsOf(items));

const KEPT_OPEN =
  /^(?:(?:and|but|please|just|then|also|so) )*(?:leave|keep|let|have|make) (?:it|that|this|them|the order|my order|this order)(?: (?:in|on|open|working|sit|stand|standing|active|live|alive|up|there|place|out|good|stay|run|rest|ride|valid|be|force|effect|the|market|book|books|resting|pending|going))*$/;
const MAX_LEAD = 8;

/** Removes the "leave it in" of "leave it in until I cancel it". */
export function withPlainLife(items: readonly Item[]): readonly Item[] {
  const at = items.findIndex((item) => !item.aside && item.tags.includes('gtc') && !isAsset(item));
  if (at < 1) return items;
  for (let from = Math.max(0, at - MAX_LEAD); from < at; from += 1) {
    const lead = items.slice(from, at);
    if (lead.every(isPlain) && KEPT_OPEN.test(wordsOf(lead))) return [...items.slice(0, from), ...items.slice(at)];
  }
  return items;
}
