import { Option } from 'commander';
import { exitCodes } from '../../../app/exit-codes.ts';
import type { StoreLocation } from '../../../app/profile/profile-store.ts';
import type { CredentialLocation } from '../../../config/profile.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { CredentialStoreLocation } from '../../../secrets/places/stored-places.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { environmentName } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption } from '../../options/choice.ts';
import { addProfileAddCommand } from './profile-add.ts';

export function addProfileCommand(program: CliCommand): void {
  const profile = program
    .command('profile')
    .summary('list, add, check and remove profiles')
    .description(
      'Manage profiles. A profile is a set of settings: identity provider, gateway, paper or live. Lists the profiles in config.yaml and the built-in sandbox.',
    )
    .examples(
      ['trade-agent profile', 'all profiles; * marks the current one'],
      ['trade-agent profile show work', 'its settings'],
      ['trade-agent profile use sandbox', 'make the sandbox the default'],
    );
  profile
    .command('list', { isDefault: true })
    .description('list profiles')
    .examples(['trade-agent profile list --output json', 'for scripts'])
    .runs(printProfiles);
  profile
    .command('show')
    .description('show the settings of a profile')
    .argument('[name]', 'name of the profile (default: the current one)')
    .examples(['trade-agent profile show work', 'as YAML'])
    .runs(printProfile);
  profile
    .command('use')
    .description('make a profile the default')
    .argument('<name>', 'a name from "profile list"')
    .examples(['trade-agent profile use work', 'changes one line of config.yaml'])
    .runs(chooseProfile);
  addProfileAddCommand(profile);
  addProfileCheck(profile);
  addProfileSetSecret(profile);
  addProfileStore(profile);
  addProfileRemove(profile);
}

async function printProfiles(context: Context): Promise<void> {
  const { listProfiles } = await import('../../../app/profile/profiles.ts');
  const profiles = await listProfiles(context);
  await context.output.result('profiles', { profiles }, () =>
    profiles
      .map(
        ({ name, environment, sandbox, current }) =>
          `${current ? '*' : ' '} ${name}  ${environmentName(environment)}${sandbox ? ' (sandbox)' : ''}`,
      )
      .join('\n'),
  );
}

async function printProfile(context: Context, name: string | undefined): Promise<void> {
  const { getProfileSettings } = await import('../../../app/profile/profiles.ts');
  const { profile, file } = await getProfileSettings(context, name);
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
    () => `${name} is now the default profile.`,
  );
}

function addProfileCheck(profile: CliCommand): void {
  profile
    .command('check')
    .description(
      "Check a profile against its identity provider and gateway, and show what to set there. Exits with 3 if something won't work.",
    )
    .argument('[name]', 'name of the profile (default: the current one)')
    .examples(['trade-agent profile check work', 'what the provider supports and lacks'])
    .exits(exitCodes.found)
    .runs(printCheck);
}

async function printCheck(context: Context, wanted: string | undefined): Promise<number> {
  const { checkProfile } = await import('../../../app/profile/edit-profile.ts');
  const { providerFindingLines } = await import('./provider-report.ts');
  const { name, provider, label, issuer, ok, findings } = await checkProfile(context, wanted);
  await context.output.result('profile-check', { name, provider, issuer, ok, findings }, () =>
    [`${name}: ${label}, ${issuer}`, ...providerFindingLines(context, findings)].join('\n'),
  );
  return ok ? exitCodes.done : exitCodes.found;
}

function addProfileSetSecret(profile: CliCommand): void {
  profile
    .command('set-secret')
    .description(
      "Store the API key of the language model's server in the credential store. It is read from a prompt or from standard input, never from an argument.",
    )
    .argument('[name]', 'name of the profile (default: the current one)')
    .addOption(new Option('--of <what>', 'what the secret belongs to').choices(['model']).default('model'))
    .examples(
      ['trade-agent profile set-secret work --of model', 'asks for it (hidden)'],
      ['trade-agent profile set-secret work --of model < secret.txt', 'for scripts'],
    )
    .exits(exitCodes.credentialStore)
    .runs(setSecret);
}

async function setSecret(context: Context, wanted: string | undefined): Promise<void> {
  const { setModelKey } = await import('../../../app/profile/edit-profile.ts');
  const { readSecret } = await import('../../terminal/secret-input.ts');
  const { name, url } = await setModelKey(context, wanted, (server) =>
    readSecret(context, `API key for ${server} (hidden): `),
  );
  await context.output.result(
    'profile-model-key',
    { name, url },
    () => `Stored the API key for ${url} in the credential store. It is not sent to other servers.`,
  );
}

function addProfileRemove(profile: CliCommand): void {
  profile
    .command('remove')
    .description(
      'Sign out of a profile, delete its keys, and remove it from config.yaml. Its threads and the audit log are kept.',
    )
    .argument('<name>', 'a name from "profile list"')
    .option('--yes', 'skip the prompt')
    .examples(['trade-agent profile remove work --yes', 'for scripts'])
    .exits(exitCodes.credentialStore)
    .runs((context, name: string, options: { yes?: boolean }) => remove(context, name, options.yes ?? false));
}

