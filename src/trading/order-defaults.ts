import { type AssetClass, symbolAssetClass } from './asset-class.ts';
import type { TimeInForce } from './order-types.ts';

const timesInForce: Readonly<Record<AssetClass, TimeInForce>> = {
  us_equity: 'day',
  crypto: 'gtc',
  us_option: 'day',
};

export function orderDefaults(symbol: string) {
  return {
    type: 'market',
    time_in_force: timesInForce[symbolAssetClass(symbol)],
    extended_hours: false,
  } as const;
}

export function withOrderDefaults<Asked extends { readonly symbol?: unknown; readonly time_in_force?: unknown }>(
  asked: Asked,
): Asked & { readonly time_in_force: unknown } {
  const { time_in_force = orderDefaults(String(asked.symbol).trim().toUpperCase()).time_in_force } = asked;
  return { ...asked, time_in_force };
}
