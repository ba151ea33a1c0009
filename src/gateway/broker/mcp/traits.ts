import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits, OptionalFeature } from '../broker-traits.ts';
import type { McpMapping } from './mapping.ts';

const none = { types: [], timesInForce: [] } as const;

export const unsupportedMcpFeatures = [
  'bars',
  'activities',
  'portfolioHistory',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const satisfies readonly OptionalFeature[];

export function toMcpTerms({ order_types: types }: McpMapping): OrderTerms {
  return {
    timesInForce: types as OrderTerms['timesInForce'],
    fractions: { ...none, decimals: 0 },
    amounts: none,
    classes: {},
    extendedHours: none,
    ticks: usTicks,
  };
}

/**
 * Returns the traits of a broker's MCP server. An order is never sent again after its response was lost, because anyone
 * may run an MCP server, and nothing proves that the server accepts a client_order_id only once. Orders are not
 * replaced, because some servers' tools accept no ID for the new order.
 */
export function toMcpTraits(mapping: McpMapping): BrokerTraits {
  const { label, order_by_client_order_id: found } = mapping;
  const lookedUp = found === undefined ? 'never' : found.for_good ? 'for_good' : 'while_listed';
  return {
    label,
    orders: { us_equity: toMcpTerms(mapping) },
    clientOrderId: { acceptedOnce: false, lookup: lookedUp },
    replaces: undefined,
    lacks: unsupportedMcpFeatures,
    dayFlows: 'unknown',
  };
}
