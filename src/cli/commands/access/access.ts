import type { NewAccess } from '../../../app/access.ts';
import { askingExits, sessionExits } from '../../../app/exit-codes.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { accessRoles } from '../../../trading/kinds/access.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { readerOf } from '../../text/reader.ts';

export function addAccessCommand(program: CliCommand): void {
  const access = program
    .command('access')
    .summary('who may look at your account, or propose for it')
    .description(
      'Lets others at your account: look at it, or propose orders that your phone asks you about. Letting somebody in takes your approval; ending it takes none. Nobody but you approves for your account, but for the second yes of a co-owner where your rules ask for two.',
    )
    .examples(
      ['trade-agent access', 'who may what, and whose accounts you may see'],
      ['trade-agent access grant bob advisor --until 2027-01-31', 'your phone is asked'],
      ['trade-agent access revoke ID', 'at once'],
    )
    .exits(...sessionExits);
  access
    .command('list', { isDefault: true })
    .description('list who may what about your account, and whose accounts you are let at')
    .examples(['trade-agent access list --output json', 'for scripts'])
    .exits(...sessionExits)
    .runs(printAccess);
  access
    .command('grant')
    .description('let somebody at your account, once your phone approves')
    .argument(
      '<who>',
      'the user name of a person at your identity provider, or the name of a firm or household',
    )
    .argument('<role>', accessRoles.join(', '))
    .option('--of <name>', 'the firm that an advisor works for; the household that a member is of')
    .option('--from <time>', 'from then on: a date, or a time as in RFC 3339')
    .option('--until <time>', 'until then, and no longer')
    .examples(
      ['trade-agent access grant bob advisor --until 2027-01-31', 'proposes for you; you approve'],
      ['trade-agent access grant carol co_owner', 'gives the second yes, where your rules ask for two'],
      ['trade-agent access grant acme firm', 'engages a firm, whose advisors you name by --of acme'],
      ['trade-agent access grant eve member --of family', 'sees it while the household "family" does'],
    )
    .exits(...askingExits)
    .runs((context, who: string, role: string, options: Omit<NewAccess, 'who' | 'role'>) =>
      grant(context, { ...options, who, role }),
    );
  access
    .command('revoke')
    .description('end what you gave, or what you were given, at once')
    .argument('<id>', 'as "access list" shows it')
    .examples(['trade-agent access revoke ID', 'nobody is asked'])
    .exits(...sessionExits)
    .runs(revoke);
}

async function printAccess(context: Context): Promise<void> {
  const list = await (await context.gateway()).access();
  await context.output.result('access', { ...list }, async () => {
    if (list.kept === 'elsewhere')
      return 'Who may what is kept by another server: your gateway’s owner sees it there.';
    const { accessText } = await import('../../text/lists.ts');
    const shown = [...list.granted, ...list.given];
    if (shown.length === 0) return 'Nobody but you is let at your account, and you at nobody’s.';
    return accessText(shown, readerOf(context.io));
  });
}

async function grant(context: Context, wanted: NewAccess): Promise<void> {
  const { grantAccess } = await import('../../../app/access.ts');
  const granted = await grantAccess(context, wanted, async () =>
    (await import('../../run/asked-proposal.ts')).showAsking(context),
  );
  await context.output.result(
    'access-granted',
    { ...granted },
    () =>
      `Let in ${safeLine(wanted.who)}. It ends with: trade-agent access revoke ${safeLine(granted.access)}`,
  );
}

async function revoke(context: Context, id: string): Promise<void> {
  const { revokeAccess } = await import('../../../app/access.ts');
  const access = await revokeAccess(context, id);
  await context.output.result('access-revoked', { access }, () => 'Ended.');
}
