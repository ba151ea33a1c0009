import { isTradeAgentError } from '../errors/errors.ts';
import type { AccountEntry, AccountName } from '../trading/account-entry.ts';
import type { App } from './app.ts';

/**
 * Sets the default account.
 * @param name account number, broker name, or the owner's label
 * @throws {TradeAgentError} `usage` for an unknown name; `gateway_refused`, `login_required`
 */
export async function setDefaultAccount(app: Pick<App, 'gateway'>, name: string): Promise<AccountEntry[]> {
  const { resolveAccount } = await import('../tools/gateway/account-requests.ts');
  const gateway = await app.gateway();
  return await gateway.chooseAccount(resolveAccount(name, await gateway.accounts()).account);
}

/** The part of {@link App} needed by use cases that span all of a person's accounts. */
export type MultiAccountApp = Pick<App, 'account' | 'accounts' | 'inAccount' | 'isAllAccounts'>;

export type KnownAccount = AccountEntry & { readonly account: string };

export interface MissingAccount extends AccountName {
  readonly message: string;
}

interface AccountResults<T> {
  readonly read: readonly { readonly at: KnownAccount; readonly value: T }[];
  readonly missing: readonly MissingAccount[];
}

/**
 * Returns all of the person's accounts if they have several and selected either none or `all`. Returns undefined if the
 * request is for a single account.
 * @throws {TradeAgentError} `login_required`, `usage`, and any error from reading the accounts
 */
export async function resolveSelectedAccounts(app: MultiAccountApp): Promise<readonly AccountEntry[] | undefined> {
  if (app.isAllAccounts) return await app.accounts();
  if ((await app.account()) !== undefined) return undefined;
  const entries = await app.accounts().catch(emptyIfNotFound);
  return entries.length < 2 ? undefined : entries;
}

/** Returns an empty list for `not_found`, the error from a gateway with a single account. Rethrows other errors. */
function emptyIfNotFound(error: unknown): AccountEntry[] {
  if (isTradeAgentError(error) && error.code === 'not_found') return [];
  throw error;
}

/**
 * Runs `work` in each account. Accounts that can't be read are returned in `missing` and don't affect the others.
 * @throws {TradeAgentError} errors that concern all accounts: `login_required`, `interrupted`
 */
export async function forEachAccount<T>(
  app: MultiAccountApp,
  entries: readonly AccountEntry[],
  work: (own: App, at: KnownAccount) => Promise<T>,
): Promise<AccountResults<T>> {
  const all = await Promise.all(entries.map((entry) => runInAccount(app, entry, work)));
  return {
    read: all.flatMap((one) => ('at' in one ? [one] : [])),
    missing: all.flatMap((one) => ('at' in one ? [] : [one])),
  };
}

/** Runs `work` in one account. @throws {TradeAgentError} the same errors as {@link forEachAccount} */
export async function runInAccount<T>(
  app: MultiAccountApp,
  { account, ...entry }: AccountEntry,
  work: (own: App, at: KnownAccount) => Promise<T>,
): Promise<AccountResults<T>['read'][number] | MissingAccount> {
  const { broker, label, problem = 'unknown reason' } = entry;
  const missing = (message: string) => ({ account, broker, label, message });
  if (account === null) return missing(`the broker can't be reached right now (${problem})`);
  const at = { account, ...entry };
  try {
    return { at, value: await work(app.inAccount(account), at) };
  } catch (error) {
    // Some errors concern all accounts, so they end the whole command.
    if (!isTradeAgentError(error) || ['login_required', 'interrupted'].includes(error.code)) throw error;
    return missing(error.message);
  }
}
