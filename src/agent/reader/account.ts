import { phrase } from '../../text/phrase.ts';
import type { Intent } from './intent.ts';
import type { Item } from './item.ts';
import { NotUnderstoodError } from './refusal.ts';

const ACCOUNT_HINT = phrase`Name one account, as in "buy 5 AAPL in account 12345"; "trade-agent accounts" lists yours.`;
const GENERAL =
  /^(?:(?:whole|entire|own|brokerage|broker|trading|investment|stock|stocks|current|paper|live|main|default|bank|savings|checking)\s?)+$/i;
const MAX_NAME_ITEMS = 3;

/**
 * Separates "in my IRA account" or "in account 12345" from a clause. Returns the rest and the account.
 * @throws {NotUnderstoodError} if there are several accounts
 */
export function takeAccount(items: readonly Item[]): { readonly rest: readonly Item[]; readonly account?: string } {
  const first = findAccount(items, 0);
  if (first === undefined) return { rest: items };
  if (findAccount(items, first.end) !== undefined)
    throw new NotUnderstoodError(phrase`Which account do you mean?`, ACCOUNT_HINT);
  const rest = [...items.slice(0, first.start), ...items.slice(first.end)];
  const isComma = (item: Item | undefined) => item?.tags.includes('comma') === true;
  // "In my IRA account, buy …" leaves a comma behind.
  return { rest: first.start === 0 && isComma(rest[0]) ? rest.slice(1) : rest, account: first.account };
}

interface FoundAccount {
  readonly start: number;
  readonly end: number;
  readonly account: string;
}

function findAccount(items: readonly Item[], from: number): FoundAccount | undefined {
  for (let at = from; at < items.length; at += 1) {
    const found = items[at]?.tags.includes('account')
      ? (accountByNumber(items, at) ?? accountByName(items, at))
      : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function accountByNumber(items: readonly Item[], at: number): FoundAccount | undefined {
  const number = items[at + 1];
  const start = items[at - 1]?.tags.includes('my') ? at - 2 : at - 1;
  const isNumber = number !== undefined && /\d/.test(number.text) && isLead(items[start]);
  return isNumber ? { start, end: at + 2, account: number.text } : undefined;
}

function accountByName(items: readonly Item[], at: number): FoundAccount | undefined {
  for (let size = 1; size <= MAX_NAME_ITEMS; size += 1) {
    const start = at - size - 2;
    const account = items
      .slice(at - size, at)
      .map(({ text }) => text)
      .join(' ');
    const isNamed = /^(?:my|the)$/.test(items[start + 1]?.lower ?? '') && isLead(items[start]);
    const isPhrase = items.slice(at - size, at).some((item) => isLead(item) || item.tags.includes('my'));
    if (isNamed && !isPhrase && !GENERAL.test(account)) return { start, end: at + 1, account };
  }
  return undefined;
}

const isLead = (item: Item | undefined) => item !== undefined && /^(?:in|from|at|on)$/.test(item.lower);

const oneAccount: readonly Intent['kind'][] = [
  'order',
  'standing',
  'swap',
  'target',
  'cancel',
  'replace',
  'portfolio',
  'orders',
  'computed',
  'quote',
  'chart',
  'performance',
  'activities',
  'risk',
  'lots',
  'gains',
  'wash',
  'rules',
  'watchlist',
  'watch',
];

/** Returns whether a request is about one account, so that it can name it. */
export function isOfOneAccount({ kind }: Intent): boolean {
  return oneAccount.includes(kind);
}

/** Requires that either all of a sentence's requests name the account, or none. @throws {NotUnderstoodError} */
export function requireUnambiguousAccount(intents: readonly Intent[]): void {
  const can = intents.filter(isOfOneAccount);
  const named = can.filter(({ account }) => account !== undefined);
  if (named.length === 0 || named.length === can.length) return;
  throw new NotUnderstoodError(
    phrase`Is all of that for the account "${named[0]?.account}", or only part of it?`,
    phrase`Name the account in each part, or ask for one thing at a time.`,
  );
}
