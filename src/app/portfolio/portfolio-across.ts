import type { AccountEntry } from '../../trading/account-entry.ts';
import { type TotalAcross, totalsAcross } from '../../trading/portfolio/totals-across.ts';
import type { Account, Position } from '../../trading/views.ts';
import { type AcrossApp, accountsMeant, eachAccount, type MissingAccount } from '../accounts/each-account.ts';

/** An account as it was read, and where it is. */
export interface AccountRead extends Pick<AccountEntry, 'broker' | 'label' | 'default'> {
  readonly account: Account;
  readonly positions: readonly Position[];
}

/** All of a person's accounts. What could not be read is named, and is in no total. */
export interface PortfolioAcross {
  readonly accounts: readonly AccountRead[];
  readonly missing: readonly MissingAccount[];
  readonly totals: readonly TotalAcross[];
}

/**
 * The accounts of a person who has several, each as its own broker tells it; undefined for one who has not, or has named one.
 * @throws {TradeAgentError} `login_required`, and what asking for the accounts does
 */
export async function portfolioAcross(app: AcrossApp): Promise<PortfolioAcross | undefined> {
  const entries = await accountsMeant(app);
  if (entries === undefined) return undefined;
  const { read, missing } = await eachAccount(app, entries, async (own) => {
    const gateway = await own.gateway();
    const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
    return { account, positions };
  });
  const accounts = read.map(({ at, value }) => {
    const { broker, label, default: isDefault } = at;
    return { broker, label, default: isDefault, ...value };
  });
  return { accounts, missing, totals: totalsAcross(accounts.map(({ account }) => account)) };
}
