import { exits } from '../../../app/exit-codes.ts';
import type { NamedPlace } from '../../../app/profile/profile-store.ts';
import type { StorePlace } from '../../../config/profile.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { KeptPlace } from '../../../secrets/places/kept-places.ts';
import { safeLine } from '../../../text/shown-text.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption } from '../../options/choice.ts';

interface MoveOptions {
  readonly to?: 'keychain' | 'file';
  readonly key?: string;
}

export function addProfileStore(profile: CliCommand): void {
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
