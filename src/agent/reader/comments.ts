import { endsReason, isApposition, isReason, isStatement, withoutRelativeClauses } from './asides.ts';
import { TRADES } from './clauses.ts';
import { acceptsExpiry, asksForAgreement, asksForApproval, fitsEveryOrder, requiresFunds } from './defaults.ts';
import type { Item } from './item.ts';
import { isAsset, symbolOf } from './match.ts';

/*
 * Removes the parts of a sentence that ask for nothing: "my rent is due", "because I am nervous", "leave the rest
 * alone". A part with a number, a symbol, an act, a condition or an unknown word is not a comment, so it remains and
 * must fill a slot.
 */

/** Meanings of words that a comment may contain. */
const ALLOWED =
  'comment reason harmless inert i my a is do of to for with on about at and get it the_price current_price share position portfolio cash market market_noun'.split(
    ' ',
  );
/** Meanings of words that no comment may contain, even if the words have other meanings too. */
const RISKY =
  'if buy sell add invest trim close leave protect place shorten swap cancel change rebalance send all half below above limit stop trailing'.split(
    ' ',
  );
/** Returns whether a word is safe in a comment, even if it is risky elsewhere. */
const isSafe = ({ tags }: Item) => tags.includes('comment') || tags.includes('reason') || tags.includes('harmless');

interface Segment {
  readonly items: readonly Item[];
  /** The punctuation mark or conjunction after the segment. */
  readonly separator: Item | undefined;
}

/** Returns the items without comments, reasons, and constraints that restate the default. */
export function withoutComments(all: readonly Item[]): readonly Item[] {
  const isTrade = hasTrade(all);
  const items = isTrade ? withoutRelativeClauses(all) : all;
  if (!isTrade && !items.some(({ tags }) => MARKERS.some((tag) => tags.includes(tag)))) return items;
  const segments = segmentsOf(items);
  const kept = segments.filter((segment, at) => !isIdle(segment, segments[at - 1], segments[at + 1], items));
  if (kept.length === segments.length || kept.length === 0) return items;
  return kept.flatMap((segment, at) => {
    const { items: own, separator } = segment;
    const isLast = at === kept.length - 1 && (separator === undefined || !isQuestion(separator));
    // The "and" before a comment belongs to it.
    const isLeft =
      separator !== undefined && isLink(separator) && kept[at + 1] !== segments[segments.indexOf(segment) + 1];
    return separator === undefined || isLast || isLeft ? own : [...own, separator];
  });
}

/**
 * Finds the asset that "it" refers to: "my father always held General Mills, so buy me 5 shares of it". If the sentence
 * did not contain "it", the part that names the asset would be ignored as a comment.
 * @returns the items without that part, and the asset's symbol
 */
export function antecedentOf(
  items: readonly Item[],
): { readonly rest: readonly Item[]; readonly symbol: string } | undefined {
  const [first, ...following] = segmentsOf(items);
  if (first === undefined || (first.separator !== undefined && isQuestion(first.separator))) return undefined;
  const said = following.flatMap(({ items: own, separator }) => (separator === undefined ? own : [...own, separator]));
  // "I'm done with KO, sell everything" means the position.
  const rest = said.some(({ tags }) => tags.includes('it')) ? said : said.flatMap(withReference);
  const [asset, ...more] = first.items.filter(isAsset);
  if (asset !== undefined && more.length === 0 && isTopic(first) && !said.some(isAsset)) {
    const refers = said.some(({ tags }) => tags.includes('it'));
    const last = said.findLastIndex(({ tags }) => !tags.includes('end'));
    return { rest: refers ? said : [...said.slice(0, last + 1), ON, asset], symbol: symbolOf(asset) };
  }
  const isReferred = rest.some(({ tags }) => tags.includes('it')) && !rest.some(isAsset);
  const isPlain = first.items.every(({ aside, quantity }) => !aside && quantity === undefined);
  if (asset === undefined || more.length > 0 || !isReferred || !isPlain) return undefined;
  const others = first.items.filter((item) => item !== asset);
  // "The bitcoin, is it up?" only names the asset.
  const isBare = others.every(({ tags }) => tags.includes('my') || tags.includes('harmless'));
  return isBare || isComment(others) ? { rest, symbol: symbolOf(asset) } : undefined;
}

