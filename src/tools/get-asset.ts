import { z } from 'zod';
import { safeLine } from '../text/sanitize.ts';
import { symbolSchema } from '../trading/order.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getAsset = defineTool({
  name: 'get_asset',
  title: 'Look up a security',
  description:
    'Returns what the broker knows about one US stock or fund: its name, its exchange, and whether it can be traded, bought in fractions of a share, and sold short.',
  schema: z.lazy(() => z.strictObject({ symbol: symbolSchema.describe('A ticker symbol such as AAPL or BRK.B') })),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { symbol }) {
    const asset = await requireGateway(context).asset(symbol);
    const name = safeLine(asset.name, 80);
    return {
      summary: `${symbol}: ${name}, ${asset.tradable ? 'tradable' : 'not tradable'}`,
      content: JSON.stringify({ asset: { ...asset, name } }),
    };
  },
});
