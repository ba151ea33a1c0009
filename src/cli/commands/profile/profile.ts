import type { Command } from 'commander';
import { environmentWord } from '../../../trading/environment.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';
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
    .action((_options, command: Command) => runCommand(cli, command, printProfiles));
  profile
    .command('show')
    .description('show what a profile is set to')
    .argument('[name]', 'the one in use unless given')
    .addHelpText('after', examples([['trade-agent profile show work', 'as YAML']]) + exitCodes([]))
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => printProfile(context, name)),
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
      runCommand(cli, command, (context) => chooseProfile(context, name)),
    );
  addProfileAdd(profile, cli);
  addProfileCheck(profile, cli);
  addProfileSetSecret(profile, cli);
  addProfileStore(profile, cli);
  addProfileRemove(profile, cli);
}

async function printProfiles(context: Context): Promise<void> {
  const { listProfiles } = await import('../../../app/profile/profiles.ts');
  const profiles = await listProfiles(context);
  await context.output.result('profiles', { profiles }, () =>
    profiles
      .map(
        ({ name, environment, sandbox, current }) =>
          `${current ? '*' : ' '} ${name}  ${environmentWord(environment)}${sandbox ? ' (sandbox)' : ''}`,
      )
      .join('\n'),
  );
}

async function printProfile(context: Context, name: string | undefined): Promise<void> {
  const { showProfile } = await import('../../../app/profile/profiles.ts');
  const { profile, file } = await showProfile(context, name);
  await context.output.result('profile', { profile, file }, async () => {
    const { stringify } = await import('yaml');
    return `# ${file}\n${stringify(profile).trimEnd()}`;
  });
}

async function chooseProfile(context: Context, name: string): Promise<void> {
  const { makeDefaultProfile } = await import('../../../app/profile/profiles.ts');
  await makeDefaultProfile(context, name);
  await context.output.result(
    'default-profile',
    { default_profile: name },
    () => `${name} is the default profile now.`,
  );
}
