/** The exchange's hours and holidays; the market's own name for them. */
export * from '../../trading/trading-calendar.ts';