const ON: Item = { text: 'on', lower: 'on', tags: ['on', 'of'], aside: false };
const TOPIC = ['regarding', 'my', 'share', 'position', 'harmless'];

/** Returns whether a segment only names a position: "For the NVDA shares, set a trailing stop of 8%". */
function isTopic({ items, separator }: Segment): boolean {
  const others = items.filter((item) => !isAsset(item));
  return (
    separator?.tags.includes('comma') === true &&
    others.some(({ tags }) => tags.includes('regarding')) &&
    others.every((item) => !item.aside && item.tags.some((tag) => TOPIC.includes(tag)))
  );
}

const IT: Item = { text: 'it', lower: 'it', tags: ['it'], aside: false };
const withReference = (item: Item) =>
  item.tags.includes('everything') || item.tags.includes('all') ? [{ ...item, tags: ['all'] }, IT] : [item];

const MARKERS = ['comment', 'reason', 'untouched', 'unmet', 'no_trade'];

function segmentsOf(items: readonly Item[]): Segment[] {
  const segments: Segment[] = [];
  let own: Item[] = [];
  const close = (separator: Item | undefined) => {
    if (own.length > 0 || separator !== undefined) segments.push({ items: own, separator });
    own = [];
  };
  items.forEach((item, at) => {
    const begins =
      item.tags.some((tag) => ['reason', 'unmet', 'untouched'].includes(tag)) ||
      (!isLink(item) && isRestated(partFrom(items, at), items) && !isRestated([...own, ...partFrom(items, at)], items));
    const isLinked =
      isLink(item) && (opensPart(afterHarmless(items, at + 1)) || isRestated(partFrom(items, at + 1), items));
    if (isSeparator(item) || isLinked) close(item);
    else {
      // "because" begins a reason.
      if ((begins && own.some(({ tags }) => !tags.includes('reason'))) || endsReason(own, item)) close(undefined);
      own.push(item);
    }
  });
  close(undefined);
  return segments;
}

const afterHarmless = (items: readonly Item[], from: number) =>
  items
    .slice(from)
    .find(({ tags }) => !tags.includes('harmless') || tags.includes('untouched') || tags.includes('unmet'));

/** Returns the items up to the next punctuation mark. */
function partFrom(items: readonly Item[], from: number): readonly Item[] {
  const length = items.slice(from).findIndex(isSeparator);
  return items.slice(from, length < 0 ? items.length : from + length);
}

/** Returns whether the items request a trade: "sell 5 KO", "get me 4 PEP". */
const hasTrade = (items: readonly Item[]) =>
  items.some(
    ({ tags }, at) => TRADES.some((tag) => tags.includes(tag)) || (tags.includes('get') && isCounted(items, at + 1)),
  );
function isCounted(items: readonly Item[], from: number): boolean {
  const next = items.slice(from).find(({ tags }) => !['harmless', 'my', 'a'].some((tag) => tags.includes(tag)));
  return next !== undefined && (next.quantity !== undefined || next.tags.includes('one_share'));
}

const isRestated = (items: readonly Item[], all: readonly Item[]) =>
  asksForApproval(items) || requiresFunds(items) || fitsEveryOrder(items, all);
const hasUnmet = (items: readonly Item[]) => items.some(({ tags }) => tags.includes('unmet'));
const isQuestion = ({ tags }: Item) => tags.includes('question');
const isLink = ({ lower }: Item) => lower === 'and' || lower === 'but' || lower === '&';
const isSeparator = ({ tags, lower, aside }: Item) =>
  !aside && (['comma', 'end', 'question'].some((tag) => tags.includes(tag)) || ['so', '-', '–', '—'].includes(lower));
const opensPart = (item: Item | undefined) =>
  item?.tags.some((tag) => ['unmet', 'untouched', 'buy', 'sell'].includes(tag)) === true && !isAsset(item);

/** Returns whether a segment is a reason, a statement, or a description of the asset before it. */
const isRemark = (items: readonly Item[], before: readonly Item[] | undefined) =>
  isReason(items) || isStatement(items) || isApposition(items, before);

