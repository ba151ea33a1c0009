import type { Command } from 'commander';
import { environmentWord } from '../../../trading/environment.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { addProfileAdd } from './profile-add.ts';
import { addProfileCheck } from './profile-check.ts';
import { addProfileRemove } from './profile-remove.ts';
import { addProfileSetSecret } from './profile-set-secret.ts';
import { addProfileStore } from './profile-store.ts';

export function addProfileCommand(program: Command, cli: Cli): void {
  const profile = program
    .command('profile')
    .summary('add, check, choose and remove profiles')
    .description(
      'A profile is an account at one identity provider, gateway and broker. Lists those of config.yaml and the built-in sandbox, and adds, checks, changes or removes one.',
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile', 'all of them; * marks the one in use'],
        ['trade-agent profile show work', 'what it is set to'],
        ['trade-agent profile use sandbox', 'the default from now on'],
      ]) + exitCodes([]),
    );
  profile
    .command('list', { isDefault: true })
    .description('list profiles')
    .addHelpText(
      'after',
      examples([['trade-agent profile list --output json', 'for scripts']]) + exitCodes([]),
    )
    .action((_options, command: Command) => runCommand(cli, command, listProfiles));
  profile
    .command('show')
    .description('show what a profile is set to')
    .argument('[name]', 'the one in use unless given')
    .addHelpText('after', examples([['trade-agent profile show work', 'as YAML']]) + exitCodes([]))
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => showProfile(context, name)),
    );
  profile
    .command('use')
    .description('make a profile the default')
    .argument('<name>', 'one of those that "profile list" shows')
    .addHelpText(
      'after',
      examples([['trade-agent profile use work', 'changes that one line of config.yaml']]) + exitCodes([]),
    )
    .action((name: string, _options, command: Command) =>
      runCommand(cli, command, (context) => useProfile(context, name)),
    );
  addProfileAdd(profile, cli);
  addProfileCheck(profile, cli);
  addProfileSetSecret(profile, cli);
  addProfileStore(profile, cli);
  addProfileRemove(profile, cli);
}

async function listProfiles(context: Context): Promise<void> {
  const { chosenProfileName, findProfile, profileNames } = await import('../../../config/resolve-profile.ts');
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
          `${isCurrent ? '*' : ' '} ${name}  ${environmentWord(environment)}${sandbox ? ' (sandbox)' : ''}`,
      )
      .join('\n'),
  );
}

async function showProfile(context: Context, name: string | undefined): Promise<void> {
  const { findProfile } = await import('../../../config/resolve-profile.ts');
  const { configFile } = await import('../../../config/config-file.ts');
  const profile = findProfile(await context.config(), name ?? context.profileName);
  const file = configFile(await context.home());
  await context.output.result('profile', { profile, file }, async () => {
    const { stringify } = await import('yaml');
    return `# ${file}\n${stringify(profile).trimEnd()}`;
  });
}

async function useProfile(context: Context, name: string): Promise<void> {
  const [{ findProfile }, { setDefaultProfile }] = await Promise.all([
    import('../../../config/resolve-profile.ts'),
    import('../../../config/config-file.ts'),
  ]);
  findProfile(await context.config(), name);
  await setDefaultProfile(await context.home(), name);
  await context.output.result(
    'default-profile',
    { default_profile: name },
    () => `${name} is the default profile now.`,
  );
}
