import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import { type TotalAcross, totalsAcross } from '../../trading/portfolio/totals-across.ts';
import type { Account, Position } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** An account as it was read, and where it is. */
export interface AccountRead extends Pick<AccountEntry, 'broker' | 'label' | 'default'> {
  readonly account: Account;
  readonly positions: readonly Position[];
}

/** All of a person's accounts. What could not be read is named, and is in no total. */
export interface PortfolioAcross {
  readonly accounts: readonly AccountRead[];
  readonly missing: readonly (Pick<AccountEntry, 'broker' | 'label' | 'account'> & {
    readonly message: string;
  })[];
  readonly totals: readonly TotalAcross[];
}

/**
 * The accounts of a person who has several, each as its own broker tells it; undefined for one who has not, or has named one.
 * @throws {TradeAgentError} `login_required`, and what asking for the accounts does
 */
export async function portfolioAcross(
  app: Pick<App, 'gateway' | 'account'>,
): Promise<PortfolioAcross | undefined> {
  if ((await app.account()) !== undefined) return undefined;
  const gateway = await app.gateway();
  const entries = await accountsOf(gateway);
  if (entries.length < 2) return undefined;
  const read = await Promise.all(entries.map((entry) => readAccount(gateway, entry)));
  const accounts = read.flatMap((one) => ('positions' in one ? [one] : []));
  return {
    accounts,
    missing: read.flatMap((one) => ('message' in one ? [one] : [])),
    totals: totalsAcross(accounts.map(({ account }) => account)),
  };
}

/** A gateway of an earlier version knows of one account alone. */
async function accountsOf(gateway: GatewayClient): Promise<AccountEntry[]> {
  try {
    return await gateway.accounts();
  } catch (error) {
    if (isTradeAgentError(error) && error.code === 'not_found') return [];
    throw error;
  }
}

async function readAccount(
  gateway: GatewayClient,
  { account: number, broker, label, default: isDefault, problem }: AccountEntry,
): Promise<AccountRead | PortfolioAcross['missing'][number]> {
  const missing = (message: string) => ({ broker, label, account: number, message });
  if (number === null) return missing(`the broker cannot be asked now (${problem ?? 'not known why'})`);
  try {
    const own = gateway.inAccount(number);
    const [account, positions] = await Promise.all([own.account(), own.positions()]);
    return { broker, label, default: isDefault, account, positions };
  } catch (error) {
    // Whoever is signed out, or has interrupted it, sees none.
    if (!isTradeAgentError(error) || ['login_required', 'interrupted'].includes(error.code)) throw error;
    return missing(error.message);
  }
}
