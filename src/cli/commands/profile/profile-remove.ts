import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

export function addProfileRemove(profile: Command, cli: Cli): void {
  profile
    .command('remove')
    .description(
      'Signs a profile out, forgets its keys, and takes it out of config.yaml. Its threads and the audit record stay.',
    )
    .argument('<name>', 'one of those that "profile list" shows')
    .option('--yes', "don't ask")
    .addHelpText(
      'after',
      examples([['trade-agent profile remove work --yes', 'for scripts']]) +
        exitCodes([exits.credentialStore]),
    )
    .action((name: string, options: { yes?: boolean }, command: Command) =>
      runCommand(cli, command, (context) => remove(context, name, options.yes ?? false)),
    );
}

async function remove(context: Context, name: string, yes: boolean): Promise<void> {
  const { removeProfile } = await import('../../../app/profile/remove-profile.ts');
  const { user, warning } = await removeProfile(context, name, () => requireYes(context, name, yes));
  if (warning !== undefined) context.io.talk(`warning: ${safeLine(warning)}`);
  await context.output.result(
    'profile-remove',
    { name, signed_out: user?.sub ?? null, warning: warning ?? null },
    () => `Profile ${name} is removed.`,
  );
}

async function requireYes({ io, signal }: Context, name: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'removing a profile signs it out and forgets its keys', {
      hint: 'Say --yes to do it without being asked.',
    });
  }
  const answer = await io.prompt(`Sign out of ${name}, forget its keys, and remove it? [y/N] `, signal);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new TradeAgentError('interrupted', 'nothing was removed');
}
