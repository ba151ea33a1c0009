import { takeAccount } from './account.ts';
import type { Item } from './item.ts';
import { isAsset } from './match.ts';
import { readMentions } from './slots.ts';

export const TRADES = [
  ...[
    'buy',
    'sell',
    'buying',
    'selling',
    'close',
    'trim',
    'invest',
    'double',
    'triple',
    'cancel',
    'change',
    'rebalance',
  ],
];

/** Meanings of words in requests and conditions. A statement without any of them asks for nothing. */
export const REQUESTS: readonly string[] = [
  ...['swap', 'send', 'slack', 'mail', 'alert', 'stop_alerts', 'protect', 'shorten', 'leave', 'write'],
  ...['falls', 'rises', 'if', 'limit', 'stop', 'remove', 'rules', 'contract'],
];

/**
 * Returns whether a word that is not a name may change the meaning of a sentence. In English, only some words do; in
 * other languages, any word may.
 */
export const isRisky = ({ tags, lower }: Item) =>
  // "let me know" asks for an answer, or for an alert.
  tags.some((tag) => (REQUESTS.includes(tag) && !(tag === 'alert' && tags.includes('what'))) || TRADES.includes(tag)) ||
  (tags.includes('except') && lower !== 'but') ||
  (tags.includes('nobody') && (tags.includes('exception') || !/^[ -~]*$/.test(lower)));

const OPENERS = [
  ...[
    'buy',
    'sell',
    'close',
    'leave',
    'trim',
    'invest',
    'add',
    'protect',
    'place',
    'shorten',
    'swap',
    'cancel',
    'change',
  ],
  ...[
    'rebalance',
    'alert',
    'stop_alerts',
    'send',
    'slack',
    'mail',
    'remove',
    'check',
    'what',
    'is',
    'do',
    'ask',
    'get',
  ],
];

/** Removes the "first" of "first sell 10 KO, after that buy 2 MSFT", which the "then" of the next clause implies. */
export function withoutFirst(items: readonly Item[]): readonly Item[] {
  const at = items.findIndex(({ tags }) => !tags.includes('harmless'));
  const isFirst = items[at]?.tags.includes('first') === true && !isAsset(items[at] as Item);
  const next = items.slice(at + 1).find(({ tags }) => !tags.includes('harmless'));
  const isAct = next?.tags.some((tag) => tag === 'buy' || tag === 'sell') === true;
  return isFirst && isAct && items.some(({ tags }) => tags.includes('then'))
    ? items.filter((_, index) => index !== at)
    : items;
}

/**
 * Splits items at sentence ends, at "then", and at "and" or a comma before a new act. Questions are not split from each
 * other, because a question may refer to the one before.
 */
export function splitClauses(items: readonly Item[]): Item[][] {
  const clauses: Item[][] = [[]];
  const isAsked = items.some(({ tags }) => tags.includes('ask')) && !items.some(isRisky);
  const opensNext = (at: number) => !isAsked && opensClause(items, at);
  items.forEach((item, at) => {
    const isEnd = item.tags.includes('end') || item.tags.includes('question') || item.tags.includes('then');
    const isBegun = clauses.at(-1)?.some(({ tags }) => !tags.includes('harmless')) === true;
    // In languages in which the verb comes last, the next clause begins after the verb: "AAPLを5株買って、KOを3株売って".
    const endsClause =
      isLink(item) &&
      items[at - 1]?.tags.includes('last_word') === true &&
      items.slice(at + 1).some(({ tags }) => tags.includes('last_word'));
    const isBranch = isLink(item) && opensBranch(clauses.at(-1) ?? [], items.slice(at + 1));
    const isNext = isLink(item) && (isBranch || opensNext(at + 1));
    if (item.tags.includes('question')) clauses.at(-1)?.push(item);
    else if (!isEnd && !endsClause && !isNext) clauses.at(-1)?.push(item);
    if (isEnd || endsClause || (isBegun && isNext)) clauses.push([]);
  });
  const full = clauses.filter((clause) =>
    clause.some(
      ({ tags, aside }) =>
        aside || !tags.some((tag) => ['harmless', 'question', 'comma', 'and'].includes(tag)) || tags.includes('help'),
    ),
  );
  return joinSuffixes(joinPrefixes(full));
}

/** Joins "Limit 180." and "Good till canceled." with the order before it. */
function joinSuffixes(clauses: readonly Item[][]): Item[][] {
  const joined: Item[][] = [];
  for (const clause of clauses) {
    const before = joined.at(-1);
    if (before?.some(isOrderAct) && isSuffix(clause, hasTarget(before))) before.push(COMMA, ...clause);
    else joined.push([...clause]);
  }
  return joined;
}

const hasTarget = (items: readonly Item[]) =>
  items.some(({ tags }) => tags.includes('profit') || tags.includes('sell'));
