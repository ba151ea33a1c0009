import type { StorePlace } from '../../config/profile.ts';
import { findProfile, storeOf } from '../../config/resolve-profile.ts';
import type { KeptPlace } from '../../secrets/places/kept-places.ts';
import type { App } from '../app.ts';

/** A profile's name, and where it keeps its secrets; its addresses, and so a sandbox, are not needed here. */
export interface StoreSetting extends StorePlace {
  readonly name: string;
}

/** A place, with what config.yaml says of what opens it. */
export interface NamedPlace extends KeptPlace {
  readonly key: string | undefined;
}

/** @throws {TradeAgentError} `invalid_config` */
export async function storeSetting(app: App, name: string | undefined): Promise<StoreSetting> {
  const profile = findProfile(await app.config(), name ?? app.profileName);
  return { name: profile.name, credential_store: storeOf(profile), credential_key: profile.credential_key };
}
