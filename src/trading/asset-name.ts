import { memoizePerObject } from '../values/memoize-per-object.ts';

export interface NamedAsset {
  readonly symbol: string;
  readonly name: string;
}

/** Words for a company's legal form or a security's type, which people usually omit. */
const ignoredWords = new Set(
  'inc incorporated corp corporation co company companies ltd limited plc sa se nv ag asa spa llc lp the new common capital stock ordinary share shares adr ads american depositary depository each representing'.split(
    ' ',
  ),
);

type NormalizedName = ReturnType<typeof normalizeName>;

/** Normalizes a company name for comparison: drops case, accents, punctuation and legal form. */
export function normalizeName(text: string) {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/\.com\b/g, '')
    .replaceAll('&', ' and ')
    .replace(/['’.]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  const shareClass = /\bclass ([a-z])\b/.exec(plain)?.[1];
  const words = plain
    .replace(/\bclass [a-z]\b/g, ' ')
    .split(' ')
    .filter((word) => word !== '' && !ignoredWords.has(word));
  return { words: words.join(' '), shareClass };
}

const assetName = memoizePerObject(({ name }: NamedAsset) => normalizeName(name));

/** Returns whether a name matches the asset's name. A name without a share class matches every class. */
export function matchesAssetName(asset: NamedAsset, said: NormalizedName): boolean {
  const own = assetName(asset);
  const isClass = said.shareClass === undefined || said.shareClass === own.shareClass;
  return said.words !== '' && own.words === said.words && isClass;
}

/**
 * Returns at most `limit` assets that match the query, best match first: the exact symbol, then exact names, then names
 * that contain every word.
 */
export function searchAssets<Asset extends NamedAsset>(
  assets: readonly Asset[],
  query: string,
  limit: number,
): Asset[] {
  const said = normalizeName(query);
  const wanted = said.words.split(' ').filter((word) => word !== '');
  const symbol = query.trim().toUpperCase();
  return assets
    .flatMap((asset) => {
      const rank = matchRank(asset, symbol, said, wanted);
      return rank === undefined ? [] : [{ asset, rank }];
    })
    .sort((one, two) => one.rank - two.rank || one.asset.name.length - two.asset.name.length)
    .slice(0, limit)
    .map(({ asset }) => asset);
}

function matchRank(
  asset: NamedAsset,
  symbol: string,
  said: NormalizedName,
  wanted: readonly string[],
): number | undefined {
  if (asset.symbol === symbol) return 0;
  if (wanted.length === 0) return undefined;
  if (matchesAssetName(asset, said)) return 1;
  const own = assetName(asset).words.split(' ');
  if (!wanted.every((word) => own.includes(word))) return undefined;
  return own[0] === wanted[0] ? 2 : 3;
}
