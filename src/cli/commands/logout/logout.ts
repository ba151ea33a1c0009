import { exitCodes } from '../../../app/exit-codes.ts';
import { signOut } from '../../../app/login.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addLogoutCommand(program: CliCommand): void {
  program
    .command('logout')
    .summary('sign out and revoke the tokens')
    .description(
      'Sign out: revoke the refresh and access tokens at the identity provider and delete them here. Without a network, the tokens are still deleted here, and the output says which tokens could not be revoked.',
    )
    .option('--all', 'also delete the key that identifies this machine to a company')
    .examples(
      ['trade-agent logout', 'you can sign in again at any time'],
      ['trade-agent logout --all', 'before giving this machine away'],
    )
    .exits(exitCodes.credentialStore)
    .runs(logout);
}

async function logout(context: Context, options: { all?: boolean }): Promise<void> {
  const {
    user,
    hadTokens: anything,
    revoked,
    unrevoked,
    warning,
  } = await signOut(context, {
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
