import { TRADES } from './clauses.ts';
import type { Item } from './item.ts';

/*
 * Reads bounds of a price that are said as a sentence: "I don't want to pay more than 200", "as long as it's not over
 * 68", "not a penny under 450". A negation, a comparison and a number make a bound, whatever verbs stand between them.
 * Exits are read in the same way: "take the winnings at 360", "cut my losses if it drops to 290".
 */

const LEAD = '(?:(?:but|and|only|just|if|as long as|so long as|provided|provided that|only if|but only if) )*';
const SUBJECT = '(?:(?:i|we|im|id|ill|you|its|it|they|the price|its price|price|just) )*';
const NEGATION =
  '(?:am |will |would |is |are |do )?(?:under no circumstances|by no means|not|dont|wont|wouldnt|never|isnt|arent|cant|cannot|refuse)';
const VERBS =
  '(?: (?:want|wanna|to|willing|gonna|going|ready|prepared|pay|paying|pays|go|be|is|cost|costs|bid|accept|take|taking|sell|selling|buy|let|let it go|it|them|get|getting|part|with|for|at|a|one|single|penny|cent|dime|dollar|price|anything|any|much|shell|out|fork|over|spend|spending))*';
const COST =
  '(?:costs?|costing|goes?|going|trades?|trading|are|is|be|stays?|sells?|selling|get (?:it|them)|can be (?:had|bought|sold))(?: me| for| at)* ';
const MORE =
  '(?:more than|over|above|higher than|greater than|exceed|exceeds|exceeding|pricier than|more expensive than)';
const LESS = '(?:less than|under|below|lower than|beneath|cheaper than)';
const TAIL = '(?: (?:a price of|the price of))?';
const LEVEL = '(?:is|s|should be|must be|has to be|is at|should be at|stays|stays at|be)';

/** Each pattern of the words before a number, with the meaning of the words. */
const BOUNDS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^${LEAD}${SUBJECT}${NEGATION}${VERBS} ${MORE}${TAIL}$`), 'each_most'],
  [new RegExp(`^${LEAD}${SUBJECT}${NEGATION}${VERBS} ${LESS}${TAIL}$`), 'each_least'],
  [
    new RegExp(
      `^${LEAD}${SUBJECT}(?:am )?(?:willing|happy|ready|prepared|can|could|would|will|ill)? ?(?:to )?(?:pay(?: up to| at most)?|go (?:up to|as high as|to at most))$`,
    ),
    'each_most',
  ],
  [/^(?:and |with |at )?(?:a |my )?(?:price )?(?:ceiling|cap) (?:price )?(?:of|at|is|is at)$/, 'each_most'],
  [/^(?:and |with |at )?(?:a |my )?(?:price )?floor (?:price )?(?:of|at|is|is at)$/, 'each_least'],
  [/^(?:and )?(?:my |the )?(?:max|maximum|top price|maximum price|max price) (?:is|would be|being)$/, 'each_most'],
  [/^(?:and )?(?:my |the )?(?:min|minimum|minimum price|min price) (?:is|would be|being)$/, 'each_least'],
  [/^(?:and )?(?:price )?capped at$/, 'each_most'],
  [new RegExp(`^${LEAD}${SUBJECT}${COST}(?:no|not|never) ${MORE}${TAIL}$`), 'each_most'],
  [new RegExp(`^${LEAD}${SUBJECT}${COST}(?:no|not|never) ${LESS}${TAIL}$`), 'each_least'],
  [new RegExp(`^${LEAD}nothing ${MORE}$`), 'each_most'],
  [new RegExp(`^${LEAD}nothing ${LESS}$`), 'each_least'],
  [/^(?:but|and|but only|and only|only)(?: at)? (?:above|over|north of|more than|higher than)$/, 'above'],
  [/^(?:but|and|but only|and only|only)(?: at)? (?:below|under|south of|less than|lower than)$/, 'below'],
  [
    /^(?:and |but )?(?:the |my )?(?:highest|most|best)(?: price)? (?:i|id|ill|im)(?: \p{L}+){0,3} (?:is|to|at)$/u,
    'each_most',
  ],
  [
    /^(?:and |but )?(?:the |my )?(?:lowest|least)(?: price)? (?:i|id|ill|im)(?: \p{L}+){0,3} (?:is|to|at)$/u,
    'each_least',
  ],
  [/^(?:and |i |ill |my )*(?:bid|bidding|bid is|bid of|offer is|asking price is|ask is)(?: at)?$/, 'limit'],
  [
    /^(?:and )?(?:my |the |a |with )*(?:upper |lower |hard |absolute |price )?(?:limit|limit price)(?: price)? (?:is|is at|should be|should be at|being|set at|set to)$/,
    'limit',
  ],
];
const LINK = '(?:(?:and|then|but|or|just|please|also|to|ill|id|i|want|with|a|my|the|otherwise) )*';
const REACHES =
  '(?: it| them| the position)?(?: at| around| (?:if|when|once) (?:it|the price) (?:hits|reaches|gets to|climbs to|rises to|goes to|touches))';
const SINKS =
  '(?: it| them| the position| me)?(?: at| below| under| (?:if|when|once) (?:it|the price) (?:falls|drops|sinks|dips|slides|goes|trades|slips|hits|touches)(?: back)?(?: down)?(?: to| below| under)?)';
const GAINS =
  '(?:take|taking|book|lock in|cash in|pocket|grab|collect|bank|realize)(?: on)?(?: the| my| some| any)*(?: profits?| gains?| winnings| wins)';
const LOSSES =
  '(?:cut|cutting|limit|limiting|cap|capping|stop|contain|curb)(?: the| my| any| all)* loss(?:es)?(?: short)?';

/** Patterns of the words before the price of an exit, with the meaning of the words. */
const EXITS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^${LINK}(?:${GAINS}|cash in|profits?|target)${REACHES}$`), 'profit'],
  [
    new RegExp(`^${LINK}(?:${LOSSES}|bail|bail out|stop out|stopped out|stop me out|get stopped out)${SINKS}$`),
    'stop_loss',
  ],
  [new RegExp(`^${LINK}(?:safety net|emergency exit|downside protection|protection|insurance)${SINKS}$`), 'stop_loss'],
  [
    /^(?:against|from) (?:a |it |any |them )*(?:falling|dropping|sinking|sliding|going|fall|drop|falls|drops)(?: down)? (?:below|under|beneath|to)$/,
    'stop_loss',
  ],
];
const IF = `^${LINK}(?:if|when|once|as soon as|should) (?:it|the price|they|the stock)(?: ever| should| does)* `;
/** Exits with words around the price: "once it hits 260, take the profit", "if it drops to 205 get me out". */
const FRAMED_EXITS: readonly (readonly [before: RegExp, after: RegExp, tag: string])[] = [
  [
    new RegExp(
      `${IF}(?:hits|reaches|gets(?: up)? to|climbs to|rises to|goes(?: up)? to|touches|(?:goes|gets|rises) above)$`,
    ),
    /^(?:then )?(?:please )?(?:(?:take|book|lock in|grab|bank|pocket)(?: the| my| some)* (?:profits?|gains?|winnings)|cash in)$/,
    'profit',
  ],
  [
    new RegExp(
      `${IF}(?:falls|drops|sinks|dips|slides|goes|slips|hits|touches)(?: back)?(?: down)?(?: to| below| under)?$`,
    ),
    /^(?:then )?(?:please )?(?:(?:stop|get|take|pull) me out(?: of)?(?: it| all| all of it| everything)*|bail(?: out)?|cut (?:the|my) loss(?:es)?)$/,
    'stop_loss',
  ],
];

