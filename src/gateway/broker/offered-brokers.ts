/**
 * The kinds of broker that setup offers, in this order. `mcp` is missing because it needs a mapping in the settings.
 */
export const offeredBrokers = ['alpaca', 'tradier', 'snaptrade', 'ibkr'] as const;
export type OfferedBroker = (typeof offeredBrokers)[number];