async function remove(context: Context, name: string, yes: boolean): Promise<void> {
  const { removeProfile } = await import('../../../app/profile/edit-profile.ts');
  const { user, warning } = await removeProfile(context, name, () => requireYes(context, name, yes));
  if (warning !== undefined) context.io.talk(`warning: ${safeLine(warning)}`);
  await context.output.result(
    'profile-remove',
    { name, signed_out: user?.sub ?? null, warning: warning ?? null },
    () => `Removed profile ${name}.`,
  );
}

async function requireYes({ io, signal }: Context, name: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'removing a profile signs out and deletes its keys', {
      hint: 'Pass --yes to skip the prompt.',
    });
  }
  const { askYesNo } = await import('../../terminal/questions.ts');
  if (await askYesNo({ io, signal }, `Sign out of ${name}, delete its keys, and remove it?`)) return;
  throw new TradeAgentError('interrupted', 'nothing was removed');
}

interface MoveOptions {
  readonly to?: 'keychain' | 'file';
  readonly key?: string;
}

function addProfileStore(profile: CliCommand): void {
  const store = profile
    .command('store')
    .summary('show or change where secrets are stored')
    .description(
      "Manage where a profile's secrets are stored: in the system's keychain, or in a file encrypted with a passphrase or a key file.",
    )
    .examples(
      ['trade-agent profile store show work', 'shows where the secrets are'],
      ['trade-agent profile store move work --to keychain', 'moves the secrets'],
    )
    .exits(exitCodes.credentialStore, exitCodes.busy);
  store
    .command('show', { isDefault: true })
    .description('Show where secrets are stored, how they are encrypted, and what an interrupted move left behind.')
    .argument('[name]', 'name of the profile (default: the current one)')
    .examples(['trade-agent profile store show work --output json', 'for scripts'])
    .runs(printStore);
  store
    .command('move')
    .description(
      'Copy all secrets to another store, verify the copy, switch the profile, and erase the old store. If interrupted, the login still works, and running the command again finishes the move. Stop other runs of the profile first, because they would keep using the old store.',
    )
    .argument('<name>', 'a name from "profile list"')
    .addOption(createChoiceOption('--to <where>', 'keychain or file', ['keychain', 'file']))
    .option(
      '--key <key>',
      '"passphrase", or the path of a key file for the credential file (default: a key file next to it)',
    )
    .examples(
      ['trade-agent profile store move work --to file --key passphrase', 'asks for a new passphrase'],
      ['trade-agent profile store move work --to file --key /mnt/keys/work.key', 'creates the key file'],
      ['trade-agent profile store move work --to keychain', ''],
    )
    .exits(exitCodes.credentialStore, exitCodes.busy)
    .runs(move);
}

async function printStore(context: Context, wanted: string | undefined): Promise<void> {
  const { describeProfileStore } = await import('../../../app/profile/profile-store.ts');
  const { name, place, kept, leftovers } = await describeProfileStore(context, wanted);
  await context.output.result(
    'profile-store',
    { name, ...toPlaceView(place), kept, leftovers: leftovers.map(toPlaceView) },
    () =>
      [
        `${name}: ${describePlace(place)}${kept ? '' : ' (empty)'}`,
        ...leftovers.map((leftover) => `left behind by an interrupted move: ${describePlace(leftover)}`),
        ...(leftovers.length === 0 ? [] : [`Erase it with: ${moveCommand(name, place)}`]),
      ].join('\n'),
  );
}

async function move(context: Context, wanted: string, options: MoveOptions): Promise<void> {
  const { moveProfileSecrets } = await import('../../../app/profile/profile-store.ts');
  const { name, from, to, moved, warning, erased } = await moveProfileSecrets(
    context,
    wanted,
    await parseTarget(options),
  );
  if (warning !== undefined) context.io.talk(`warning: ${safeLine(warning)}`);
  await context.output.result(
    'profile-store-move',
    { name, from: toPlaceView(from), to: toPlaceView(to), moved, warning: warning ?? null },
    () =>
      erased.length === 0
        ? `The credentials of ${name} are now in ${describePlace(to)}.`
        : `Erased what an interrupted move left behind: ${erased.map(describePlace).join(', ')}.`,
  );
}

async function parseTarget({ to, key }: MoveOptions): Promise<CredentialLocation> {
  if (to === undefined) {
    throw new TradeAgentError('usage', '--to is missing', { hint: 'Pass --to keychain or --to file.' });
  }
  if (key === undefined) return { credential_store: to };
  const { parseCredentialKey } = await import('../../options/choice.ts');
  return { credential_store: to, credential_key: parseCredentialKey(key, to, '--key') };
}

/** The location of a profile's credentials. `key` is known only for stores in config.yaml. */
type Place = CredentialStoreLocation & Partial<StoreLocation>;

function toPlaceView({ credential_store, keyKind, file, key }: Place) {
  return {
    store: credential_store,
    key: key ?? (keyKind === 'file' ? null : (keyKind ?? null)),
    file: file ?? null,
  };
}

function describePlace({ keyKind, file, key }: Place): string {
  if (file === undefined) return "the system's keychain";
  const by = {
    file: 'a key file next to it',
    passphrase: 'a passphrase',
    'key-file': key === undefined ? 'a key file elsewhere' : `the key file ${key}`,
  };
  return `${file} (encrypted with ${by[keyKind ?? 'file']})`;
}

function moveCommand(name: string, { credential_store, key }: StoreLocation): string {
  return `trade-agent profile store move ${name} --to ${credential_store}${key === undefined ? '' : ` --key ${key}`}`;
}
