/** The kinds of broker that setup offers, in this order. `mcp` is left out because its settings need a mapping. */
export const offeredBrokers = ['alpaca', 'tradier', 'snaptrade', 'ibkr'] as const;
/** The broker that a home simulates itself, and its name in gateway.yaml. */
export const PRACTICE_BROKER = 'practice';

export type OfferedBroker = (typeof offeredBrokers)[number];
