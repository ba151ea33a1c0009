/** The kinds of broker that setup offers, in order. `mcp` needs a mapping, so it is configured by hand. */
export const offeredBrokers = ['alpaca', 'tradier', 'snaptrade', 'ibkr'] as const;
export type OfferedBroker = (typeof offeredBrokers)[number];
