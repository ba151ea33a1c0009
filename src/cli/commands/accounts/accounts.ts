import { chooseDefaultAccount } from '../../../app/accounts.ts';
import { exits, sessionExits } from '../../../app/exit-codes.ts';
import type { AccountEntry } from '../../../trading/account-entry.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addAccountsCommand(program: CliCommand): void {
  const accounts = program
    .command('accounts')
    .summary('list your accounts, and say which is meant by itself')
    .description(
      'Lists your accounts, each with its broker and whether its money is real. Any command takes --account with a number or a name of one; the default account is meant without.',
    )
    .examples(
      ['trade-agent accounts', 'number, broker, PAPER or LIVE'],
      ['trade-agent accounts default ibkr', 'by its number or name'],
      ['trade-agent portfolio --account ibkr', 'one of them'],
    )
    .exits(...sessionExits, exits.found);
  accounts
    .command('list', { isDefault: true })
    .description('list them')
    .examples(['trade-agent accounts list --output json | jq -r ".accounts[].account"', 'for scripts'])
    .exits(...sessionExits, exits.found)
    .runs(async (context) => print(context, await context.accounts()));
  accounts
    .command('default')
    .description('say which account is meant where none is named')
    .argument('<account>', 'its number or name, as "trade-agent accounts" lists them')
    .examples(['trade-agent accounts default PA3ALICE01', 'from now on, for all your programs'])
    .exits(...sessionExits, exits.found)
    .runs(async (context, name: string) => print(context, await chooseDefaultAccount(context, name)));
}

/** Ends with {@link exits.found} if a broker could not be asked which account it is. */
async function print(context: Context, accounts: readonly AccountEntry[]): Promise<number> {
  await context.output.result('accounts', { accounts }, async () =>
    (await import('../../text/portfolios-table.ts')).accountsTable(accounts),
  );
  return accounts.some(({ account }) => account === null) ? exits.found : exits.done;
}