/** Meanings of the words of an exit that the lexicon reads. */
const READ = ['profit', 'stop_loss', 'trailing', 'limit', 'keep'];

/** Words that make a price of "38 or below": "as long as it is", "the price should be". */
const LEVELS = new RegExp(`^${LEAD}(?:(?:it|they|price|the price|its price|its) ?${LEVEL}?|at|for)$`);

const AFTER = '(?:(?:the|as|is|my|a|an|and|but|absolute|very|at|,) )*';
/** Patterns of the words after a number, with the meaning of the words. */
const BOUNDS_AFTER: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(
      `^${AFTER}(?:max|maximum|tops|ceiling|cap|most|max price|maximum price|no more|no higher|nothing (?:more|higher|over|above)|not (?:a|one) (?:single )?(?:penny|cent|dollar|dime) (?:more|higher|over|above))$`,
    ),
    'post_most',
  ],
  [
    new RegExp(
      `^${AFTER}(?:min|minimum|floor|least|min price|minimum price|no less|no lower|nothing (?:less|lower|under|below)|not (?:a|one) (?:single )?(?:penny|cent|dollar|dime) (?:less|lower|under|below))$`,
    ),
    'post_least',
  ],
  [/^(?:is|being) (?:my|the) (?:absolute |hard )?(?:limit|limit price)$/, 'post_limit'],
];
/** Meanings of the words before a price. A number after other words may be the size: "buy 5 max". */
const PRICE_LEADS = ['at', 'for', 'comma', 'limit', 'each_most', 'each_least'];

const MAX_WORDS = 14;

const isNumber = ({ quantity, aside }: Item) => !aside && quantity !== undefined && quantity.unit !== 'percent';
const wordsOf = (items: readonly Item[]) => items.map(({ lower }) => lower.replaceAll("'", '')).join(' ');

const ACTS = [...TRADES, 'get', 'protect', 'place', 'leave'];

const isOrder = (items: readonly Item[]) =>
  (items.some(({ tags }) => ACTS.some((tag) => tags.includes(tag))) || /\bpay(?:ing)?\b/.test(wordsOf(items))) &&
  !items.some(({ tags }) => tags.includes('alert'));

