import type { Command } from 'commander';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';
import { safeLine } from '../text/safe-text.ts';

export function addWhoamiCommand(program: Command, cli: Cli): void {
  program
    .command('whoami')
    .description('say who is signed in, and where')
    .addHelpText('after', examples([['trade-agent whoami --output json', '']]) + exitCodes([4, 11]))
    .action((_options, command: Command) => runCommand(cli, command, whoami));
}

export async function whoami(context: Context): Promise<void> {
  const { user, profile } = await context.requireSession();
  await context.output.result(
    'whoami',
    {
      user: { sub: user.sub, name: user.name ?? null, email: user.email ?? null },
      profile: profile.name,
      environment: profile.environment,
      issuer: profile.issuer,
    },
    () => {
      const who = user.name ?? user.email ?? user.sub;
      const email = user.email !== undefined && user.email !== who ? ` <${user.email}>` : '';
      const where = `profile ${profile.name}, ${profile.environment.toUpperCase()}, ${profile.issuer}`;
      return `${safeLine(`${who}${email}`)} (${where})`;
    },
  );
}
