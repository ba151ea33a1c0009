import type { AssetClass } from './asset-class.ts';

/** What people call what is in each class, several of it. */
export const assetClassWords: Readonly<Record<AssetClass, string>> = {
  us_equity: 'stocks and funds',
  crypto: 'crypto pairs',
  us_option: 'options',
};
