import { createAssetCatalog } from '../../../src/gateway/broker/asset-catalog.ts';
import type { BrokerContext } from '../../../src/gateway/broker/broker-kind.ts';

/** What an adapter on paper is connected with; it waits for nothing. */
export function onPaper(changes: Partial<BrokerContext> = {}): BrokerContext {
  const { now = Date.now } = changes;
  const usual = { environment: 'paper', fetch, timeoutMs: 5000, sleep: async () => undefined } as const;
  return { ...usual, now, assets: createAssetCatalog(now), ...changes };
}
