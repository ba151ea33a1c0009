import type { Asset } from './broker.ts';

const AGE_MS = 15 * 60 * 1000;
const LIST_AGE_MS = 24 * 60 * 60 * 1000;
const CAPACITY = 20_000;

export type AssetCatalog = ReturnType<typeof createAssetCatalog>;

/** Creates a cache of assets for all users. Excludes unknown symbols, which could otherwise fill the memory. */
export function createAssetCatalog(now: () => number) {
  const known = new Map<string, { readonly at: number; readonly asset: Asset }>();
  let list: { readonly at: number; readonly assets: Promise<readonly Asset[]> } | undefined;
  return {
    /** Returns all assets, cached for a day. */
    async all(load: () => Promise<readonly Asset[]>): Promise<readonly Asset[]> {
      if (list !== undefined && now() - list.at < LIST_AGE_MS) return list.assets;
      const loading = { at: now(), assets: load() };
      list = loading;
      try {
        return await loading.assets;
      } catch (error) {
        if (list === loading) list = undefined;
        throw error;
      }
    },
    async find(symbol: string, load: () => Promise<Asset | undefined>): Promise<Asset | undefined> {
      const entry = known.get(symbol);
      if (entry !== undefined && now() - entry.at < AGE_MS) return entry.asset;
      const asset = await load();
      if (asset === undefined) {
        known.delete(symbol);
      } else {
        if (known.size >= CAPACITY) known.clear();
        known.set(symbol, { at: now(), asset });
      }
      return asset;
    },
  };
}
