import { Option } from 'commander';
import { exits } from '../../../app/exit-codes.ts';
import type { NamedPlace } from '../../../app/profile/profile-store.ts';
import type { StorePlace } from '../../../config/profile.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { KeptPlace } from '../../../secrets/places/kept-places.ts';
import { safeLine } from '../../../text/shown-text.ts';
import { environmentWord } from '../../../trading/environment.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption } from '../../options/choice.ts';
import { addProfileAdd } from './profile-add.ts';

export function addProfileCommand(program: CliCommand): void {
  const profile = program
    .command('profile')
    .summary('add, check, choose and remove profiles')
    .description(
      'A profile is an account at one identity provider, gateway and broker. Lists those of config.yaml and the built-in sandbox, and adds, checks, changes or removes one.',
    )
    .examples(
      ['trade-agent profile', 'all of them; * marks the one in use'],
      ['trade-agent profile show work', 'what it is set to'],
      ['trade-agent profile use sandbox', 'the default from now on'],
    );
  profile
    .command('list', { isDefault: true })
    .description('list profiles')
    .examples(['trade-agent profile list --output json', 'for scripts'])
    .runs(printProfiles);
  profile
    .command('show')
    .description('show what a profile is set to')
    .argument('[name]', 'the one in use unless given')
    .examples(['trade-agent profile show work', 'as YAML'])
    .runs(printProfile);
  profile
    .command('use')
    .description('make a profile the default')
    .argument('<name>', 'one of those that "profile list" shows')
    .examples(['trade-agent profile use work', 'changes that one line of config.yaml'])
    .runs(chooseProfile);
  addProfileAdd(profile);
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

function addProfileCheck(profile: CliCommand): void {
  profile
    .command('check')
    .description(
      "Checks a profile against its identity provider and gateway, and says what to set there. Exit code 3 where something won't work.",
    )
    .argument('[name]', 'the one in use unless given')
    .examples(['trade-agent profile check work', 'what the provider can do, and what it lacks'])
    .exits(exits.found)
    .runs(printCheck);
}

async function printCheck(context: Context, wanted: string | undefined): Promise<number> {
  const { checkProfile } = await import('../../../app/profile/edit-profile.ts');
  const { findingLines } = await import('./provider-report.ts');
  const { name, provider, label, issuer, ok, findings } = await checkProfile(context, wanted);
  await context.output.result('profile-check', { name, provider, issuer, ok, findings }, () =>
    [`${name}: ${label}, ${issuer}`, ...findingLines(context, findings)].join('\n'),
  );
  return ok ? exits.done : exits.found;
}

function addProfileSetSecret(profile: CliCommand): void {
  profile
    .command('set-secret')
    .description(
      "Keeps the API key of the language model's server in the credential store. It is asked for, or read from standard input; never an argument.",
    )
    .argument('[name]', 'the one in use unless given')
    .addOption(new Option('--of <what>', 'whose secret it is').choices(['model']).default('model'))
    .examples(
      ['trade-agent profile set-secret work --of model', 'asks for it, without showing it'],
      ['trade-agent profile set-secret work --of model < secret.txt', 'for scripts'],
    )
    .exits(exits.credentialStore)
    .runs(setSecret);
}

async function setSecret(context: Context, wanted: string | undefined): Promise<void> {
  const { setModelKey } = await import('../../../app/profile/edit-profile.ts');
  const { readSecret } = await import('../../terminal/secret-input.ts');
  const { name, url } = await setModelKey(context, wanted, (server) =>
    readSecret(context, `API key for ${server} (not shown): `),
  );
  await context.output.result(
    'profile-model-key',
    { name, url },
    () => `The API key for ${url} is kept in the credential store, and goes to no other server.`,
  );
}

function addProfileRemove(profile: CliCommand): void {
  profile
    .command('remove')
    .description(
      'Signs a profile out, forgets its keys, and takes it out of config.yaml. Its threads and the audit record stay.',
    )
    .argument('<name>', 'one of those that "profile list" shows')
    .option('--yes', "don't ask")
    .examples(['trade-agent profile remove work --yes', 'for scripts'])
    .exits(exits.credentialStore)
    .runs((context, name: string, options: { yes?: boolean }) => remove(context, name, options.yes ?? false));
}

async function remove(context: Context, name: string, yes: boolean): Promise<void> {
  const { removeProfile } = await import('../../../app/profile/edit-profile.ts');
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
  const { saysYes } = await import('../../terminal/questions.ts');
  if (await saysYes({ io, signal }, `Sign out of ${name}, forget its keys, and remove it?`)) return;
  throw new TradeAgentError('interrupted', 'nothing was removed');
}

interface MoveOptions {
  readonly to?: 'keychain' | 'file';
  readonly key?: string;
}

function addProfileStore(profile: CliCommand): void {
  const store = profile
    .command('store')
    .summary('show and change where secrets are kept')
    .description(
      "Where a profile's secrets are kept: the system's keychain, or an encrypted file under a passphrase or a key file.",
    )
    .examples(
      ['trade-agent profile store show work', 'where they are'],
      ['trade-agent profile store move work --to keychain', 'puts them elsewhere'],
    )
    .exits(exits.credentialStore, exits.busy);
  store
    .command('show', { isDefault: true })
    .description('Says where they are and what opens them, and what a move that was cut off left behind.')
    .argument('[name]', 'the profile in use unless given')
    .examples(['trade-agent profile store show work --output json', 'for scripts'])
    .runs(printStore);
  store
    .command('move')
    .description(
      'Copies everything to another store, reads it back, switches the profile over, and erases the old. Cut off at any point, it leaves a working login, and the same command again finishes it. End other runs of the profile first: they would go on with the store that is left.',
    )
    .argument('<name>', 'one of those that "profile list" shows')
    .addOption(choiceOption('--to <where>', 'keychain or file', ['keychain', 'file']))
    .option(
      '--key <key>',
      'what opens the file: "passphrase", or the path of a key file (default: a key file beside it)',
    )
    .examples(
      ['trade-agent profile store move work --to file --key passphrase', 'asks for a new passphrase'],
      ['trade-agent profile store move work --to file --key /mnt/keys/work.key', 'makes the key file'],
      ['trade-agent profile store move work --to keychain', ''],
    )
    .exits(exits.credentialStore, exits.busy)
    .runs(move);
}

async function printStore(context: Context, wanted: string | undefined): Promise<void> {
  const { showStore } = await import('../../../app/profile/profile-store.ts');
  const { name, place, kept, leftovers } = await showStore(context, wanted);
  await context.output.result(
    'profile-store',
    { name, ...shown(place), kept, leftovers: leftovers.map(shown) },
    () =>
      [
        `${name}: ${inWords(place)}${kept ? '' : ' (nothing is kept there yet)'}`,
        ...leftovers.map((leftover) => `left behind by a move: ${inWords(leftover)}`),
        ...(leftovers.length === 0 ? [] : [`Erase it: ${moveCommand(name, place)}`]),
      ].join('\n'),
  );
}

async function move(context: Context, wanted: string, options: MoveOptions): Promise<void> {
  const { moveStore } = await import('../../../app/profile/profile-store.ts');
  const { name, from, to, moved, warning, erased } = await moveStore(context, wanted, await target(options));
  if (warning !== undefined) context.io.talk(`warning: ${safeLine(warning)}`);
  await context.output.result(
    'profile-store-move',
    { name, from: shown(from), to: shown(to), moved, warning: warning ?? null },
    () =>
      erased.length === 0
        ? `The credentials of ${name} are in ${inWords(to)} now.`
        : `What an earlier move left behind is erased: ${erased.map(inWords).join(', ')}.`,
  );
}

async function target({ to, key }: MoveOptions): Promise<StorePlace> {
  if (to === undefined) {
    throw new TradeAgentError('usage', '--to is missing', { hint: 'Say --to keychain, or --to file.' });
  }
  if (key === undefined) return { credential_store: to };
  const { credentialKeySetting } = await import('../../options/choice.ts');
  return { credential_store: to, credential_key: credentialKeySetting(key, to, '--key') };
}

/** How to open a place is only known for those named in config.yaml. */
type Place = KeptPlace & Partial<NamedPlace>;

function shown({ credential_store, keyKind, file, key }: Place) {
  return {
    store: credential_store,
    key: key ?? (keyKind === 'file' ? null : (keyKind ?? null)),
    file: file ?? null,
  };
}

function inWords({ keyKind, file, key }: Place): string {
  if (file === undefined) return "the system's keychain";
  const by = {
    file: 'a key file beside it',
    passphrase: 'a passphrase',
    'key-file': key === undefined ? 'a key file elsewhere' : `the key file ${key}`,
  };
  return `${file} (opened by ${by[keyKind ?? 'file']})`;
}

function moveCommand(name: string, { credential_store, key }: NamedPlace): string {
  return `trade-agent profile store move ${name} --to ${credential_store}${key === undefined ? '' : ` --key ${key}`}`;
}
