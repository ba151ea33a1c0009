import { setDefaultAccount } from '../../../app/accounts.ts';
import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { AccountEntry } from '../../../trading/account-entry.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addAccountsCommand(program: CliCommand): void {
  const accounts = program
    .command('accounts')
    .summary('list your accounts and show the default')
    .description(
      'List your accounts with their brokers and whether they are paper or live. All commands take --account with a number or a name; without it, they use the default account.',
    )
    .examples(
      ['trade-agent accounts', 'number, broker, PAPER or LIVE'],
      ['trade-agent accounts default ibkr', 'make an account the default, by number or name'],
      ['trade-agent portfolio --account ibkr', 'use one of your accounts'],
    )
    .exits(...sessionExitCodes, exitCodes.found);
  accounts
    .command('list', { isDefault: true })
    .description('list your accounts')
    .examples(['trade-agent accounts list --output json | jq -r ".accounts[].account"', 'for scripts'])
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(async (context) => print(context, await context.accounts()));
  accounts
    .command('default')
    .description('set the default account')
    .argument('<account>', 'number or name from "trade-agent accounts"')
    .examples(['trade-agent accounts default PA3ALICE01', 'applies to all your programs'])
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(async (context, name: string) => print(context, await setDefaultAccount(context, name)));
}

/**
 * Prints the accounts. Returns {@link exits.found} if an account's number is unknown because its broker is unreachable.
 */
async function print(context: Context, accounts: readonly AccountEntry[]): Promise<number> {
  await context.output.result('accounts', { accounts }, async () =>
    (await import('../../text/portfolios-table.ts')).accountsTable(accounts),
  );
  return accounts.some(({ account }) => account === null) ? exitCodes.found : exitCodes.done;
}
