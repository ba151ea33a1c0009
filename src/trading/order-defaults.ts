import { type AssetClass, assetClassOf } from './asset-class.ts';
import type { TimeInForce } from './order-types.ts';

/** How long an order stands where nobody says: until the close, and where there is none until it is cancelled. */
const timesInForce: Readonly<Record<AssetClass, TimeInForce>> = {
  us_equity: 'day',
  crypto: 'gtc',
  us_option: 'day',
};

/** What a field of an order is where nobody says anything. */
export function orderDefaults(symbol: string) {
  return {
    type: 'market',
    time_in_force: timesInForce[assetClassOf(symbol)],
    extended_hours: false,
  } as const;
}

/** An order as it is asked for, with the time in force that its class has where none is said. */
export function withDefaults<Asked extends { readonly symbol?: unknown; readonly time_in_force?: unknown }>(
  asked: Asked,
): Asked & { readonly time_in_force: unknown } {
  const { time_in_force = orderDefaults(String(asked.symbol).trim().toUpperCase()).time_in_force } = asked;
  return { ...asked, time_in_force };
}
