import { TRADES } from './clauses.ts';
import type { Item } from './item.ts';
import { isAsset, symbolOf } from './match.ts';
import { fractions } from './slots.ts';
import { isListedName } from './symbols-by-name.ts';

/*
 * Recognizes reasons and relative clauses by their grammar: "because the roof leaks", "which my uncle left me". Their
 * words need not be known, because a reason asks for nothing. A part with a number, a symbol, an act, a condition, or a
 * word that may restrict the order is none of them. A statement without a conjunction is never left out unless all its
 * words are known, because it may take the order back: "it was a typo".
 */

/** Words after which a part may restrict, delay, doubt, or report the order. */
const CHANGING = new Set(
  [
    // time and condition
    'if|unless|until|till|til|when|whenever|once|while|before|after|afterwards|then|tomorrow|tonight|later|soon|next',
    'first|daily|weekly|monthly|every|each|noon|close|closes|open|opens|provided|depending|depends|otherwise|else',
    // size and price
    'price|prices|priced|pay|paying|pays|spend|spending|budget|limit|stop|cheap|cheaper|cheaply|expensive|cost|costs',
    'dollar|dollars|cent|cents|percent|half|third|quarter|rest|remainder|whole|more|less|fewer|most|least|max|maximum',
    'min|minimum|above|below|under|double|twice|triple|another|extra|both|either|only|except|exactly|min|cap|floor',
    'ceiling|worth|total|couple|few|some|lot|lots|fractional|fraction|much|all',
    // instruments and accounts
    'share|shares|order|orders|trade|trades|trading|account|accounts|roth|ira|401k|margin|broker|call|calls|put|puts',
    'option|options|contract|contracts|short|leverage|leveraged|fifo|lifo|etf|fund|portfolio',
    // acts and modality
    'buy|buys|buying|bought|sell|sells|selling|sold|hold|holding|keep|keeps|keeping|wait|waits|waiting|cancel|change',
    'changed|forget|stop|undo|reverse|must|should|shall|want|wants|need|needs|prefer|wish|hope|ask|let|make|please|try',
    'careful|carefully|sure|unsure|certain|ensure|slowly|gradually|partial|partially|instead|without|not|no|never|dont',
    'doesnt|didnt|isnt|arent|wasnt|werent|wont|cant|cannot|couldnt|wouldnt|shouldnt|nor|neither|nobody|none',
    // doubt, fiction, and other people's words
    'maybe|perhaps|might|may|could|would|wonder|wondering|consider|considering|tempted|debating|suppose|guess|guessing',
    'imagine|pretend|dream|dreaming|kidding|joking|joke|jk|test|testing|example|idea|question|wrong|mistake|already',
    'did|done|said|says|say|saying|told|tells|telling|recommends|recommended|suggests|suggested|advises|advised|advice',
    'heard|read|reads|wrote|writes|headline|game|homework|paper|hypothetical|hypothetically|theory|theoretically',
    'same|again|plan|planned|planning|repeat|who|what|why|how|whether',
    'screaming|scream|shouting|yelling|urging|urges|begging|insists|insisting|swears|claims|claiming|thinks|believes',
    'convinced|agree|agrees|asking|asks|whispering|tweeted|posted|predicts|warns|recommending|suggesting|advising',
    'pushing|pressuring|pieces|blocks|bits',
  ].flatMap((line) => line.split('|')),
);

/** Words with which a statement may take an order back, or call it a play. */
const UNDOING = new Set(
  'it|its|that|thats|this|these|those|them|they|mistyped|typo|typed|typing|slip|error|psych|sike|fooled|prank|practice|practicing|simulating|demo|script|scene|movie|story|novel|quiz|exam|acting|off|one|once|basis|tax|mine|yours|hers|theirs|joint|two|preferred|common|class|ordinary|adr|original|better|best|right|correct|other|latter|former'.split(
    '|',
  ),
);
/** Verbs that make a statement. Without a verb, words such as "preferred" may describe the asset. */
const VERB =
  /^(?:is|are|am|im|was|were|been|has|have|had|ive|got|gets|getting|hes|shes|were|youre|theyre|looks|look|feels|feel|seems|came|comes|coming|went|goes|going|loves|love|likes|like|hates|hate|turned|turns|became|started|starts|needs|keeps|makes|made|took)$/;
