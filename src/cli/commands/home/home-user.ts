import type { ListedAuthenticator, ListedUser } from '../../../app/home/users.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { folderOf } from './folder-of.ts';

export function addHomeUser(home: CliCommand): void {
  const user = home
    .command('user')
    .summary('who lives here, and what they approve with')
    .description("The home's people, their phones and other authenticators, and their recovery codes.")
    .examples(
      ['trade-agent home user list', 'people, and the authenticators they have'],
      ['trade-agent home user remove-authenticator AX3f', 'a lost phone'],
    );
  addList(user);
  addAdd(user);
  addRemove(user);
  addRemoveAuthenticator(user);
  addRecoveryCode(user);
}

function addList(user: CliCommand): void {
  user
    .command('list', { isDefault: true })
    .description('Lists people, their authenticators and accounts.')
    .examples(['trade-agent home user list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listUsers } = await import('../../../app/home/users.ts');
      const users = await listUsers(context, folderOf(command));
      await context.output.result('home-users', { users }, () => users.flatMap(userLines).join('\n'));
    });
}

function addAdd(user: CliCommand): void {
  user
    .command('add')
    .description('Adds a person, who then needs a phone (home pair) and an account (home broker set).')
    .argument('<name>', 'as the phone shows it')
    .option('--user <name>', 'the user name (default: made of the name)')
    .option('--email <address>', 'an e-mail address (default: none)')
    .examples(['trade-agent home user add "Bob Brown" --user bob', ''])
    .runs(async (context, name: string, options: { user?: string; email?: string }, command: CliCommand) => {
      const { addUser } = await import('../../../app/home/users.ts');
      const added = await addUser(context, folderOf(command), {
        name,
        username: options.user,
        email: options.email,
      });
      const next = [
        `trade-agent home pair --user ${added.username}`,
        `trade-agent home broker set --user ${added.username}`,
      ];
      await context.output.result(
        'home-user',
        { user: added.username, name: added.name, recovery_code: added.recoveryCode, next },
        () =>
          [
            `${added.name} lives here as ${added.username}.`,
            `Recovery code: ${added.recoveryCode} (not shown again)`,
            'Next:',
            ...next.map((line) => `  ${line}`),
          ].join('\n'),
      );
    });
}

function addRemove(user: CliCommand): void {
  user
    .command('remove')
    .description('Removes a person: authenticators, broker keys, and everything they could do here.')
    .argument('<name>', 'the user name')
    .requiredOption('--yes', 'it is meant: the name is never given again')
    .examples(['trade-agent home user remove bob --yes', ''])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { removeUser } = await import('../../../app/home/users.ts');
      await removeUser(context, folderOf(command), name);
      await context.output.result('home-user-remove', { user: name }, () => `${name} no longer lives here.`);
    });
}

function addRemoveAuthenticator(user: CliCommand): void {
  user
    .command('remove-authenticator')
    .description('Ends a lost phone: it approves nothing from now on. Another phone can do the same.')
    .argument('<id>', 'its id as "home user list" shows it, or its name')
    .option('--user <name>', 'whose (default: the one who lives here)')
    .examples(['trade-agent home user remove-authenticator AX3f --user alice', ''])
    .runs(async (context, id: string, options: { user?: string }, command: CliCommand) => {
      const { removeAuthenticator } = await import('../../../app/home/users.ts');
      const removed = await removeAuthenticator(context, folderOf(command), { username: options.user, id });
      const { username, authenticator, left } = removed;
      await context.output.result('home-authenticator-remove', { user: username, authenticator, left }, () =>
        [
          `${safeLine(authenticator.name)} of ${username} approves nothing any more.`,
          ...(left === 0 ? ['None is left: "trade-agent home pair" pairs another.'] : []),
        ].join('\n'),
      );
    });
}

function addRecoveryCode(user: CliCommand): void {
  user
    .command('recovery-code')
    .description(
      'Makes a new recovery code, which ends the one before. It reads, denies and halts; it approves nothing.',
    )
    .option('--user <name>', 'whose (default: the one who lives here)')
    .examples(['trade-agent home user recovery-code', 'shown once'])
    .runs(async (context, options: { user?: string }, command: CliCommand) => {
      const { newRecoveryCode } = await import('../../../app/home/users.ts');
      const { username, recoveryCode } = await newRecoveryCode(context, folderOf(command), options.user);
      await context.output.result(
        'home-recovery-code',
        { user: username, recovery_code: recoveryCode },
        () => `Recovery code of ${username}: ${recoveryCode} (not shown again)`,
      );
    });
}

/** As many characters of an id as a person types. */
const SHOWN_ID = 8;

export function userLines(user: ListedUser): string[] {
  const { username, name, email, authenticators, accounts, recovery_code } = user;
  const at =
    accounts.length === 0
      ? 'no account at the broker'
      : accounts
          .map(({ broker, number, environment }) => {
            const where = accounts.length === 1 ? '' : ` at ${broker}`;
            return `account ${safeLine(number)} (${environmentWord(environment)})${where}`;
          })
          .join(', ');
  return [
    `${username}  ${safeLine(name)}${email === '' ? '' : ` <${safeLine(email)}>`}, ${at}, recovery code ${recovery_code}`,
    ...(authenticators.length === 0 ? ['  no authenticator: nothing can be approved yet'] : []),
    ...authenticators.map(authenticatorLine),
  ];
}

function authenticatorLine(authenticator: ListedAuthenticator): string {
  const { id, name, kind, synced, enrolled_at, last_used_at } = authenticator;
  const what = kind === 'software' ? 'software key' : synced ? 'synced passkey' : 'passkey of one device';
  const used = last_used_at === null ? 'never used' : `last used ${last_used_at}`;
  return `  ${id.slice(0, SHOWN_ID)}  ${safeLine(name)}, ${what}, since ${enrolled_at}, ${used}`;
}
