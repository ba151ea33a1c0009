import { z } from 'zod';
import { type Activity, activityKinds } from '../trading/activity.ts';
import { formatSignedDollars } from '../trading/amounts.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { type Period, periodStart, periods, periodWords } from '../trading/period.ts';
import { incomeTotals } from '../trading/portfolio/dividends.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { defineTool, omittedCount, requireGateway } from './tool.ts';

const MAX_ACTIVITIES = 100;

export const getActivities = defineTool({
  name: 'get_activities',
  title: 'Read your account activity',
  description:
    'Lists what changed the account: fills (shares, dollars per share), deposits, withdrawals, dividends, interest and fees (dollars; negative if paid), newest first, with totals of the period.',
  schema: z.lazy(() =>
    z.strictObject({
      period: z.enum(periods).default('1M').describe('MTD: this month, YTD: this year'),
      kinds: z.array(z.enum(activityKinds)).max(activityKinds.length).optional().describe('All kinds if omitted'),
      limit: z.number().int().min(1).max(MAX_ACTIVITIES).default(50),
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { period, kinds, limit }) {
    const found = await readPeriodActivities(requireGateway(context), { period, kinds, limit });
    const many = found.activities.length + (found.left_out ?? 0);
    const count = many === 1 ? '1 activity' : `${many} activities`;
    return {
      summary: `${count} ${periodWords[period]}, dividends ${formatSignedDollars(found.totals.dividends)}`,
      content: JSON.stringify(found),
    };
  },
});

/** Activities of a period, newest first, with totals in dollars over all of them. */
export interface PeriodActivities {
  readonly period: Period;
  /** First day of the period, as a New York date. */
  readonly start: string;
  readonly activities: readonly Activity[];
  readonly left_out?: number;
  readonly totals: { readonly dividends: string; readonly interest: string; readonly fees: string };
  readonly simulated: boolean;
}

export async function readPeriodActivities(
  gateway: Pick<GatewayClient, 'clock' | 'account' | 'activities'>,
  asked: {
    readonly period: Period;
    readonly kinds?: readonly Activity['kind'][] | undefined;
    readonly limit: number;
  },
): Promise<PeriodActivities> {
  const { period, kinds, limit } = asked;
  const [clock, account] = await Promise.all([gateway.clock(), gateway.account()]);
  const start = periodStart(period, Date.parse(clock.timestamp));
  const began = newYorkInstant(start, '00:00');
  // The gateway filters by booking time, which is often a day after the activity, so earlier activities are dropped
  // here.
  const all = (await gateway.activities({ after: began - 1 })).filter(({ at }) => Date.parse(at) >= began);
  const found = all.filter(({ kind }) => kinds === undefined || kinds.includes(kind)).reverse();
  const { dividends, interest, fees } = incomeTotals(all);
  return {
    period,
    start,
    activities: found.slice(0, limit),
    ...omittedCount(found.length, limit),
    totals: {
      dividends: dividends.toFixed(2),
      interest: interest.toFixed(2),
      fees: fees.toFixed(2),
    },
    simulated: account.simulated,
  };
}
