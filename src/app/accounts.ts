import { isTradeAgentError } from '../errors/errors.ts';
import type { AccountEntry, AccountName } from '../trading/account-entry.ts';
import type { App } from './app.ts';

/**
 * Sets the default account.
 * @param name its number, its broker's name, or its owner's label
 * @throws {TradeAgentError} `usage` for an unknown name; `gateway_refused`, `login_required`
 */
export async function chooseDefaultAccount(app: Pick<App, 'gateway'>, name: string): Promise<AccountEntry[]> {
  const { accountCalled } = await import('../tools/gateway/account-requests.ts');
  const gateway = await app.gateway();
  return await gateway.chooseAccount(accountCalled(name, await gateway.accounts()).account);
}

/** What a use case across all of a person's accounts needs. */
export type AcrossApp = Pick<App, 'account' | 'accounts' | 'inAccount' | 'ofAll'>;

export type KnownAccount = AccountEntry & { readonly account: string };

/** An account that could not be read, and why. */
export interface MissingAccount extends AccountName {
  readonly message: string;
}

interface EachAccount<T> {
  readonly read: readonly { readonly at: KnownAccount; readonly value: T }[];
  readonly missing: readonly MissingAccount[];
}

/**
 * The accounts of a person who has several and named none, or named all; undefined where one is meant.
 * @throws {TradeAgentError} `login_required`, `usage`, and what reading the accounts throws
 */
export async function accountsMeant(app: AcrossApp): Promise<readonly AccountEntry[] | undefined> {
  if (app.ofAll) return await app.accounts();
  if ((await app.account()) !== undefined) return undefined;
  const entries = await app.accounts().catch(knownToNone);
  return entries.length < 2 ? undefined : entries;
}

/** The gateway knows one account only. */
function knownToNone(error: unknown): AccountEntry[] {
  if (isTradeAgentError(error) && error.code === 'not_found') return [];
  throw error;
}

/**
 * Runs `work` in each account. One that can't be read is named in `missing`; the others are unaffected.
 * @throws {TradeAgentError} what ends it for all: `login_required`, `interrupted`
 */
export async function eachAccount<T>(
  app: AcrossApp,
  entries: readonly AccountEntry[],
  work: (own: App, at: KnownAccount) => Promise<T>,
): Promise<EachAccount<T>> {
  const all = await Promise.all(entries.map((entry) => inOne(app, entry, work)));
  return {
    read: all.flatMap((one) => ('at' in one ? [one] : [])),
    missing: all.flatMap((one) => ('at' in one ? [] : [one])),
  };
}

/** @throws {TradeAgentError} as {@link eachAccount} */
export async function inOne<T>(
  app: AcrossApp,
  { account, ...entry }: AccountEntry,
  work: (own: App, at: KnownAccount) => Promise<T>,
): Promise<EachAccount<T>['read'][number] | MissingAccount> {
  const { broker, label, problem = 'not known why' } = entry;
  const missing = (message: string) => ({ account, broker, label, message });
  if (account === null) return missing(`the broker cannot be asked now (${problem})`);
  const at = { account, ...entry };
  try {
    return { at, value: await work(app.inAccount(account), at) };
  } catch (error) {
    // These concern all accounts.
    if (!isTradeAgentError(error) || ['login_required', 'interrupted'].includes(error.code)) throw error;
    return missing(error.message);
  }
}
