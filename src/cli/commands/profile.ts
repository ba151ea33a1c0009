import type { Command } from 'commander';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { examples, exitCodes } from '../help.ts';

export function addProfileCommand(program: Command, cli: Cli): void {
  const profile = program
    .command('profile')
    .summary('list, show and choose profiles')
    .description(
      'Lists the profiles of config.yaml and the built-in sandbox, shows one, or makes one the default.',
    )
    .addHelpText('after', examples([['trade-agent profile use sandbox', '']]) + exitCodes([]));
  profile
    .command('list', { isDefault: true })
    .description('list profiles')
    .action((_options, command: Command) => runCommand(cli, command, listProfiles));
  profile
    .command('show')
    .description('show what a profile is set to')
    .argument('[name]', 'the one in use unless given')
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => showProfile(context, name)),
    );
  profile
    .command('use')
    .description('make a profile the default')
    .argument('<name>')
    .action((name: string, _options, command: Command) =>
      runCommand(cli, command, (context) => useProfile(context, name)),
    );
}

async function listProfiles(context: Context): Promise<void> {
  const { chosenProfileName, findProfile, profileNames } = await import('../../auth/resolve-profile.ts');
  const config = await context.config();
  const current = chosenProfileName(config, context.profileName);
  const profiles = profileNames(config).map((name) => {
    const { environment, sandbox } = findProfile(config, name);
    return { name, environment, sandbox, current: name === current };
  });
  await context.output.result('profiles', { profiles }, () =>
    profiles
      .map(
        ({ name, environment, sandbox, current: isCurrent }) =>
          `${isCurrent ? '*' : ' '} ${name}  ${environment.toUpperCase()}${sandbox ? ' (sandbox)' : ''}`,
      )
      .join('\n'),
  );
}

async function showProfile(context: Context, name: string | undefined): Promise<void> {
  const { findProfile } = await import('../../auth/resolve-profile.ts');
  const { configFile } = await import('../../auth/config-file.ts');
  const profile = findProfile(await context.config(), name ?? context.profileName);
  const file = configFile(await context.home());
  await context.output.result('profile', { profile, file }, async () => {
    const { stringify } = await import('yaml');
    return `# ${file}\n${stringify(profile).trimEnd()}`;
  });
}

async function useProfile(context: Context, name: string): Promise<void> {
  const [{ findProfile }, { setDefaultProfile }] = await Promise.all([
    import('../../auth/resolve-profile.ts'),
    import('../../auth/config-file.ts'),
  ]);
  findProfile(await context.config(), name);
  await setDefaultProfile(await context.home(), name);
  await context.output.result(
    'profile',
    { default_profile: name },
    () => `${name} is the default profile now.`,
  );
}
