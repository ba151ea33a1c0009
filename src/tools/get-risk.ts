import { z } from 'zod';
import { formatPercent } from '../trading/amounts.ts';
import type { Dec } from '../trading/decimal.ts';
import { periods, periodWords } from '../trading/period.ts';
import { weightsBySymbol } from '../trading/portfolio/allocation.ts';
import { concentration } from '../trading/portfolio/concentration.ts';
import { type Drawdowns, drawdowns } from '../trading/portfolio/drawdown.ts';
import { volatility } from '../trading/portfolio/volatility.ts';
import { accountPerformance } from '../trading/portfolio-performance.ts';
import { readAccountHistory } from './account-history.ts';
import { defineTool, omittedCount, requireGateway } from './tool.ts';

const MAX_POSITIONS = 10;

export const getRisk = defineTool({
  name: 'get_risk',
  title: 'Measure your risk',
  description:
    'Returns how the account’s value moved and how concentrated it is: annualized volatility and drawdowns over a period (deposits are not gains), weights of the largest positions and of cash, Herfindahl index. Fractions: "0.01" is 1%.',
  schema: z.lazy(() =>
    z.strictObject({
      period: z.enum(periods).default('1Y').describe('For volatility and drawdown. MTD: this month, YTD: this year'),
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { period }) {
    const { account, positions, now, equity, returns } = await readAccountHistory(requireGateway(context), period);
    const { allPoints: line, points, factors } = returns;
    const yearly = volatility(points, factors);
    const weights = weightsBySymbol(positions, equity);
    const concentrated = concentration(weights);
    const named = [...weights].sort((a, b) => b.weight.abs().comparedTo(a.weight.abs()));
    const top = named[0];
    return {
      summary: [
        `${yearly === undefined ? 'volatility unknown' : `volatility ${formatPercent(rate(yearly))} a year`} ${periodWords[period]}`,
        ...(top === undefined ? ['no positions'] : [`largest ${top.name} ${formatPercent(rate(top.weight))}`]),
      ].join(', '),
      content: JSON.stringify({
        period,
        from: new Date(points[0]?.at ?? now).toISOString(),
        to: new Date(now).toISOString(),
        equity: account.equity,
        returns_counted: factors?.length ?? 0,
        volatility: yearly === undefined ? null : rate(yearly),
        drawdown: drawdownView(drawdowns(line)),
        concentration: {
          largest: rate(concentrated.largest),
          five_largest: rate(concentrated.fiveLargest),
          cash: accountPerformance(account, positions).cashWeight,
          herfindahl: concentrated.herfindahl === undefined ? null : rate(concentrated.herfindahl),
          effective_positions:
            concentrated.effectivePositions === undefined ? null : concentrated.effectivePositions.toFixed(2),
        },
        positions: named.slice(0, MAX_POSITIONS).map(({ name, value, weight }) => ({
          symbol: name,
          value: value.toFixed(2),
          weight: rate(weight),
        })),
        ...omittedCount(named.length, MAX_POSITIONS),
        simulated: account.simulated,
      }),
    };
  },
});

function drawdownView({ current, worst, mark }: Drawdowns) {
  return {
    now: rate(current),
    high: mark === undefined ? null : { value: mark.value.toFixed(2), at: time(mark.at) },
    worst:
      worst === undefined
        ? null
        : {
            fraction: rate(worst.fraction),
            peak_at: time(worst.peakAt),
            trough_at: time(worst.troughAt),
            recovered_at: worst.recoveredAt === undefined ? null : time(worst.recoveredAt),
          },
  };
}

const rate = (value: Dec) => value.toDecimalPlaces(6).toFixed();
const time = (at: number) => new Date(at).toISOString();
