import { rmSync } from 'node:fs';
import type { CredentialLocation } from '../../config/profile.ts';
import { setCredentialLocation } from '../../config/profile-edit.ts';
import { credentialStoreKind, findProfile } from '../../config/resolve-profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { moveCredentials } from '../../secrets/move-credentials.ts';
import {
  type CredentialStoreLocation,
  findStoreLocations,
  isSameStoreLocation,
  toStoreLocation,
} from '../../secrets/places/stored-places.ts';
import type { App } from '../app.ts';

interface StoreSetting extends CredentialLocation {
  readonly name: string;
}

/** A storage location, with the `credential_key` from config.yaml. */
export interface StoreLocation extends CredentialStoreLocation {
  readonly key: string | undefined;
}

/** Returns where config.yaml says that a profile's secrets are. @throws {TradeAgentError} `invalid_config` */
async function storeSetting(app: App, name: string | undefined): Promise<StoreSetting> {
  const profile = findProfile(await app.config(), name ?? app.profileName);
  return {
    name: profile.name,
    credential_store: credentialStoreKind(profile),
    credential_key: profile.credential_key,
  };
}

/**
 * Returns where the secrets of a profile (by default, the current one) are stored, whether there are any, and what an
 * interrupted move left behind.
 * @throws {TradeAgentError} `invalid_config`
 */
export async function describeProfileStore(app: App, name: string | undefined) {
  const setting = await storeSetting(app, name);
  const folder = (await app.home()).config;
  const here = toStoreLocation(folder, setting.name, setting);
  const kept = findStoreLocations(folder, setting.name);
  return {
    name: setting.name,
    place: { ...here, key: setting.credential_key },
    kept: kept.some((place) => isSameStoreLocation(place, here)),
    leftovers: kept.filter((place) => !isSameStoreLocation(place, here)),
  };
}

interface MovedStore {
  readonly name: string;
  readonly from: StoreLocation;
  readonly to: StoreLocation;
  readonly moved: readonly string[];
  readonly warning: string | undefined;
  /** Leftovers of an earlier move that this call erased. If there were any, the call did nothing else. */
  readonly erased: readonly CredentialStoreLocation[];
}

/**
 * Copies a profile's secrets to another store, reads them back, points the profile to the new store, and erases the
 * old copy. After an interruption, the login still works, and the same call completes the move.
 * @throws {TradeAgentError} `usage` if the secrets are already in that store, `credential_store_…`, `busy`
 */
export async function moveProfileSecrets(app: App, name: string, to: CredentialLocation): Promise<MovedStore> {
  const from = await storeSetting(app, name);
  const home = await app.home();
  const here = toStoreLocation(home.config, from.name, from);
  const there = toStoreLocation(home.config, from.name, to);
  if (isSameStoreLocation(here, there)) {
    if (from.credential_key !== to.credential_key) throw keyFileSwapError(from.name);
    return await eraseLeftovers(app, from, here);
  }
  const open = (place: CredentialLocation) => app.openStore({ ...place, name: from.name });
  const { names, leftover } = await moveCredentials({
    from: await open(from),
    to: await open(to),
    reopen: () => open(to),
    switchOver: () => setCredentialLocation(home, from.name, to),
    signal: app.signal,
  });
  return {
    name: from.name,
    from: { ...here, key: from.credential_key },
    to: { ...there, key: to.credential_key },
    moved: [...names],
    warning:
      leftover === undefined ? undefined : `the old copy could not be erased (${leftover}); run the same command again`,
    erased: [],
  };
}

/** Erases the leftovers of an earlier move that has already changed the profile. */
async function eraseLeftovers(app: App, setting: StoreSetting, here: CredentialStoreLocation): Promise<MovedStore> {
  const { name } = setting;
  const kept = findStoreLocations((await app.home()).config, name);
  const [leftover, ...more] = kept.filter((place) => !isSameStoreLocation(place, here));
  if (leftover === undefined) {
    throw new TradeAgentError('usage', `the credentials of "${name}" are already stored there`, {
      hint: `Run "trade-agent profile store show ${name}" for details.`,
    });
  }
  if (!kept.some((place) => isSameStoreLocation(place, here))) {
    throw new TradeAgentError('credential_store_unavailable', 'the store named in the profile is empty', {
      hint: `The only copy of the credentials is in another store ("trade-agent profile store show ${name}"). Set credential_store and credential_key of "${name}" back to that store.`,
    });
  }
  // Makes sure that the profile's store can be read before anything is erased.
  await (await app.openStore(setting)).probe();
  const erased = [leftover, ...more];
  for (const place of erased) await erasePlace(app, name, place);
  return {
    name,
    from: { ...leftover, key: undefined },
    to: { ...here, key: setting.credential_key },
    moved: [],
    warning: undefined,
    erased,
  };
}

async function erasePlace(app: App, name: string, place: CredentialStoreLocation): Promise<void> {
  if (place.keyKind === 'key-file' && place.file !== undefined) {
    // Keeps the key file, because other profiles' files may be encrypted with the same key.
    rmSync(place.file, { force: true });
    return;
  }
  const key = place.keyKind === 'passphrase' ? { credential_key: 'passphrase' } : {};
  await (await app.openStore({ name, credential_store: place.credential_store, ...key })).erase();
}

function keyFileSwapError(name: string): TradeAgentError {
  return new TradeAgentError('usage', "a key file can't be replaced directly with another one", {
    hint: `Move to the keychain or a passphrase first: trade-agent profile store move ${name} --to file --key passphrase`,
  });
}
