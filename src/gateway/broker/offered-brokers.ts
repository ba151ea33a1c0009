/**
 * The kinds of broker that can be set up by a few questions, as `kind` in `gateway.yaml` has them, in the order in which
 * people are offered them. One that needs more said of it (`mcp`: which tool is what) is written there by hand.
 */
export const offeredBrokers = ['alpaca', 'tradier', 'snaptrade', 'ibkr'] as const;
export type OfferedBroker = (typeof offeredBrokers)[number];
