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
export function asksForApproval(items: readonly Item[]): boolean {
  if (!items.every((item) => isPlain(item) || item.tags.includes('question'))) return false;
  const words = wordsOf(items.filter(({ tags }) => !tags.includes('question')));
  return SEEN.test(words) && AHEAD.test(words) && words.split(' ').every((word) => SHOWN.has(word));
}

const AGREED = /^(?:(?:ok|okay|alright|all right|right|deal|yes|yeah|cool|fine|please|thanks|thank you) ?)+$/;

/** Returns whether a part only asks for a "yes", as in "show me first, ok?". */
export const asksForAgreement = (items: readonly Item[]): boolean => AGREED.test(wordsOf(items));

const UNFILLED =
  /^(?:(?:and|but|then) )*(?:if|should|in case) (?:it|that|this|they|the order|my order)(?: (?:does|do|is|are|has|have|should|be|been|did|get|gets|for some reason))* ?(?:not|nt|never|isnt|doesnt|dont|hasnt|arent|cant|cannot)(?: (?:be|been|get|have|has))*(?: (?:filled|fill|executed|execute|go through|gone through|reached|hit|happen|happened|work|worked|done))(?: (?:by|before|at|until) (?:the )?(?:close|end of the day|end of today|tonight|then)| today| in time| by today)*$/;
const GIVEN_UP =
  /^(?:(?:and|then|simply|just|please|you can|ok|it can) )*(?:let it (?:expire|lapse|die|go)|expire|lapse|forget (?:it|about it)|drop it|so be it|never ?mind|leave it|thats fine|thats ok|no problem|too bad)$/;

/** Returns whether a part only says what happens to an order for the day: "if it isn't filled today, let it expire". */
export function acceptsExpiry(
  items: readonly Item[],
  before: readonly Item[] | undefined,
  after: readonly Item[] | undefined,
): boolean {
  const [words, last, next] = [items, before ?? [], after ?? []].map(wordsOf);
  return (
    (UNFILLED.test(words ?? '') && GIVEN_UP.test(next ?? '')) ||
    (GIVEN_UP.test(words ?? '') && UNFILLED.test(last ?? ''))
  );
}

const LINK = '(?:(?:and|but|then|please|just|also|so|now) )*';
/** Parts that say "exactly", "now" and "report the result", which holds for every order. */
const RESTATED = [
  // "thanks ever so much", "that's it for today"
  /^(?:(?:ok|okay|and|well|anyway|oh|many|a thousand|million) )*(?:thanks|thank you|thx|cheers|appreciated|bless you)(?: (?:ever|so|very|much|kindly|a|lot|bunch|million|ton|again|in|advance|for|your|the|help|time|patience|everything|all|that|this|today|indeed|really|and|bye|goodbye|dear|darling|honey|sir|madam|man|bro|mate|buddy|friend|love|sweetie))*$/,
  /^(?:(?:ok|okay|and|well) )*(?:bye|goodbye|good bye|see you|see ya|take care|ciao|talk soon|have a (?:good|great|nice|lovely) (?:day|one|evening|weekend|night))(?: (?:bye|now|then|soon|later|everyone|all))*$/,
  /^(?:(?:ok|okay|and|well|so) )*(?:thats|that is|that will be|thatll be|thatd be|that would be) (?:it|all|everything|about it)(?: (?:for|now|today|from|me|i|need|want|really|thanks|thank you|bye))*$/,
  // "nothing more, nothing less", "and not one share more"
  /^(?:(?:and|but|or|,) ?|(?:nothing|no|not) (?:a |one |any |single )*(?:shares? )?(?:more|less|fewer|else) ?)+$/,
  // "before it drops any further", "while it's cheap"
  /^(?:while|before) (?:its|it is|it|the price is|the price|they are|theyre|they|prices are|prices|things) (?:(?!(?:close|closes|open|opens|at|above|below|under|over|hits|reaches)\b)[a-z]+(?: |$)){1,4}$/,
  new RegExp(
    `^${LINK}(?:let me know|tell me|confirm|notify me|inform me|report back|update me)(?: back| to me)* (?:when|once|after|as soon as) (?:(?:it|its|that|thats|this|the order|they|theyre|is|has|been|gets|are|have) )*(?:done|filled|fills|executed|goes through|gone through|complete|completed|finished|through|bought|sold)$`,
  ),
];
/** Parts that accept any price. */
const ANY_PRICE = new RegExp(
  `^${LINK}(?:(?:the |its )?price (?:doesnt|does not|is not|isnt) (?:really )?(?:matter|important|an issue)|i (?:dont|do not) (?:really )?(?:care|mind) (?:about |what )?the price(?: is)?|(?:any|whatever|every) price (?:will do|works|is fine|is ok|is okay|goes|is good|is alright)|whatever (?:that|it) is|whatever the price)$`,
);

/** Returns whether a part says what holds for every order. @param all the whole sentence */
export function fitsEveryOrder(items: readonly Item[], all: readonly Item[]): boolean {
  if (!items.every(isPlain)) return false;
  const words = wordsOf(items);
  const isPriced = all.filter(({ quantity }) => quantity !== undefined).length > 1;
  return RESTATED.some((pattern) => pattern.test(words)) || (!isPriced && ANY_PRICE.test(words));
}

const FUNDED =
  /^(?:and |but |please |only )*(?:provided|provided that|if|assuming|assuming that|as long as|so long as|given that) (?:i|we)(?: still| do| indeed)* (?:have|got) (?:enough|sufficient|the) (?:cash|money|funds|buying power)(?: (?:on hand|for it|for that|in the account|in my account|available|left|to cover it|to do so))*$/;

/** Returns whether a part only requires enough cash, which every order needs. */
export const requiresFunds = (items: readonly Item[]): boolean => items.every(isPlain) && FUNDED.test(wordsOf(items));

const KEPT_OPEN =
  /^(?:(?:and|but|please|just|then|also|so) )*(?:leave|keep|let|have|make) (?:it|that|this|them|the order|my order|this order)(?: (?:in|on|open|working|sit|stand|standing|active|live|alive|up|there|place|out|good|stay|run|rest|ride|valid|be|force|effect|the|market|book|books|resting|pending|going))*$/;
const MAX_LEAD = 8;

/** Removes the "leave it in" of "leave it in until I cancel it". */
export function withPlainLife(items: readonly Item[]): readonly Item[] {
  const isOpenEnd = ({ tags }: Item) => tags.includes('gtc') || tags.includes('no_end');
  const at = items.findLastIndex((item) => !item.aside && isOpenEnd(item) && !isAsset(item));
  if (at < 1) return items;
  for (let from = Math.max(0, at - MAX_LEAD); from < at; from += 1) {
    const lead = items.slice(from, at);
    if (lead.every(isPlain) && KEPT_OPEN.test(wordsOf(lead))) return [...items.slice(0, from), ...items.slice(at)];
  }
  return items;
}
