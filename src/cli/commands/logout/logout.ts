import { exits } from '../../../app/exit-codes.ts';
import { signOut } from '../../../app/login.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addLogoutCommand(program: CliCommand): void {
  program
    .command('logout')
    .summary('sign out and revoke the tokens')
    .description(
      'Signs out: revokes refresh and access token at the identity provider and deletes them here. Without a network it deletes them all the same, and says what could not be revoked.',
    )
    .option('--all', 'also delete the key by which a company knows this machine')
    .examples(
      ['trade-agent logout', 'you can sign in again at once'],
      ['trade-agent logout --all', 'before this machine is given away'],
    )
    .exits(exits.credentialStore)
    .runs(logout);
}

async function logout(context: Context, options: { all?: boolean }): Promise<void> {
  const { user, anything, revoked, unrevoked, warning } = await signOut(context, {
    all: options.all ?? false,
  });
  if (warning !== undefined) context.io.talk(`warning: ${safeLine(warning)}`);
  await context.output.result(
    'logout',
    {
      user: user === undefined ? null : { sub: user.sub, name: user.name ?? null },
      revoked,
      unrevoked: unrevoked.map(({ token, reason }) => ({ token, reason })),
      warning: warning ?? null,
    },
    () =>
      user !== undefined
        ? `Signed out ${safeLine(user.name ?? user.email ?? user.sub)}.`
        : anything
          ? 'Signed out.'
          : 'Nobody was signed in.',
  );
}
