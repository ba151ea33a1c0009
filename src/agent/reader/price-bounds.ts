import { TRADES } from './clauses.ts';
import type { Item } from './item.ts';

/*
 * Reads bounds of a price that are said as a sentence: "I don't want to pay more than 200", "as long as it's not over
 * 68", "not a penny under 450". A negation, a comparison and a number make a bound, whatever verbs stand between them.
 * Exits are read in the same way: "take the winnings at 360", "cut my losses if it drops to 290".
 */

const LEAD = '(?:(?:but|and|only|just|as long as|so long as|provided|provided that|only if|but only if) )*';
const SUBJECT = '(?:(?:i|we|im|id|ill|you|its|it|they|the price|its price|price|just) )*';
const NEGATION = '(?:am |will |would |is |are |do )?(?:not|dont|wont|wouldnt|never|isnt|arent|cant|cannot|refuse)';
const VERBS =
  '(?: (?:want|wanna|to|willing|gonna|going|ready|prepared|pay|paying|pays|go|be|is|cost|costs|bid|accept|take|taking|sell|selling|buy|let|let it go|it|them|get|getting|part|with|for|at|a|one|single|penny|cent|dime|dollar|price|anything|any|much|shell|out|fork|over|spend|spending))*';
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
      `^${LEAD}${SUBJECT}(?:am )?(?:willing|happy|ready|prepared|can|would) ?(?:to )?pay(?: up to| at most)?$`,
    ),
    'each_most',
  ],
  [/^(?:and |with |at )?(?:a |my )?(?:price )?(?:ceiling|cap) (?:price )?(?:of|at|is|is at)$/, 'each_most'],
  [/^(?:and |with |at )?(?:a |my )?(?:price )?floor (?:price )?(?:of|at|is|is at)$/, 'each_least'],
  [/^(?:and )?(?:my |the )?(?:max|maximum|top price|maximum price|max price) (?:is|would be|being)$/, 'each_most'],
  [/^(?:and )?(?:my |the )?(?:min|minimum|minimum price|min price) (?:is|would be|being)$/, 'each_least'],
  [/^(?:and )?(?:price )?capped at$/, 'each_most'],
  [
    /^(?:and )?(?:my |the |a |with )*(?:limit|limit price)(?: price)? (?:is|is at|should be|should be at|being|set at|set to)$/,
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
/** Meanings of the words of an exit that the lexicon reads. */
const READ = ['profit', 'stop_loss', 'stop', 'trailing', 'limit', 'keep'];

/** Words that make a price of "38 or below": "as long as it is", "the price should be". */
const LEVELS = new RegExp(`^${LEAD}(?:it|they|price|the price|its price|its) ?${LEVEL}?$`);

const MAX_WORDS = 14;

const isNumber = ({ quantity, aside }: Item) => !aside && quantity !== undefined && quantity.unit !== 'percent';
const wordsOf = (items: readonly Item[]) => items.map(({ lower }) => lower.replaceAll("'", '')).join(' ');

/** Replaces the words of a bound by one item with its meaning. */
export function withPlainBounds(items: readonly Item[]): readonly Item[] {
  const isTrade = items.some(({ tags }) => TRADES.some((tag) => tags.includes(tag)) || tags.includes('get'));
  if (!isTrade || items.some(({ tags }) => tags.includes('alert'))) return items;
  const plain: Item[] = [];
  items.forEach((item, at) => {
    if (isNumber(item)) replaceBound(plain, items[at + 1]);
    plain.push(item);
  });
  return plain;
}

/** Replaces the bound at the end of the items before a number. The comma before it is dropped. */
function replaceBound(before: Item[], after: Item | undefined): void {
  const isBounded = after?.tags.some((tag) => tag === 'or_less' || tag === 'or_more') === true;
  for (let from = Math.max(0, before.length - MAX_WORDS); from < before.length; from += 1) {
    const run = before.slice(from);
    const isPlain = run.every((item) => !item.aside && item.quantity === undefined && item.ticker === undefined);
    const words = isPlain ? wordsOf(run) : '';
    const isRead = run.some(({ tags }) => READ.some((tag) => tags.includes(tag)));
    const patterns = isRead ? BOUNDS : [...BOUNDS, ...EXITS];
    const tag =
      patterns.find(([pattern]) => pattern.test(words))?.[1] ?? (isBounded && LEVELS.test(words) ? 'at' : undefined);
    if (tag === undefined) continue;
    const start = before[from - 1]?.tags.includes('comma') ? from - 1 : from;
    const text = run.map((item) => item.text).join(' ');
    before.splice(start, before.length - start, { text, lower: text.toLowerCase(), tags: [tag], aside: false });
    return;
  }
}
