import { createAlpacaConnector } from '../../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAssetCatalog } from '../../../../src/gateway/broker/asset-catalog.ts';
import type { AlpacaStandIn } from './alpaca-stand-in.ts';

/** What is loaded and made at the first answer is no part of the time that a broker has for one. */
export async function firstAnswer(alpaca: AlpacaStandIn): Promise<void> {
  const connect = createAlpacaConnector({
    environment: 'paper',
    tradingUrl: alpaca.url,
    dataUrl: alpaca.url,
    simulated: true,
    fetch,
    timeoutMs: 10_000,
    assets: createAssetCatalog(() => 0),
  });
  await connect({ accessToken: 'broker-token-of-alice' }, () => {}).quotes(['AAPL']);
  alpaca.requests.length = 0;
}
