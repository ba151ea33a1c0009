import type { Intent } from './intent.ts';
import { NotUnderstoodError } from './words.ts';

/*
 * Reads the account that a request names, as in "buy 5 AAPL in my IBKR account" or "what do I own in account 12345".
 * The name is resolved before anything is asked or proposed.
 */

/** Matches an account number, which contains a digit, so that "in my account now" does not match. */
const byNumber = /\b(?:in|from|at|on) (?:my |the )?account (?:number |no\.? )?((?=[\w-]*\d)[A-Za-z0-9][\w-]*)/gi;
const byName = /\b(?:in|from|at|on) (?:my|the) ((?:[A-Za-z0-9][\w-]*\s){1,3})account\b(?! (?:number|no\b|[\w-]*\d))/gi;

const general =
  /^(?:(?:whole|entire|own|brokerage|broker|trading|investment|stock|stocks|current|paper|live|main|default)\s?)+$/i;

const ACCOUNT_HINT = 'Name one account, as in "buy 5 AAPL in account 12345"; "trade-agent accounts" lists yours.';

/** Extracts the account from a clause. @throws {NotUnderstoodError} if the clause names several accounts */
export function splitAccount(clause: string): { readonly rest: string; readonly account?: string } {
  const found = [...clause.matchAll(byNumber), ...clause.matchAll(byName)].flatMap(([phrase, name = '']) =>
    general.test(name.trim()) ? [] : [{ phrase, name: name.trim() }],
  );
  const [first, another] = found;
  if (first === undefined) return { rest: clause };
  if (another !== undefined) throw new NotUnderstoodError('Which account do you mean?', ACCOUNT_HINT);
  const rest = clause
    .replace(first.phrase, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[\s,]+|[\s,]+$/g, '');
  return { rest, account: first.name };
}

const singleAccountKinds: readonly Intent['kind'][] = [
  'order',
  'standing',
  'cancel',
  'replace',
  'portfolio',
  'orders',
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

export function withAccount(intent: Intent, account: string): Intent {
  if (singleAccountKinds.includes(intent.kind)) return { ...intent, account };
  throw new NotUnderstoodError(
    'That request can’t name an account.',
    `Pass --account ${JSON.stringify(account)} instead.`,
  );
}

export function requireUnambiguousAccount(intents: readonly Intent[]): void {
  const can = intents.filter(({ kind }) => singleAccountKinds.includes(kind));
  const named = can.filter(({ account }) => account !== undefined);
  if (named.length === 0 || named.length === can.length) return;
  throw new NotUnderstoodError(
    `Is all of that for the account "${named[0]?.account}", or only part of it?`,
    'Name the account in each part, or ask for one thing at a time.',
  );
}