const CONTRACTED = /^(?!(?:its|lets|thats|whats)$)\p{L}+'s$/u;

/** Words that want something of the order, but not in a reason: "since I need a lot". */
const IN_REASONS = new Set('want|wants|need|needs|much|lot'.split('|'));

const RELATIVE = /^(?:which|that|who)$/;
const OWNER = /^(?:i|ive|im|we|weve|my|our|he|she|they|the|is|are|was|were|has|have|had)$/;

const wordsOf = (items: readonly Item[]) =>
  items.flatMap(({ lower }) => lower.replaceAll("'", '').split(' ')).filter((word) => /\p{L}/u.test(word));

/** Returns whether a part names an occasion: "for my daughter's birthday", "as a present for my nephew". */
const isPurpose = (items: readonly Item[]) =>
  PURPOSE.test(wordsOf(items).join(' ')) && purposeWords(items).every((word) => !UNDOING.has(word));
const PURPOSE =
  /^(?:(?:(?:its|it is|this is|thats|that is) )?for (?:my|our|his|her|their|the|a)|(?:(?:its|it is|this is) )?(?:as )?(?:an?|my) (?:\p{L}+ )?(?:gift|present)|as an?)\b/u;
/** Funds in which nobody trades. */
const SAVINGS =
  /\b(?:college|emergency|vacation|holiday|rainy day|wedding|school|retirement|house|travel|education|baby|car|trip) fund\b/;
const purposeWords = (items: readonly Item[]) =>
  wordsOf(items)
    .join(' ')
    .replace(SAVINGS, '')
    .replace(/^(?:its|it is|this is|thats|that is)\b/, '')
    .split(' ')
    .filter(Boolean);

/** Returns whether a part only gives a reason. */
export function isReason(items: readonly Item[]): boolean {
  if (items.some((item) => item.aside || item.quantity !== undefined || isAssetName(item) || isTrade(item)))
    return false;
  const [first] = items;
  if (first === undefined || !(first.tags.includes('reason') || isPurpose(items))) return false;
  const words = isPurpose(items) ? purposeWords(items).slice(1) : wordsOf(items).slice(wordsOf([first]).length);
  // A single unknown word is no clause.
  return words.length > 1 && words.every((word) => !CHANGING.has(word) || IN_REASONS.has(word));
}

/** Words that name a company's business after its name: "NVDA, the chip maker". */
const BUSINESS =
  /^the (?:\p{L}+ ){0,3}(?:company|maker|makers|firm|giant|corporation|manufacturer|retailer|airline|carmaker|automaker|chipmaker|brand|people|guys|folks|chain)$/u;

/** Returns whether a part only describes the asset before it. */
export const isApposition = (items: readonly Item[], before: readonly Item[] | undefined): boolean => {
  const last = before?.at(-1);
  const isFree = items.every((item) => !item.aside && item.quantity === undefined && !isAssetName(item));
  const isPlain = wordsOf(items).every((word) => !CHANGING.has(word) && !UNDOING.has(word));
  return last !== undefined && isAsset(last) && isFree && isPlain && BUSINESS.test(wordsOf(items).join(' '));
};

/** Words that tell how a decision was made: "after thinking it over", "we talked about it". */
const DECIDED =
  /\b(?:thinking|thought|think|talking|talked|discussing|discussed|considering|considered|sleeping|slept|consideration|deliberation|reflection|consulting|consulted)(?: (?:long|hard|a lot|carefully))*(?: (?:it|this|that|things))?(?: (?:over|through|about|on))?(?: (?:it|this|that))?\b/;

/** A statement about a person in the past: "I promised my dad". */
const TOLD = /^(?:i|we|he|she|you|(?:my|our) \p{L}+) (?:\p{L}+ )?\p{L}{3,}ed\b/u;

