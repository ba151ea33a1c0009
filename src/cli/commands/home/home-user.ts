import type { ListedAuthenticator, ListedGrant, ListedUser } from '../../../app/home/users.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { resolveHomeFolder } from './home-folder-option.ts';

export function addHomeUserCommands(home: CliCommand): void {
  const user = home
    .command('user')
    .summary('manage users, their phones and recovery codes')
    .description("Manage the home's users, their phones and other authenticators, and their recovery codes.")
    .examples(
      ['trade-agent home user list', 'users and their authenticators'],
      ['trade-agent home user remove-authenticator AX3f', 'after losing a phone'],
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
    .description('List users, their authenticators and accounts.')
    .examples(['trade-agent home user list --output json', 'for scripts'])
    .runs(async (context, _options: unknown, command: CliCommand) => {
      const { listUsers } = await import('../../../app/home/users.ts');
      const users = await listUsers(context, resolveHomeFolder(command));
      await context.output.result('home-users', { users }, () => users.flatMap(userLines).join('\n'));
    });
}

function addAdd(user: CliCommand): void {
  user
    .command('add')
    .description('Add a user, who then needs a phone (home pair) and an account (home broker set).')
    .argument('<name>', 'their name, as shown on the phone')
    .option('--user <name>', 'the username (default: derived from the name)')
    .option('--email <address>', 'an email address (default: none)')
    .examples(['trade-agent home user add "Bob Brown" --user bob', ''])
    .runs(async (context, name: string, options: { user?: string; email?: string }, command: CliCommand) => {
      const { addUser } = await import('../../../app/home/users.ts');
      const added = await addUser(context, resolveHomeFolder(command), {
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
            `Added ${added.name} as ${added.username}.`,
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
    .description('Remove a user with their authenticators, broker keys and access.')
    .argument('<name>', 'the username')
    .requiredOption('--yes', 'confirm the removal; the username can never be used again')
    .examples(['trade-agent home user remove bob --yes', ''])
    .runs(async (context, name: string, _options: unknown, command: CliCommand) => {
      const { removeUser } = await import('../../../app/home/users.ts');
      await removeUser(context, resolveHomeFolder(command), name);
      await context.output.result('home-user-remove', { user: name }, () => `Removed ${name}.`);
    });
}

function addRemoveAuthenticator(user: CliCommand): void {
  user
    .command('remove-authenticator')
    .description(
      'Remove an authenticator, such as a lost phone, so that it can no longer approve. You can also do this from another phone.',
    )
    .argument('<id>', 'the authenticator\'s ID from "home user list", or its name')
    .option('--user <name>', 'the user (default: the only one)')
    .examples(['trade-agent home user remove-authenticator AX3f --user alice', ''])
    .runs(async (context, id: string, options: { user?: string }, command: CliCommand) => {
      const { removeAuthenticator } = await import('../../../app/home/users.ts');
      const removed = await removeAuthenticator(context, resolveHomeFolder(command), {
        username: options.user,
        id,
      });
      const { username, authenticator, left } = removed;
      await context.output.result('home-authenticator-remove', { user: username, authenticator, left }, () =>
        [
          `${safeLine(authenticator.name)} of ${username} can no longer approve.`,
          ...(left === 0 ? ['No authenticator is left. Pair another phone: trade-agent home pair'] : []),
        ].join('\n'),
      );
    });
}

function addRecoveryCode(user: CliCommand): void {
  user
    .command('recovery-code')
    .description(
      'Create a new recovery code, which replaces the previous one. It can read, deny and halt, but not approve.',
    )
    .option('--user <name>', 'the user (default: the only one)')
    .examples(['trade-agent home user recovery-code', 'shown once'])
    .runs(async (context, options: { user?: string }, command: CliCommand) => {
      const { issueRecoveryCode } = await import('../../../app/home/users.ts');
      const { username, recoveryCode } = await issueRecoveryCode(context, resolveHomeFolder(command), options.user);
      await context.output.result(
        'home-recovery-code',
        { user: username, recovery_code: recoveryCode },
        () => `Recovery code of ${username}: ${recoveryCode} (not shown again)`,
      );
    });
}

const DISPLAYED_ID_LENGTH = 8;

export function userLines(user: ListedUser): string[] {
  const { username, name, email, authenticators, accounts, recovery_code } = user;
  const at =
    accounts.length === 0
      ? 'no broker account'
      : accounts
          .map(({ broker, number, environment }) => {
            const where = accounts.length === 1 ? '' : ` at ${broker}`;
            return `account ${safeLine(number)} (${environmentName(environment)})${where}`;
          })
          .join(', ');
  return [
    `${username}  ${safeLine(name)}${email === '' ? '' : ` <${safeLine(email)}>`}, ${at}, recovery code ${recovery_code}`,
    ...(authenticators.length === 0 ? ['  no authenticator: nothing can be approved yet'] : []),
    ...authenticators.map(authenticatorLine),
  ];
}

function authenticatorLine(authenticator: ListedAuthenticator): string {
  const { id, name, kind, synced, former_host: former, enrolled_at, last_used_at } = authenticator;
  const what = kind === 'software' ? 'software key' : synced ? 'synced passkey' : 'single-device passkey';
  const used = last_used_at === null ? 'never used' : `last used ${last_used_at}`;
  return `  ${id.slice(0, DISPLAYED_ID_LENGTH)}  ${safeLine(name)}, ${what}, since ${enrolled_at}, ${used}${former === null ? '' : `; only for the former address at ${former}`}`;
}

interface GrantsOptions {
  readonly user?: string;
}

/** Adds `home grants`, which lists and revokes the access that people granted. */
export function addHomeGrantsCommands(home: CliCommand): void {
  const grants = home
    .command('grants')
    .summary('list and revoke the access that users granted')
    .description(
      'List and revoke the access of devices, servers, other agents and apps that users allowed. Works while the home runs. On the phone, see Apps.',
    )
    .examples(
      ['trade-agent home grants list', 'who has access, since when, until when, and last use'],
      ['trade-agent home grants revoke "Claude Code"', 'ends its tokens and open proposals immediately'],
    );

  grants
    .command('list', { isDefault: true })
    .description('List the granted access. Names are not verified.')
    .option('--user <name>', 'only this user (default: all users)')
    .examples(['trade-agent home grants list --output json', 'for scripts'])
    .runs(async (context, { user }: GrantsOptions, command: CliCommand) => {
      const { listGrants } = await import('../../../app/home/users.ts');
      const found = await listGrants(context, resolveHomeFolder(command), user);
      await context.output.result('home-grants', { grants: found }, () =>
        found.length === 0 ? 'Nobody has granted access.' : found.map(grantLine).join('\n'),
      );
    });

  grants
    .command('revoke')
    .description('Revoke access: end its tokens, open proposals and streams immediately.')
    .argument('<id>', 'the ID from "home grants list" (or a unique prefix of the ID), or its name')
    .option('--user <name>', 'the user, if several users have granted it')
    .examples(['trade-agent home grants revoke V1St --user alice', ''])
    .runs(async (context, id: string, { user }: GrantsOptions, command: CliCommand) => {
      const { revokeGrant } = await import('../../../app/home/users.ts');
      const grant = await revokeGrant(context, resolveHomeFolder(command), { user, id });
      await context.output.result(
        'home-grant-revoke',
        { grant },
        () => `${grantName(grant)} no longer has access for ${grant.user}.`,
      );
    });
}

function grantLine(grant: ListedGrant): string {
  const { user, id, kind, since, ends_at, last_used_at } = grant;
  const used = last_used_at === null ? 'never used' : `last used ${last_used_at}`;
  const end = ends_at === null ? '' : `, ends ${ends_at}`;
  return `${safeLine(id)}  ${kind} ${grantName(grant)}, of ${user}, since ${since}, ${used}${end}`;
}

function grantName({ name, from }: ListedGrant): string {
  return from === null ? safeLine(name) : `${safeLine(name)} (${safeLine(from)})`;
}