/** Returns whether a segment asks for what holds for every order anyway. */
function fitsDefault(
  items: readonly Item[],
  before: Segment | undefined,
  after: Segment | undefined,
  all: readonly Item[],
): boolean {
  // An order that is good until canceled does not expire.
  const isForDay = !all.some(({ tags }) => tags.includes('gtc'));
  if (isForDay && acceptsExpiry(items, before?.items, after?.items)) return true;
  const isAgreed = before !== undefined && asksForApproval(before.items) && asksForAgreement(items);
  return isAgreed || (isRestated(items, all) && !(requiresFunds(items) && hasUnmet(all)));
}

/** Returns whether a list of assets goes on after a segment: "sell my KO and JPM, thanks, TSLA". */
const isWithinList = (before: Segment | undefined, after: Segment | undefined) =>
  before?.items.some(isAsset) === true &&
  after?.items.some(isNamed) === true &&
  after.items.every((item) => isNamed(item) || item.tags.includes('harmless'));
const isNamed = (item: Item) => item.ticker !== undefined || item.isKnownName === true;

/** Returns whether a segment asks for nothing. */
function isIdle(
  { items, separator }: Segment,
  before: Segment | undefined,
  after: Segment | undefined,
  all: readonly Item[],
): boolean {
  if (items.length === 0 || isWithinList(before, after)) return false;
  const isBesideTrade = hasTrade(all.filter((item) => !items.includes(item)));
  if (isBesideTrade && fitsDefault(items, before, after, all)) return true;
  // "I am nervous, should I sell?" asks; "could you sell it, for my rent?" requests.
  const isAsked = separator !== undefined && isQuestion(separator);
  if (isAsked && !all.some(({ tags }) => tags.includes('polite'))) return false;
  // A reason or a statement is left out only beside a request to trade.
  if (isBesideTrade && isRemark(items, before?.items)) return true;
  if (items.some(({ aside, quantity }) => aside || quantity !== undefined) || items.some(isAsset)) return false;
  // "I don't want to trade" restates an alert, and forbids an order.
  const isAlertOnly = hasOnly(items, 'no_trade') && all.some(({ tags }) => tags.includes('alert'));
  return isAlertOnly || isUntouched(items, all) || isUnmet(items, before, after) || isComment(items);
}

function isComment(items: readonly Item[]): boolean {
  // "at the old price" is a price that the order does not have.
  if (items.some(({ tags }) => tags.includes('at')) && items.some(({ lower }) => /\bprices?$/.test(lower)))
    return false;
  const isFree = (item: Item) => isSafe(item) || !item.tags.some((tag) => RISKY.includes(tag));
  return (
    items.some(({ tags }) => tags.includes('comment')) &&
    items.every((item) => item.tags.some((tag) => ALLOWED.includes(tag)) && isFree(item))
  );
}

const hasOnly = (items: readonly Item[], tag: string) =>
  items.some(({ tags }) => tags.includes(tag)) &&
  items.every(({ tags }) => tags.includes(tag) || tags.includes('harmless') || tags.includes('and'));

/** Returns whether "leave the other half alone" only restates a sale of half. It contradicts a sale of all. */
function isUntouched(items: readonly Item[], all: readonly Item[]): boolean {
  if (!hasOnly(items, 'untouched')) return false;
  const saysHalf = items.some(({ lower }) => lower.includes('other half'));
  const others = all.filter((item) => !items.includes(item));
  return saysHalf
    ? others.some(({ tags }) => tags.includes('half'))
    : !others.some(({ tags }) => tags.includes('all') || tags.includes('everything') || tags.includes('close'));
}

/** Returns whether words such as "if it never gets there, do nothing" only describe what any limit order does. */
function isUnmet(items: readonly Item[], before: Segment | undefined, after: Segment | undefined): boolean {
  const has = (segment: Segment | undefined, tag: string) =>
    segment?.items.some(({ tags }) => tags.includes(tag)) === true;
  const idle = ['unmet', 'nothing', 'harmless', 'then', 'and'];
  if (!items.every(({ tags }) => idle.some((tag) => tags.includes(tag)))) return false;
  const own = { items, separator: undefined };
  if (has(own, 'unmet')) return has(own, 'nothing') || (after !== undefined && hasOnly(after.items, 'nothing'));
  return has(own, 'nothing') && has(before, 'unmet');
}
