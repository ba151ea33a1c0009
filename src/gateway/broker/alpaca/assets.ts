import type { Alpaca } from '@alpacahq/alpaca-trade-api/rest';
import { type AssetClass, assetClassOf } from '../../../trading/asset-class.ts';
import { defined } from '../../../values/defined.ts';
import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Asset, Broker } from '../broker.ts';
import type { BrokerRequests } from '../broker-requests.ts';
import { assetView, contractAssetView, contractView } from './views.ts';

/** The classes that are looked up by name; contracts are listed by what they are about. */
const named: readonly AssetClass[] = ['us_equity', 'crypto'];

/** What can be traded at Alpaca: `/v2/assets` for shares and pairs, `/v2/options/contracts` for options. */
export function alpacaAssets(
  alpaca: () => Promise<Alpaca>,
  { read, find }: BrokerRequests,
  catalogue: AssetCatalogue,
): Required<Pick<Broker, 'asset' | 'assets' | 'optionContracts'>> {
  const load = (symbol: string): Promise<Asset | undefined> =>
    find(async () => {
      const { trading } = await alpaca();
      return assetClassOf(symbol) === 'us_option'
        ? contractAssetView(await trading.assets.getOptionContractSymbolOrId({ symbolOrId: symbol }))
        : assetView(await trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: symbol }));
    });
  return {
    asset: (symbol) => catalogue.find(symbol, () => load(symbol)),
    assets: () =>
      catalogue.all(() =>
        read(async () => {
          const { trading } = await alpaca();
          const listed = await Promise.all(
            named.map((assetClass) => trading.assets.getV2Assets({ status: 'active', assetClass })),
          );
          return listed
            .flat()
            .map(assetView)
            .filter(({ tradable }) => tradable);
        }),
      ),
    optionContracts: ({ underlying, expires, right, strike, limit }) =>
      read(async () => {
        const { trading } = await alpaca();
        const { optionContracts, nextPageToken } = await trading.assets.getOptionsContracts({
          underlyingSymbols: underlying,
          status: 'active',
          // Without an end the contract stops at the next weekend.
          expirationDateGte: new Date(expires.from),
          expirationDateLte: new Date(expires.to),
          limit,
          ...defined({ type: right }),
          // A JSON number in the SDK, and a query's text on the wire: the shortest text of it, which is the strike's own.
          ...(strike?.from === undefined ? {} : { strikePriceGte: Number(strike.from) }),
          ...(strike?.to === undefined ? {} : { strikePriceLte: Number(strike.to) }),
        });
        const more = nextPageToken !== null && nextPageToken !== undefined && nextPageToken !== '';
        return { contracts: optionContracts.map(contractView), more };
      }),
  };
}
