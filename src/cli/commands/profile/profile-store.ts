import type { Command } from 'commander';
import type { StorePlace } from '../../../config/profile.ts';
import { safeLine } from '../../../net/shown-text.ts';
import type { KeptPlace } from '../../../secrets/kept-places.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface MoveOptions {
  readonly to?: 'keychain' | 'file';
  readonly key?: string;
}

export function addProfileStore(profile: Command, cli: Cli): void {
  const store = profile
    .command('store')
    .summary('show and change where secrets are kept')
    .description(
      "Where a profile's secrets are kept: the system's keychain, or an encrypted file under a passphrase or a key file.",
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile store show work', 'where they are'],
        ['trade-agent profile store move work --to keychain', 'puts them elsewhere'],
      ]) + exitCodes([11, 12]),
    );
  store
    .command('show', { isDefault: true })
    .description('Says where they are and what opens them, and what a move that was cut off left behind.')
    .argument('[name]', 'the profile in use unless given')
    .addHelpText(
      'after',
      examples([['trade-agent profile store show work --output json', 'for scripts']]) + exitCodes([]),
    )
    .action((name: string | undefined, _options, command: Command) =>
      runCommand(cli, command, (context) => showStore(context, name)),
    );
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
    .addHelpText(
      'after',
      examples([
        ['trade-agent profile store move work --to file --key passphrase', 'asks for a new passphrase'],
        ['trade-agent profile store move work --to file --key /mnt/keys/work.key', 'makes the key file'],
        ['trade-agent profile store move work --to keychain', ''],
      ]) + exitCodes([11, 12]),
    )
    .action((name: string, options: MoveOptions, command: Command) =>
      runCommand(cli, command, (context) => moveStore(context, name, options)),
    );
}

/** The profile's name and setting; its addresses, and so a sandbox, are not needed here. */
async function settingOf(context: Context, name: string | undefined): Promise<StorePlace & { name: string }> {
  const { findProfile, storeOf } = await import('../../../config/resolve-profile.ts');
  const profile = findProfile(await context.config(), name ?? context.profileName);
  return { name: profile.name, credential_store: storeOf(profile), credential_key: profile.credential_key };
}

async function showStore(context: Context, name: string | undefined): Promise<void> {
  const { isSamePlace, keptPlaces, placeOf } = await import('../../../secrets/kept-places.ts');
  const setting = await settingOf(context, name);
  const folder = (await context.home()).config;
  const here = placeOf(folder, setting.name, setting);
  const kept = keptPlaces(folder, setting.name);
  const leftovers = kept.filter((place) => !isSamePlace(place, here));
  const isKept = kept.some((place) => isSamePlace(place, here));
  await context.output.result(
    'profile-store',
    {
      name: setting.name,
      ...shown(here, setting.credential_key),
      kept: isKept,
      leftovers: leftovers.map((place) => shown(place)),
    },
    () =>
      [
        `${setting.name}: ${inWords(here, setting.credential_key)}${isKept ? '' : ' (nothing is kept there yet)'}`,
        ...leftovers.map((place) => `left behind by a move: ${inWords(place)}`),
        ...(leftovers.length === 0
          ? []
          : [`Erase it: ${moveCommand(setting.name, setting, setting.credential_key)}`]),
      ].join('\n'),
  );
}

async function moveStore(context: Context, name: string, options: MoveOptions): Promise<void> {
  const [places, { moveCredentials }, { setStorePlace }] = await Promise.all([
    import('../../../secrets/kept-places.ts'),
    import('../../../secrets/move-credentials.ts'),
    import('../../../config/profile-edit.ts'),
  ]);
  const from = await settingOf(context, name);
  const to = await target(options);
  const home = await context.home();
  const here = places.placeOf(home.config, from.name, from);
  const there = places.placeOf(home.config, from.name, to);
  if (places.isSamePlace(here, there)) {
    if (from.credential_key !== to.credential_key) throw otherKeyFile(from.name);
    return await eraseLeftovers(context, from, here);
  }
  const open = (place: StorePlace) => context.openStore({ ...place, name: from.name });
  const { names, leftover } = await moveCredentials({
    from: await open(from),
    to: await open(to),
    reopen: () => open(to),
    switchOver: () => setStorePlace(home, from.name, to),
    signal: context.signal,
  });
  const warning =
    leftover === undefined
      ? null
      : `the old copy could not be erased (${leftover}); run the same command again`;
  if (warning !== null) context.io.talk(`warning: ${safeLine(warning)}`);
  await context.output.result(
    'profile-store-move',
    {
      name: from.name,
      from: shown(here, from.credential_key),
      to: shown(there, to.credential_key),
      moved: [...names],
      warning,
    },
    () => `The credentials of ${from.name} are in ${inWords(there, to.credential_key)} now.`,
  );
}

