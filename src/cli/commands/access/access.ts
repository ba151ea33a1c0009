import type { NewAccess } from '../../../app/access.ts';
import { approvalExitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { accessRoles } from '../../../trading/kinds/access.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { toAudience } from '../../text/audience.ts';

export function addAccessCommand(program: CliCommand): void {
  const access = program
    .command('access')
    .summary('manage who can see your account or propose orders for it')
    .description(
      'Give others access to your account, to see it or to propose orders that you approve on your phone. Granting access needs your approval; revoking it does not. Only you approve orders for your account, except that a co-owner gives the second approval if your rules require two.',
    )
    .examples(
      ['trade-agent access', 'who has access, and whose accounts you can see'],
      ['trade-agent access grant bob advisor --until 2027-01-31', 'needs your approval'],
      ['trade-agent access revoke ID', 'takes effect immediately'],
    )
    .exits(...sessionExitCodes);
  access
    .command('list', { isDefault: true })
    .description('list who has access to your account, and whose accounts you can access')
    .examples(['trade-agent access list --output json', 'for scripts'])
    .exits(...sessionExitCodes)
    .runs(printAccess);
  access
    .command('grant')
    .description('give someone access to your account (needs your approval)')
    .argument('<who>', 'username at your identity provider, or the name of a firm or household')
    .argument('<role>', accessRoles.join(', '))
    .option('--of <name>', 'the firm of an advisor, or the household of a member')
    .option('--from <time>', 'start: a date, or an RFC 3339 time')
    .option('--until <time>', 'end: a date, or an RFC 3339 time')
    .examples(
      ['trade-agent access grant bob advisor --until 2027-01-31', 'can propose orders; you approve them'],
      ['trade-agent access grant carol co_owner', 'gives the second approval if your rules require two'],
      ['trade-agent access grant acme firm', 'a firm; then grant its advisors with --of acme'],
      ['trade-agent access grant eve member --of family', 'can see the account as long as the household "family" can'],
    )
    .exits(...approvalExitCodes)
    .runs((context, who: string, role: string, options: Omit<NewAccess, 'who' | 'role'>) =>
      grant(context, { ...options, who, role }),
    );
  access
    .command('revoke')
    .description('revoke access that you granted or were granted, effective immediately')
    .argument('<id>', 'the ID from "access list"')
    .examples(['trade-agent access revoke ID', 'needs no approval'])
    .exits(...sessionExitCodes)
    .runs(revoke);
}

async function printAccess(context: Context): Promise<void> {
  const list = await (await context.gateway()).access();
  await context.output.result('access', { ...list }, async () => {
    if (list.kept === 'elsewhere') return 'Access is managed on another server. Ask the owner of your gateway.';
    const { accessText } = await import('../../text/lists.ts');
    const shown = [...list.granted, ...list.given];
    if (shown.length === 0) return 'Nobody else has access to your account, and you have no access to other accounts.';
    return accessText(shown, toAudience(context.io));
  });
}

async function grant(context: Context, wanted: NewAccess): Promise<void> {
  const { grantAccess } = await import('../../../app/access.ts');
  const granted = await grantAccess(context, wanted, async () =>
    (await import('../../run/approval-progress.ts')).createApprovalListener(context),
  );
  await context.output.result(
    'access-granted',
    { ...granted },
    () => `${safeLine(wanted.who)} now has access. To revoke it: trade-agent access revoke ${safeLine(granted.access)}`,
  );
}

async function revoke(context: Context, id: string): Promise<void> {
  const { revokeAccess } = await import('../../../app/access.ts');
  const access = await revokeAccess(context, id);
  await context.output.result('access-revoked', { access }, () => 'Access revoked.');
}
