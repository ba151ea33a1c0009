/** Wall time at the exchange; the market's own name for it. */
export * from '../../trading/new-york-time.ts';
