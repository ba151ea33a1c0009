import type { Command } from 'commander';
import { safeLine } from '../../../net/shown-text.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

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
      examples([['trade-agent profile remove work --yes', 'for scripts']]) + exitCodes([11]),
    )
    .action((name: string, options: { yes?: boolean }, command: Command) =>
      runCommand(cli, command, (context) => removeProfileCommand(context, name, options.yes ?? false)),
    );
}

async function removeProfileCommand(context: Context, name: string, yes: boolean): Promise<void> {
  const [{ removeProfile }, { logout }, { credentialsOf, namedProfile }] = await Promise.all([
    import('../../../config/profile-edit.ts'),
    import('../../../auth/session/logout.ts'),
    import('../../../app/named-profile.ts'),
  ]);
  const config = await context.config();
  if (!Object.hasOwn(config.profiles, name)) {
    throw new TradeAgentError('not_found', `config.yaml has no profile "${name}"`, {
      hint: 'See "trade-agent profile list".',
    });
  }
  await requireYes(context, name, yes);
  const profile = await namedProfile(context, name);
  const store = await credentialsOf(context, profile);
  // First the credentials: without the profile nobody could find them again.
  const { warning, user } = await logout({
    profile,
    store,
    home: await context.home(),
    forgetApprovalClient: true,
    fetch: context.fetch,
    clock: context.clock,
  });
  await store.delete(['notice_secrets']);
  await removeProfile(await context.home(), name);
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
