import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits, Lackable } from '../broker-traits.ts';
import type { McpMapping } from './mapping.ts';

const none = { types: [], timesInForce: [] } as const;

/** No tool is mapped for these. */
export const mcpLacks = [
  'bars',
  'activities',
  'portfolioHistory',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const satisfies readonly Lackable[];

/** Whole shares, in the types that the mapping has. */
export function mcpTerms({ order_types: types }: McpMapping): OrderTerms {
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
 * What a broker behind a server of its own can promise. That an id is taken once would be the word of a program that anybody
 * may run, so nothing is ever sent twice on it. A replacement is none: its tools give the new order no id of ours that every
 * server would take.
 */
export function mcpTraits(mapping: McpMapping): BrokerTraits {
  const { label, order_by_client_order_id: found } = mapping;
  const lookedUp = found === undefined ? 'never' : found.for_good ? 'for_good' : 'while_listed';
  return {
    label,
    orders: { us_equity: mcpTerms(mapping) },
    clientOrderId: { takenOnce: false, lookedUp },
    replaces: undefined,
    lacks: mcpLacks,
    dayFlows: 'untold',
  };
}
