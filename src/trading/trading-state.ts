/**
 * `reducing`: nothing is bought, and no more sold than is held. `halted`: nothing is traded. A cancel always passes. Anybody
 * of the account takes it down; only its owner's approval takes it up again.
 */
export const tradingStates = ['active', 'reducing', 'halted'] as const;
export type TradingState = (typeof tradingStates)[number];
