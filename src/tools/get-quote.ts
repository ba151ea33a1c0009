import { z } from 'zod';
import { safeLine } from '../text/sanitize.ts';
import { formatSharePrice } from '../trading/amounts.ts';
import { symbolSchema } from '../trading/order.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getQuote = defineTool({
  name: 'get_quote',
  title: 'Look up prices',
  description: 'Returns the current bid, ask and last price of US stocks and funds, in dollars per share.',
  schema: z.lazy(() =>
    z.strictObject({
      symbols: z.array(symbolSchema).min(1).max(20).describe('Ticker symbols such as AAPL or BRK.B'),
    }),
  ),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { symbols }) {
    const wanted = [...new Set(symbols)];
    const quotes = await requireGateway(context).quotes(wanted);
    return {
      summary: quotes.map((quote) => `${quote.symbol} ${formatSharePrice(quote.last)}`).join(', '),
      content: JSON.stringify({
        quotes: quotes.map((quote) => ({
          ...quote,
          name: quote.name === null ? null : safeLine(quote.name, 80),
        })),
      }),
    };
  },
});
