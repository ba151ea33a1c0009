import type { Asset } from './broker.ts';

/**
 * What is known about securities. The same for every user and rarely changing, so kept for a while. Unknown symbols
 * are asked for anew each time: anyone could fill the memory with them.
 */
export interface AssetCatalogue {
  find(symbol: string, load: () => Promise<Asset | undefined>): Promise<Asset | undefined>;
}

const AGE_MS = 15 * 60 * 1000;
const CAPACITY = 20_000;

export function createAssetCatalogue(now: () => number): AssetCatalogue {
  const known = new Map<string, { readonly at: number; readonly asset: Asset }>();
  return {
    async find(symbol, load) {
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
