import type { KeptPlace } from '../../secrets/places/kept-places.ts';
import { isSamePlace, keptPlaces, placeOf } from '../../secrets/places/kept-places.ts';
import type { App } from '../app.ts';
import { type NamedPlace, storeSetting } from './store-setting.ts';

export interface ShownStore {
  /** The profile's name. */
  readonly name: string;
  readonly place: NamedPlace;
  /** Whether anything is kept there yet. */
  readonly kept: boolean;
  /** What a move that was cut off left behind. */
  readonly leftovers: readonly KeptPlace[];
}

/** Where a profile's secrets are; those of the one in use unless named. @throws {TradeAgentError} `invalid_config` */
export async function showStore(app: App, name: string | undefined): Promise<ShownStore> {
  const setting = await storeSetting(app, name);
  const folder = (await app.home()).config;
  const here = placeOf(folder, setting.name, setting);
  const kept = keptPlaces(folder, setting.name);
  return {
    name: setting.name,
    place: { ...here, key: setting.credential_key },
    kept: kept.some((place) => isSamePlace(place, here)),
    leftovers: kept.filter((place) => !isSamePlace(place, here)),
  };
}
