import type { Command } from 'commander';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

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
        exitCodes([3]),
    )
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => checkProfile(context, name)),
    );
}

async function checkProfile(context: Context, name: string | undefined): Promise<number> {
  const [{ namedProfile }, { providerMetadata }, { checkProviderFeatures }, { detectProvider, dialectOf }] =
    await Promise.all([
      import('../../../app/named-profile.ts'),
      import('../../../auth/provider/provider.ts'),
      import('../../../auth/provider/provider-check.ts'),
      import('../../../config/provider/dialects.ts'),
    ]);
  const profile = await namedProfile(context, name);
  // Not from the cache: somebody has just changed something at the provider.
  const metadata = await providerMetadata(profile.issuer, {
    fetch: context.fetch,
    clock: context.clock,
    fresh: true,
  });
  const detected = detectProvider(metadata);
  const named = profile.provider ?? 'standard';
  const { checkGateway } = await import('../../doctor/server-checks.ts');
  const gateway = await checkGateway(context, profile);
  const findings = [
    ...(detected === named
      ? []
      : [
          {
            feature: 'provider',
            status: 'warn' as const,
            message: `the profile says ${named}, but this looks like ${dialectOf({ provider: detected }).label}`,
            fix: `trade-agent config set profiles.${profile.name}.provider ${detected}`,
          },
        ]),
    ...checkProviderFeatures(profile, metadata),
    {
      feature: 'gateway',
      status: gateway.status === 'skip' ? ('warn' as const) : gateway.status,
      message: gateway.message,
      ...(gateway.fix === undefined ? {} : { fix: gateway.fix }),
    },
  ];
  const isSound = findings.every(({ status }) => status !== 'fail');
  const { findingLines } = await import('./provider-report.ts');
  await context.output.result(
    'profile-check',
    { name: profile.name, provider: named, issuer: profile.issuer, ok: isSound, findings },
    () =>
      [
        `${profile.name}: ${dialectOf(profile).label}, ${profile.issuer}`,
        ...findingLines(context, findings),
      ].join('\n'),
  );
  return isSound ? 0 : 3;
}