const isOrderAct = ({ tags }: Item) => ['buy', 'sell', 'get', 'invest'].some((tag) => tags.includes(tag));

/** Returns whether a clause only has terms of an order. */
function isSuffix(clause: readonly Item[], hasTarget: boolean): boolean {
  if (clause.some((item) => isAsset(item) || item.tags.includes('question'))) return false;
  const mentions = readMentions(clause).filter(({ kind }) => kind !== 'link');
  // "Buy 5 AAPL. Stop at 170." may mean an exit or the order's own stop, unless there is a target too.
  const isUnclear = mentions.some((one) => one.kind === 'price' && one.role === 'stop') && !hasTarget;
  return !isUnclear && mentions.length > 0 && mentions.every(({ kind }) => SUFFIXES.includes(kind));
}

const SUFFIXES = ['time', 'extended', 'type', 'price'];

/** Returns whether "and if" begins a second conditional order: "if it hits 220 sell 20, and if it falls to 140 sell 10". */
function opensBranch(before: readonly Item[], after: readonly Item[]): boolean {
  const isConditional = (part: readonly Item[]) =>
    part.some(({ tags }) => tags.includes('if')) &&
    part.some(({ tags }) => tags.includes('buy') || tags.includes('sell'));
  const next = after.find((item) => !isLink(item) && !item.tags.includes('harmless'));
  return next?.tags.includes('if') === true && isConditional(before) && isConditional(after);
}

const isLink = ({ tags, name, ticker }: Item) =>
  (tags.includes('and') || tags.includes('comma')) && name === undefined && ticker === undefined;

function opensClause(items: readonly Item[], from: number): boolean {
  let at = from;
  while (
    items[at] !== undefined &&
    (isLink(items[at] as Item) || items[at]?.tags.includes('harmless') || items[at]?.tags.includes('limit')) &&
    !items[at]?.tags.some((tag) => tag === 'buy' || tag === 'sell')
  )
    at += 1;
  const item = items[at];
  if (item === undefined || item.ticker !== undefined) return false;
  if (addsExit(items, at)) return false;
  if (item.tags.includes('is') && !/^(?:is|are|am)\b/.test(item.lower)) return false;
  return item.tags.some((tag) => OPENERS.includes(tag)) || item.lower === 'quote' || item.lower === 'chart';
}

/** Returns whether "and set a stop loss at 170" adds an exit to the preceding order. */
function addsExit(items: readonly Item[], at: number): boolean {
  const isSet = items[at]?.tags.some((tag) => tag === 'place' || tag === 'add') === true;
  const next = items[at + 1]?.tags.includes('a') ? at + 2 : at + 1;
  const isExit = items[next]?.tags.some((tag) => ['stop', 'stop_loss', 'profit'].includes(tag)) === true;
  return isSet && isExit && !items.slice(next).some(isAsset);
}

/** Joins "Every Monday," and "In my IRA account," with the following clause. */
function joinPrefixes(clauses: readonly Item[][]): Item[][] {
  const joined: Item[][] = [];
  let prefix: Item[] = [];
  clauses.forEach((clause, at) => {
    const isLast = at === clauses.length - 1;
    if (!isLast && isPrefix(clause)) prefix = [...prefix, ...clause];
    else {
      joined.push(joinPrefix(prefix, clause));
      prefix = [];
    }
  });
  return joined;
}

/** Joins a prefix and a clause. A comma keeps numbers apart: "if KO falls below 55 then 3 shares". */
function joinPrefix(prefix: readonly Item[], clause: readonly Item[]): Item[] {
  const isPair = prefix.at(-1)?.quantity !== undefined && clause[0]?.quantity !== undefined;
  return isPair ? [...prefix, COMMA, ...clause] : [...prefix, ...clause];
}

const COMMA: Item = { text: ',', lower: ',', tags: ['comma'], aside: false };

function isPrefix(clause: readonly Item[]): boolean {
  // "Keep an eye on TSLA and tell me if it falls below 290"
  const said = clause.filter(({ tags }) => !tags.includes('harmless') && !tags.includes('my'));
  const [lead, watched, ...more] = said;
  if (lead?.tags.includes('watch_over') && watched !== undefined && isAsset(watched) && more.length === 0) return true;
  const { rest, account } = takeAccount(clause);
  const mentions = readMentions(rest);
  // "Take $500 and put it into VTI"
  const [money, ...others] = mentions.filter(({ kind }) => kind !== 'link');
  const isMoney = money?.kind === 'size' && ('notional' in money.size || 'cash' in money.size);
  if (isMoney && others.length === 0) return true;
  return (
    (account !== undefined || mentions.length > 0) &&
    mentions.every(({ kind }) => ['when', 'time', 'ask', 'link', 'each', 'extended'].includes(kind))
  );
}
