import type { Command } from 'commander';
import type { User } from '../../../auth/session/session.ts';
import { safeLine } from '../../../net/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface WhoamiOptions {
  readonly verify?: boolean;
}

export function addWhoamiCommand(program: Command, cli: Cli): void {
  program
    .command('whoami')
    .description('say who is signed in, and where')
    .option('--verify', 'ask the identity provider, instead of what was kept from the sign-in')
    .addHelpText(
      'after',
      examples([
        ['trade-agent whoami', 'name, profile, and whether the money is real'],
        ['trade-agent whoami --output json | jq -r .user.email', 'for scripts'],
      ]) + exitCodes([4, 11]),
    )
    .action((options: WhoamiOptions, command: Command) =>
      runCommand(cli, command, (context) => whoami(context, options)),
    );
}

export async function whoami(context: Context, options: WhoamiOptions = {}): Promise<void> {
  const session = await context.requireSession();
  const { profile } = session;
  const user = options.verify ? await verified(context) : session.user;
  await context.output.result(
    'whoami',
    {
      user: { sub: user.sub, name: user.name ?? null, email: user.email ?? null },
      profile: profile.name,
      environment: profile.environment,
      issuer: profile.issuer,
      verified: options.verify ?? false,
    },
    () => {
      const who = user.name ?? user.email ?? user.sub;
      const email = user.email !== undefined && user.email !== who ? ` <${user.email}>` : '';
      const where = `profile ${profile.name}, ${environmentWord(profile.environment)}, ${profile.issuer}`;
      return `${safeLine(`${who}${email}`)} (${where})`;
    },
  );
}

async function verified(context: Context): Promise<User> {
  const { askUserinfo } = await import('../../../auth/session/userinfo.ts');
  return askUserinfo({
    profile: await context.profile(),
    store: await context.store(),
    home: await context.home(),
    fetch: context.fetch,
    clock: context.clock,
  });
}
