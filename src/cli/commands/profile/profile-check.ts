import type { Command } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

export function addProfileCheck(profile: Command, cli: Cli): void {
  profile
    .command('check')
    .description(
      "Checks a profile against its identity provider and gateway, and says what to set there. Exit code 3 where something won't work.",
    )
    .argument('[name]', 'the one in use unless given')
    .addHelpText(
      'after',
      examples([['trade-agent profile check work', 'what the provider can do, and what it lacks']]) +
        exitCodes([exits.found]),
    )
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => printCheck(context, name)),
    );
}

async function printCheck(context: Context, wanted: string | undefined): Promise<number> {
  const [{ checkProfile }, { findingLines }] = await Promise.all([
    import('../../../app/profile/check-profile.ts'),
    import('./provider-report.ts'),
  ]);
  const { name, provider, label, issuer, ok, findings } = await checkProfile(context, wanted);
  await context.output.result('profile-check', { name, provider, issuer, ok, findings }, () =>
    [`${name}: ${label}, ${issuer}`, ...findingLines(context, findings)].join('\n'),
  );
  return ok ? exits.done : exits.found;
}
