import type { z } from 'zod';
import { DEFAULT_BENCHMARK } from '../trading/portfolio/benchmark.ts';
import type { rulesFileSchema } from './rules-schema.ts';

/** What is looked at where no rules file is named: what nearly everyone would want to know. */
export const defaultRules: z.input<typeof rulesFileSchema> = {
  benchmark: DEFAULT_BENCHMARK,
  rules: [
    { name: 'ruin', kind: 'ruin' },
    { name: 'day-move', kind: 'move', symbols: 'held', by: '7%' },
    { name: 'day-loss', kind: 'loss', over: 'day', above: '3%', severity: 'critical' },
    { name: 'drawdown', kind: 'drawdown', above: '10%' },
    { name: 'concentration', kind: 'concentration', above: '40%' },
    { name: 'cash-drag', kind: 'cash', above: '50%', severity: 'info' },
    { name: 'stale-prices', kind: 'stale', older_than: '15m', when: 'market_open' },
    { name: 'old-orders', kind: 'open_order', older_than: '3d' },
    { name: 'market-closure', kind: 'closure', within: '1d', severity: 'info' },
  ],
};
