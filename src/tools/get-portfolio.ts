import { z } from 'zod';
import { dollars } from '../trading/amounts.ts';
import { dayBegan } from '../trading/new-york-time.ts';
import { dayTrades } from '../trading/portfolio/day-trades.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getPortfolio = defineTool({
  name: 'get_portfolio',
  description:
    'The account (cash, buying power, equity) and every position with its quantity, price, value and unrealized profit; what was traded today, where something was (shares, dollars paid).',
  schema: z.strictObject({}),
  scopes: ['portfolio:read'],
  risk: 'read',
  async execute(context) {
    const gateway = requireGateway(context);
    const [account, positions, traded] = await Promise.all([
      gateway.account(),
      gateway.positions(),
      // Without them a position's day is since the last close, whenever it was bought.
      tradedToday(gateway).catch(() => []),
    ]);
    const count = positions.length === 1 ? '1 position' : `${positions.length} positions`;
    return {
      summary: `${count}, equity ${dollars(account.equity)}, cash ${dollars(account.cash)}`,
      content: JSON.stringify({
        account,
        positions,
        ...(traded.length === 0 ? {} : { traded_today: traded }),
      }),
    };
  },
});

/** Shares bought today, less those sold, and dollars paid for them, less those received. */
async function tradedToday(gateway: GatewayClient) {
  const began = dayBegan(Date.parse((await gateway.clock()).timestamp));
  const trades = dayTrades(await gateway.activities({ after: began - 1 }), began);
  return [...trades].map(([symbol, { qty, paid }]) => ({ symbol, qty: qty.toFixed(), paid: paid.toFixed() }));
}