/** Replaces the words of a bound by one item with its meaning. */
export function withPlainBounds(items: readonly Item[]): readonly Item[] {
  if (!isOrder(items)) return items;
  const plain: Item[] = [];
  for (let at = 0; at < items.length; at += 1) {
    const item = items[at] as Item;
    const exit = isNumber(item) ? framedExit(plain, items, at + 1) : undefined;
    if (exit !== undefined) {
      plain.splice(exit.start, plain.length, exit.item, item);
      at = exit.end - 1;
      continue;
    }
    if (isNumber(item)) replaceBound(plain, items[at + 1]);
    plain.push(item);
    const after = isNumber(item) && isPriceAfter(plain) ? boundAfter(items, at + 1) : undefined;
    if (after !== undefined) plain.push(after.item);
    at = after === undefined ? at : after.end - 1;
  }
  return plain;
}

/** Returns whether the last number can only be a price: "buy 10 KO, 5 at most" may be about the size. */
function isPriceAfter(items: readonly Item[]): boolean {
  const [lead, number] = items.slice(-2);
  const size = items.slice(0, -1).find(isNumber)?.quantity;
  const { value = '0', unit } = number?.quantity ?? {};
  if (size === undefined || !PRICE_LEADS.some((tag) => lead?.tags.includes(tag))) return false;
  const isClear = unit === 'dollars' || value.includes('.') || Number(value) > 2 * Math.max(10, Number(size.value));
  return isClear || lead?.tags.includes('comma') === false;
}

const isPlain = (item: Item) => !item.aside && item.quantity === undefined && item.ticker === undefined;
const toItem = (run: readonly Item[], tag: string): Item => {
  const text = run.map((item) => item.text).join(' ');
  return { text, lower: text.toLowerCase(), tags: [tag], aside: false };
};

/** Reads the words around a price as the exit of an order before them. */
function framedExit(
  before: readonly Item[],
  items: readonly Item[],
  after: number,
): { readonly item: Item; readonly start: number; readonly end: number } | undefined {
  const from = items[after]?.tags.includes('comma') ? after + 1 : after;
  const length = items.slice(from).findIndex(isEnd);
  const run = items.slice(from, length < 0 ? items.length : from + length);
  const words = run.every(isPlain) ? wordsOf(run) : '';
  const found = FRAMED_EXITS.find(([, pattern]) => pattern.test(words));
  if (found === undefined) return undefined;
  for (let start = Math.max(0, before.length - MAX_WORDS); start < before.length; start += 1) {
    const lead = before.slice(start);
    const isEntered = before
      .slice(0, start)
      .some(({ tags }) => ['buy', 'get', 'protect'].some((tag) => tags.includes(tag)));
    if (!isEntered || !lead.every(isPlain) || !found[0].test(wordsOf(lead))) continue;
    const isApart = before[start - 1]?.tags.some((tag) => tag === 'comma' || tag === 'colon') === true;
    return { item: toItem(lead, found[2]), start: isApart ? start - 1 : start, end: from + run.length };
  }
  return undefined;
}

/** Reads "at 150 the maximum" and "640, not a penny higher". The bound ends its part of the sentence. */
function boundAfter(items: readonly Item[], from: number): { readonly item: Item; readonly end: number } | undefined {
  const length = items.slice(from).findIndex((item, at) => at > 0 && isEnd(item));
  const run = items.slice(from, length < 0 ? items.length : from + length);
  const tag = run.every(isPlain) ? BOUNDS_AFTER.find(([pattern]) => pattern.test(wordsOf(run)))?.[1] : undefined;
  return tag === undefined ? undefined : { item: toItem(run, tag), end: from + run.length };
}

const isEnd = ({ tags }: Item) =>
  ['comma', 'end', 'question', 'harmless', 'gtc', 'day'].some((tag) => tags.includes(tag));

/** Replaces the bound at the end of the items before a number. The comma before it is dropped. */
function replaceBound(before: Item[], after: Item | undefined): void {
  const isBounded = after?.tags.some((tag) => tag === 'or_less' || tag === 'or_more') === true;
  for (let from = Math.max(0, before.length - MAX_WORDS); from < before.length; from += 1) {
    const run = before.slice(from);
    const words = run.every(isPlain) ? wordsOf(run) : '';
    const isRead = run.some(({ tags }) => READ.some((tag) => tags.includes(tag)));
    const patterns = isRead ? BOUNDS : [...BOUNDS, ...EXITS];
    const tag =
      patterns.find(([pattern]) => pattern.test(words))?.[1] ?? (isBounded && LEVELS.test(words) ? 'at' : undefined);
    if (tag === undefined) continue;
    const start = before[from - 1]?.tags.includes('comma') ? from - 1 : from;
    before.splice(start, before.length - start, toItem(run, tag));
    return;
  }
}
