/** The kinds of broker that setup offers, in this order. `mcp` is left out because its settings need a mapping. */
export const offeredBrokers = ['alpaca', 'tradier', 'snaptrade', 'ibkr'] as const;
export type OfferedBroker = (typeof offeredBrokers)[number];
