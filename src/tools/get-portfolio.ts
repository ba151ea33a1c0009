import { z } from 'zod';
import { formatDollarAmount } from '../trading/amounts.ts';
import { newYorkMidnight } from '../trading/new-york-time.ts';
import { symbolSchema } from '../trading/order.ts';
import { sumTodaysTrades } from '../trading/portfolio/todays-trades.ts';
import type { Position } from '../trading/views.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getPortfolio = defineTool({
  name: 'get_portfolio',
  title: 'Read your portfolio',
  description:
    'Returns the account (cash, buying power, equity) and its positions with quantity, price, value and unrealized profit, and today’s trades, if any (shares, dollars paid).',
  schema: z.lazy(() =>
    z.strictObject({
      symbols: z.array(symbolSchema).min(1).max(50).optional().describe('Only these positions'),
      limit: z
        .number()
        .int()
        .min(1)
        .max(500)
        .optional()
        .describe('Maximum number of positions, sorted by symbol; all if omitted'),
      cursor: symbolSchema.optional().describe('next_cursor of the previous page'),
    }),
  ),
  scopes: ['portfolio:read'],
  risk: 'read',
  async execute(context, { symbols, limit, cursor }) {
    const gateway = requireGateway(context);
    const [account, all, traded] = await Promise.all([
      gateway.account(),
      gateway.positions(),
      // If today's trades can't be read, each position's daily change is measured from the last close.
      tradedToday(gateway).catch(() => []),
    ]);
    const { positions, total, next_cursor } = page(
      all.filter(({ symbol }) => symbols === undefined || symbols.includes(symbol)),
      limit,
      cursor,
    );
    const count = positions.length === total ? `${total}` : `${positions.length} of ${total}`;
    return {
      summary: `${count} ${total === 1 ? 'position' : 'positions'}, equity ${formatDollarAmount(account.equity)}, cash ${formatDollarAmount(account.cash)}`,
      content: JSON.stringify({
        account,
        positions,
        total,
        next_cursor,
        ...(traded.length === 0 ? {} : { traded_today: traded }),
      }),
    };
  },
});

/** Returns a page of positions, sorted by symbol so that trades between two requests do not shift the pages. */
function page(all: readonly Position[], limit: number | undefined, cursor: string | undefined) {
  const total = all.length;
  if (limit === undefined && cursor === undefined) return { positions: all, total, next_cursor: null };
  const rest = all
    .toSorted((a, b) => (a.symbol < b.symbol ? -1 : 1))
    .filter(({ symbol }) => cursor === undefined || symbol > cursor);
  const positions = rest.slice(0, limit);
  const next_cursor = rest.length > positions.length ? (positions.at(-1)?.symbol ?? null) : null;
  return { positions, total, next_cursor };
}

async function tradedToday(gateway: GatewayClient) {
  const began = newYorkMidnight(Date.parse((await gateway.clock()).timestamp));
  const trades = sumTodaysTrades(await gateway.activities({ after: began - 1 }), began);
  return [...trades].map(([symbol, { qty, paid }]) => ({ symbol, qty: qty.toFixed(), paid: paid.toFixed() }));
}
