import { z } from 'zod';
import { activityKinds } from '../trading/activity.ts';
import { signedDollars } from '../trading/amounts.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { periods, periodWords, startOf } from '../trading/period.ts';
import { income } from '../trading/portfolio/income.ts';
import { defineTool, requireGateway } from './tool.ts';

const MOST = 100;

export const getActivities = defineTool({
  name: 'get_activities',
  description:
    'What changed the account: fills (shares, dollars a share), deposits, withdrawals, dividends, interest and fees (dollars; less than nothing for what was paid), newest first, with the sums of the period.',
  schema: z.strictObject({
    period: z.enum(periods).default('1M').describe('MTD: this month, YTD: this year'),
    kinds: z
      .array(z.enum(activityKinds))
      .max(activityKinds.length)
      .optional()
      .describe('All kinds where it is left out'),
    limit: z.number().int().min(1).max(MOST).default(50),
  }),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { period, kinds, limit }) {
    const gateway = requireGateway(context);
    const [clock, account] = await Promise.all([gateway.clock(), gateway.account()]);
    const start = startOf(period, Date.parse(clock.timestamp));
    // The instant before the day begins: what happened at its first moment is part of it.
    const all = await gateway.activities({ after: newYorkInstant(start, '00:00') - 1 });
    const found = all.filter(({ kind }) => kinds === undefined || kinds.includes(kind)).reverse();
    const sums = income(all);
    const left = Math.max(0, found.length - limit);
    const count = found.length === 1 ? '1 activity' : `${found.length} activities`;
    return {
      summary: `${count} in ${periodWords[period]}, dividends ${signedDollars(sums.dividends.toFixed(2))}`,
      content: JSON.stringify({
        period,
        start,
        activities: found.slice(0, limit),
        ...(left > 0 ? { left_out: left } : {}),
        totals: {
          dividends: sums.dividends.toFixed(2),
          interest: sums.interest.toFixed(2),
          fees: sums.fees.toFixed(2),
        },
        simulated: account.simulated,
      }),
    };
  },
});
