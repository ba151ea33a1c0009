import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { whoami } from '../../../app/whoami.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addWhoamiCommand(program: CliCommand): void {
  program
    .command('whoami')
    .description('show who is signed in, and where')
    .option('--verify', 'check with the identity provider instead of using stored data')
    .examples(
      ['trade-agent whoami', 'name, profile, and paper or live'],
      ['trade-agent whoami --output json | jq -r .user.email', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(printWhoami);
}

async function printWhoami(context: Context, options: { verify?: boolean }): Promise<void> {
  const { user, ...where } = await whoami(context, { verify: options.verify ?? false });
  const { sub, name, email } = user;
  await context.output.result(
    'whoami',
    { user: { sub, name: name ?? null, email: email ?? null }, ...where },
    async () => {
      const who = name ?? email ?? sub;
      const address = email !== undefined && email !== who ? ` <${email}>` : '';
      const { profile, environment, issuer, company } = where;
      const by = company === null ? '' : `, through ${company}`;
      const line = `${safeLine(`${who}${address}`)} (profile ${profile}, ${environmentName(environment)}, ${issuer}${by})`;
      const { accounts } = where;
      if (accounts === null || accounts.length < 2) return line;
      const { accountsTable } = await import('../../text/portfolios-table.ts');
      return `${line}\n\n${await accountsTable(accounts)}`;
    },
  );
}
