import { z } from 'zod';
import { signedDollars, signedPercent } from '../../trading/amounts.ts';
import { portfolioPerformance } from '../../trading/portfolio-performance.ts';
import { defineMcpTool } from './mcp-tool.ts';

export const getPerformance = defineMcpTool({
  name: 'get_performance',
  title: 'Performance',
  description:
    'How the account did: profit of the day and in all, weights of the positions, and the equity at the end of each day. Fractions: "0.01" is 1 %.',
  schema: z.strictObject({ period: z.enum(['1M', '3M', '6M', '1A']).default('1M') }),
  scopes: ['portfolio:read'],
  effect: 'reads',
  async run({ caller: { gateway } }, { period }) {
    const [account, positions, equity] = await Promise.all([
      gateway.account(),
      gateway.positions(),
      gateway.valueHistory(period),
    ]);
    const figures = portfolioPerformance(account, positions);
    return {
      message: `Today ${signedDollars(figures.dayProfit)} (${signedPercent(figures.dayFraction)}), open positions ${signedDollars(figures.totalProfit)} (${signedPercent(figures.totalFraction)}).`,
      found: {
        day_profit: figures.dayProfit,
        day_fraction: figures.dayFraction,
        total_profit: figures.totalProfit,
        total_fraction: figures.totalFraction,
        cash_weight: figures.cashWeight,
        market_value: figures.marketValue,
        positions: figures.positions.map(({ position, dayProfit, weight }) => ({
          symbol: position.symbol,
          day_profit: dayProfit,
          weight,
        })),
        period,
        equity,
      },
    };
  },
});
