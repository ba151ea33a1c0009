import { z } from 'zod';
import { formatSignedDollars } from '../trading/amounts.ts';
import { newYorkDate } from '../trading/new-york-time.ts';
import { buildGainsView } from '../trading/portfolio/gains-view.ts';
import { lotHistory } from '../trading/portfolio/lot-history-replay.ts';
import { pageAfter, pageArgument } from './pages.ts';
import { defineTool, omittedCount, readLotInputs, requireGateway } from './tool.ts';

const MAX_LINES = 200;

export const getRealizedGains = defineTool({
  name: 'get_realized_gains',
  title: 'Add up your realized gains',
  description:
    'Returns realized gains, lot by lot as on IRS Form 8949: acquired, sold, proceeds, cost, wash-sale adjustment (W), gain in dollars, short- or long-term (held for more than a year), with totals by term and by year. Based on this account’s own trades; not tax advice.',
  schema: z.lazy(() =>
    z.strictObject({
      year: z
        .string()
        .regex(/^((19|20)[0-9]{2}|this|last)$/, 'must be a year such as 2026, "this" or "last"')
        .optional()
        .describe('Year of the sales, in New York: 2026, "this" or "last"; all years if omitted'),
      method: z
        .enum(['fifo', 'average', 'highest'])
        .default('fifo')
        .describe('Which shares count as sold: the oldest, all at average cost, or the most expensive'),
      limit: z
        .number()
        .int()
        .min(1)
        .max(MAX_LINES)
        .default(100)
        .describe('Maximum number of lines; the newest are on the first page'),
      cursor: pageArgument,
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { year: asked, method, ...asPage }) {
    const { account, positions, now, activities } = await readLotInputs(requireGateway(context));
    const thisYear = Number(newYorkDate(now).slice(0, 4));
    const year = asked === 'this' ? `${thisYear}` : asked === 'last' ? `${thisYear - 1}` : asked;
    const history = lotHistory(activities, method, { positions });
    const found = buildGainsView(history, activities, { method, year });
    const { totals, gains } = found;
    // Keys count from the oldest line, so that a new sale does not shift the pages.
    const keyOf = (_: unknown, index: number) => String(gains.length - index);
    const { page, total, next_cursor } = pageAfter(gains.toReversed(), keyOf, asPage);
    return {
      summary: `${formatSignedDollars(totals.all.gain)} realized${year === undefined ? '' : ` in ${year}`} (short-term ${formatSignedDollars(totals.short_term.gain)}, long-term ${formatSignedDollars(totals.long_term.gain)})${found.incomplete.length === 0 ? '' : ', history incomplete'}`,
      content: JSON.stringify({
        ...found,
        gains: page.toReversed(),
        ...omittedCount(total, page.length),
        total,
        next_cursor,
        simulated: account.simulated,
      }),
    };
  },
});
