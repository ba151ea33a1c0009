import { z } from 'zod';
import { formatSignedDollars } from '../trading/amounts.ts';
import { type Dec, toPlain, ZERO } from '../trading/decimal.ts';
import { symbolSchema } from '../trading/order.ts';
import { computeTaxLots, type PositionLots, type TaxLot } from '../trading/portfolio/tax-lots.ts';
import { defined } from '../values/defined.ts';
import { pageAfter, pageArgument } from './pages.ts';
import { defineTool, formatCount, omittedCount, readLotInputs, requireGateway } from './tool.ts';

const MAX_LOTS = 200;

export const getTaxLots = defineTool({
  name: 'get_tax_lots',
  title: 'Read your tax lots',
  description:
    'Returns the tax lots of positions, first in, first out: purchase date, shares, cost and unrealized gain in dollars, and whether a sale now is long-term (held for more than a year) or short-term. Short positions have negative quantities. Reports where the history is incomplete. Losses disallowed by this account’s wash sales are included in the cost.',
  schema: z.lazy(() =>
    z.strictObject({
      symbol: symbolSchema.optional().describe('A ticker symbol such as AAPL; all positions if omitted'),
      limit: z.number().int().min(1).max(MAX_LOTS).default(100).describe('Maximum number of lots'),
      cursor: pageArgument,
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { symbol, ...asPage }) {
    const { account, positions, now, activities } = await readLotInputs(requireGateway(context));
    const asked = positions.filter((one) => symbol === undefined || one.symbol === symbol);
    const found = computeTaxLots(activities, asked, now);
    const lots = found.flatMap((one) => one.lots.map((lot) => ({ symbol: one.symbol, lot })));
    const { page, total, next_cursor } = pageAfter(lots, (_, index) => String(index), asPage);
    const gain = totalGain(lots.map(({ lot }) => lot));
    const incomplete = found.filter(({ complete }) => !complete);
    return {
      summary: `${formatCount(lots.length, 'lot')}${symbol === undefined ? '' : ` of ${symbol}`}, unrealized ${formatSignedDollars(gain.toFixed(2))}${incomplete.length === 0 ? '' : ', history incomplete'}`,
      content: JSON.stringify({
        method: 'first in, first out',
        ...defined({ symbol }),
        lots: page.map((one) => lotView(one.symbol, one.lot)),
        ...omittedCount(total, page.length),
        total,
        next_cursor,
        gain: {
          short_term: totalGain(lots.map(({ lot }) => lot).filter(({ term }) => term === 'short')).toFixed(2),
          long_term: totalGain(lots.map(({ lot }) => lot).filter(({ term }) => term === 'long')).toFixed(2),
        },
        incomplete: incomplete.slice(0, asPage.limit).map(incompleteView),
        ...(incomplete.length > asPage.limit ? { incomplete_left_out: incomplete.length - asPage.limit } : {}),
        imported: activities.filter(({ imported }) => imported === true).length,
        simulated: account.simulated,
      }),
    };
  },
});

function totalGain(lots: readonly TaxLot[]): Dec {
  return lots.reduce((total, { gain }) => total.plus(gain), ZERO);
}

function lotView(symbol: string, lot: TaxLot) {
  return {
    symbol,
    acquired: lot.acquired,
    qty: toPlain(lot.qty),
    cost: lot.cost.toFixed(2),
    value: lot.value.toFixed(2),
    gain: lot.gain.toFixed(2),
    term: lot.term,
    long_term_from: lot.longTermFrom ?? null,
  };
}

function incompleteView({ symbol, unknown }: PositionLots) {
  const reason = unknown.isZero()
    ? 'a merger, a transfer or a sale of unknown shares makes the cost uncertain'
    : unknown.isNegative()
      ? 'the activities show more shares than you hold'
      : 'some shares have no purchase in the activities';
  return { symbol, unknown_qty: toPlain(unknown), reason };
}