/** @throws {TradeAgentError} `usage` */
async function target({ to, key }: MoveOptions): Promise<StorePlace> {
  if (to === undefined) {
    throw new TradeAgentError('usage', '--to is missing', { hint: 'Say --to keychain, or --to file.' });
  }
  if (key === undefined) return { credential_store: to };
  const { credentialKeySetting } = await import('../../options/credential-key.ts');
  return { credential_store: to, credential_key: credentialKeySetting(key, to, '--key') };
}

/** The profile is there already: what an earlier move left behind goes. */
async function eraseLeftovers(
  context: Context,
  setting: StorePlace & { name: string },
  here: KeptPlace,
): Promise<void> {
  const { isSamePlace, keptPlaces } = await import('../../../secrets/kept-places.ts');
  const home = await context.home();
  const kept = keptPlaces(home.config, setting.name);
  const leftovers = kept.filter((place) => !isSamePlace(place, here));
  if (leftovers.length === 0) {
    throw new TradeAgentError('usage', `the credentials of "${setting.name}" are there already`, {
      hint: `See "trade-agent profile store show ${setting.name}".`,
    });
  }
  if (!kept.some((place) => isSamePlace(place, here))) {
    throw new TradeAgentError('credential_store_unavailable', 'nothing is kept where the profile says', {
      hint: `The only copy is elsewhere: set credential_store and credential_key of "${setting.name}" back to where it is ("trade-agent profile store show ${setting.name}").`,
    });
  }
  // Nothing is erased for the sake of a store that can't be read.
  await (await context.openStore(setting)).probe();
  for (const place of leftovers) await erase(context, setting.name, place);
  await context.output.result(
    'profile-store-move',
    {
      name: setting.name,
      from: shown(leftovers[0] ?? here),
      to: shown(here, setting.credential_key),
      moved: [],
      warning: null,
    },
    () =>
      `What an earlier move left behind is erased: ${leftovers.map((place) => inWords(place)).join(', ')}.`,
  );
}

async function erase(context: Context, name: string, place: KeptPlace): Promise<void> {
  if (place.keyKind === 'key-file' && place.file !== undefined) {
    // Its key, wherever that is, stays: it may open other profiles' files.
    const { rmSync } = await import('node:fs');
    rmSync(place.file, { force: true });
    return;
  }
  const key = place.keyKind === 'passphrase' ? { credential_key: 'passphrase' } : {};
  await (await context.openStore({ name, credential_store: place.credential_store, ...key })).erase();
}

function shown(place: KeptPlace, key?: string) {
  return {
    store: place.credential_store,
    key: key ?? (place.keyKind === 'file' ? null : (place.keyKind ?? null)),
    file: place.file ?? null,
  };
}

function inWords(place: KeptPlace, key?: string): string {
  if (place.file === undefined) return "the system's keychain";
  const by = {
    file: 'a key file beside it',
    passphrase: 'a passphrase',
    'key-file': key === undefined ? 'a key file elsewhere' : `the key file ${key}`,
  };
  return `${place.file} (opened by ${by[place.keyKind ?? 'file']})`;
}

function moveCommand(name: string, { credential_store }: StorePlace, key: string | undefined): string {
  return `trade-agent profile store move ${name} --to ${credential_store}${key === undefined ? '' : ` --key ${key}`}`;
}

function otherKeyFile(name: string): TradeAgentError {
  return new TradeAgentError('usage', "one key file can't be put in the place of another directly", {
    hint: `Move to the keychain or a passphrase first: trade-agent profile store move ${name} --to file --key passphrase`,
  });
}
