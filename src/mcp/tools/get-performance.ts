import { z } from 'zod';
import { signedDollars, signedPercent } from '../../trading/amounts.ts';
import { portfolioView } from '../../trading/portfolio/portfolio-view.ts';
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
    const figures = portfolioView(account, positions);
    return {
      message: `Today ${signedDollars(figures.day_change)} (${signedPercent(figures.day_change_fraction)}), open positions ${signedDollars(figures.total.unrealized)} (${signedPercent(figures.total.unrealized_fraction)}).`,
      found: {
        day_profit: figures.day_change,
        day_fraction: figures.day_change_fraction,
        total_profit: figures.total.unrealized,
        total_fraction: figures.total.unrealized_fraction,
        cash_weight: figures.cash_weight,
        market_value: figures.total.value,
        positions: figures.rows.map(({ symbol, day_change, weight }) => ({
          symbol,
          day_profit: day_change,
          weight,
        })),
        period,
        equity,
      },
    };
  },
});
