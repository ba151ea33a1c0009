import { safeLine } from '../../text/shown-text.ts';
import type { AccountEntry } from '../../trading/account-entry.ts';
import { environmentWord } from '../../trading/environment.ts';
import { table } from './table.ts';

/** A row an account: which is meant by itself, its number, where it is, and whether its money is real. */
export async function accountsTable(accounts: readonly AccountEntry[]): Promise<string> {
  if (accounts.length === 0) return 'No account is connected: "trade-agent connections add broker".';
  return await table<AccountEntry>(
    [
      { head: '', cell: (entry) => (entry.default ? '*' : '') },
      {
        head: 'ACCOUNT',
        cell: ({ account, problem }) => safeLine(account ?? `? (${problem ?? 'not known'})`),
      },
      { head: 'NAME', cell: ({ broker }) => safeLine(broker) },
      { head: 'BROKER', cell: ({ label }) => safeLine(label) },
      { head: '', cell: ({ environment }) => environmentWord(environment) },
    ],
    accounts,
  );
}
