import { z } from 'zod';
import { dollars } from '../trading/amounts.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getPortfolio = defineTool({
  name: 'get_portfolio',
  description:
    'The account (cash, buying power, equity) and every position with its quantity, price, value and unrealized profit.',
  schema: z.strictObject({}),
  scopes: ['portfolio:read'],
  risk: 'read',
  async execute(context) {
    const gateway = requireGateway(context);
    const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
    const count = positions.length === 1 ? '1 position' : `${positions.length} positions`;
    return {
      summary: `${count}, equity ${dollars(account.equity)}, cash ${dollars(account.cash)}`,
      content: JSON.stringify({ account, positions }),
    };
  },
});
