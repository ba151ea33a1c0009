import { Dec, ZERO } from '../decimal.ts';
import type { Account } from '../views.ts';

/** Totals of accounts in one currency. Amounts have two decimals. */
export interface AccountsTotal {
  readonly currency: string;
  readonly equity: string;
  readonly cash: string;
  readonly day_change: string | null;
}

export function totalByCurrency(accounts: readonly Account[]): AccountsTotal[] {
  const currencies = [...new Set(accounts.map(({ currency }) => currency))];
  return currencies.map((currency) => {
    const own = accounts.filter((account) => account.currency === currency);
    const sum = (amount: (account: Account) => Dec) =>
      own.reduce((total, account) => total.plus(amount(account)), ZERO).toFixed(2);
    return {
      currency,
      equity: sum(({ equity }) => new Dec(equity)),
      cash: sum(({ cash }) => new Dec(cash)),
      day_change: own.some(({ last_equity }) => last_equity === null)
        ? null
        : sum(({ equity, last_equity }) => new Dec(equity).minus(last_equity ?? equity)),
    };
  });
}
