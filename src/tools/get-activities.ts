import { z } from 'zod';
import { type Activity, activityKinds } from '../trading/activity.ts';
import { formatSignedDollars } from '../trading/amounts.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { symbolSchema } from '../trading/order.ts';
import { type Period, periodStart, periods, periodWords } from '../trading/period.ts';
import { incomeTotals } from '../trading/portfolio/dividends.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { pageAfter, pageArgument } from './pages.ts';
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
      symbol: symbolSchema.optional().describe('Only activities of this symbol'),
      limit: z.number().int().min(1).max(MAX_ACTIVITIES).default(50),
      cursor: pageArgument,
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { limit, cursor, ...filter }) {
    const { found, facts } = await findPeriodActivities(requireGateway(context), filter);
    const { page, total, next_cursor } = pageAfter(found, ({ id }) => id, { limit, cursor });
    const { dividends } = facts.totals;
    return {
      summary: `${formatActivityCount(page.length, total)} ${periodWords[filter.period]}, dividends ${formatSignedDollars(dividends)}`,
      content: JSON.stringify({
        ...facts,
        activities: page,
        ...omittedCount(total, page.length),
        total,
        next_cursor,
      }),
    };
  },
});

function formatActivityCount(shown: number, total: number): string {
  return `${shown === total ? '' : `${shown} of `}${total} ${total === 1 ? 'activity' : 'activities'}`;
}

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

interface ActivityFilter {
  readonly period: Period;
  readonly kinds?: readonly Activity['kind'][] | undefined;
  readonly symbol?: string | undefined;
}

type ActivityGateway = Pick<GatewayClient, 'clock' | 'account' | 'activities'>;

export async function readPeriodActivities(
  gateway: ActivityGateway,
  { limit, ...filter }: ActivityFilter & { readonly limit: number },
): Promise<PeriodActivities> {
  const { found, facts } = await findPeriodActivities(gateway, filter);
  return { ...facts, activities: found.slice(0, limit), ...omittedCount(found.length, limit) };
}

async function findPeriodActivities(gateway: ActivityGateway, { period, kinds, symbol }: ActivityFilter) {
  const [clock, account] = await Promise.all([gateway.clock(), gateway.account()]);
  const start = periodStart(period, Date.parse(clock.timestamp));
  const began = newYorkInstant(start, '00:00');
  // The gateway filters by booking time, which is often a day after the activity, so earlier activities are dropped
  // here.
  const all = (await gateway.activities({ after: began - 1 })).filter(({ at }) => Date.parse(at) >= began);
  const found = all
    .filter((one) => (kinds?.includes(one.kind) ?? true) && (symbol === undefined || one.symbol === symbol))
    .reverse();
  const { dividends, interest, fees } = incomeTotals(all);
  const totals = { dividends: dividends.toFixed(2), interest: interest.toFixed(2), fees: fees.toFixed(2) };
  return { found, facts: { period, start, totals, simulated: account.simulated } };
}