/** Returns whether a part only states something, which may have unknown words: "the grandkids are coming over". */
export function isStatement(items: readonly Item[]): boolean {
  if (items.some((item) => item.aside || item.quantity !== undefined || isAssetName(item) || isMeant(item)))
    return false;
  const text = wordsOf(items).join(' ');
  const isDecided = DECIDED.test(text);
  const isOpinion = /^which (?:i|we) (?:believe|think|know|feel|find|reckon|trust)\b/.test(text);
  const words = text
    .replace(DECIDED, '')
    .replace(/^(?:after|having|upon)\b/, (word) => (isDecided ? '' : word))
    .split(' ')
    .filter(Boolean);
  const texts = items.flatMap(({ lower }) => lower.split(' '));
  const isSentence =
    (words.length > 1 || isDecided) &&
    (isOpinion || items[0]?.tags.includes('ask') !== true) &&
    (isOpinion ||
      isDecided ||
      TOLD.test(text) ||
      words.some((word) => VERB.test(word)) ||
      texts.some((text) => CONTRACTED.test(text)));
  return isSentence && words.every((word) => !CHANGING.has(word) && !UNDOING.has(word));
}

/** Meanings of words that ask, restrict, or refer to something. */
const MEANT = 'if correction nothing untouched unmet alert regarding except account market gtc advice'.split(' ');
const isMeant = (item: Item) =>
  isTrade(item) || item.tags.some((tag) => tag === 'get' || MEANT.includes(tag) || tag in fractions);

const TRADE = [...TRADES, ...'leave protect swap shorten write grow all_in halve'.split(' ')];
const isTrade = ({ tags }: Item) => tags.some((tag) => TRADE.includes(tag));

/** "since my wife is selling" and "since I have to sell" report an act. */
const isNoun = ({ tags }: Item) => tags.includes('selling') || tags.includes('buying');

/** Words after which a reason goes on: "since my wife wants to sell". */
const OPEN_ENDED = /^(?:to|and|or|not|dont|will|would|should|i|we|you|he|she|they|who|people|the|a|my|our)$/;

/** Returns whether the request begins after a reason without a comma: "since my rent is due I need to sell 5 AAPL". */
export function endsReason(reason: readonly Item[], next: Item): boolean {
  if (!(reason[0]?.tags.includes('reason') === true || isPurpose(reason)) || reason.length < 3) return false;
  const isOpener =
    next.tags.includes('harmless') && /^(?:i|we|id|ill|please|kindly|can|could|will|would|lets|go)\b/.test(next.lower);
  return (
    isOpener || (isTrade(next) && !isAsset(next) && !isNoun(next) && !OPEN_ENDED.test(wordsOf(reason).at(-1) ?? ''))
  );
}

/** Returns the items without relative clauses about an asset: "the shares that my uncle left me", "which I like". */
export function withoutRelativeClauses(items: readonly Item[]): readonly Item[] {
  const at = items.findIndex(
    (item, index) =>
      RELATIVE.test(item.lower) && OWNER.test(wordsOf(items.slice(index + 1))[0] ?? '') && follows(items, index),
  );
  if (at < 0) return items;
  const length = items
    .slice(at)
    .findIndex(({ tags }) => ['comma', 'end', 'question'].some((tag) => tags.includes(tag)));
  const end = length < 0 ? items.length : at + length;
  const clause = items.slice(at, end);
  const isFree = clause.every((item) => !item.aside && item.quantity === undefined && !isAssetName(item));
  const isPlain = isFree && clause.length > 2 && wordsOf(clause.slice(1)).every((word) => !CHANGING.has(word));
  if (!isPlain) return items;
  // The commas around the clause belong to it.
  const before = items[at - 1]?.tags.includes('comma') ? at - 1 : at;
  const after = before < at && items[end]?.tags.includes('comma') ? end + 1 : end;
  return withoutRelativeClauses([...items.slice(0, before), ...items.slice(after)]);
}

/** Returns whether the word at a position follows an asset or "shares". */
function follows(items: readonly Item[], at: number): boolean {
  const isApart = items[at - 1]?.tags.includes('comma') === true;
  // "at 520, which I think is fair"
  if (isApart && items[at]?.lower === 'which' && items[at - 2]?.quantity !== undefined) return true;
  // ", that was a slip" takes the order back.
  if (isApart && items[at]?.lower === 'that') return false;
  const last = isApart ? items[at - 2] : items[at - 1];
  return last !== undefined && (isAsset(last) || last.tags.includes('share') || last.tags.includes('position'));
}

/** Unknown words are a name only if they are capitalized and a company or fund has it: "water" is none. */
const isAssetName = (item: Item) =>
  isAsset(item) &&
  (item.isKnownName === true ||
    item.ticker !== undefined ||
    (/^\p{Lu}/u.test(item.text) && isListedName(symbolOf(item))));
