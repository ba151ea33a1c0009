import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { WATCHLIST_SCOPE } from '../oauth/scopes.ts';
import { symbolSchema } from '../trading/order.ts';
import { describeWatchlist } from './get-watchlist.ts';
import { defineTool, requireGateway } from './tool.ts';

const MAX_SYMBOLS = 20;

/** Changes the watchlist. Needs no approval, because a watchlist trades nothing and is easy to change back. */
export const setWatchlist = defineTool({
  name: 'set_watchlist',
  title: 'Change your watchlist',
  description:
    'Adds ticker symbols to the person’s watchlist at their broker, or removes them. Use it only if they asked for it.',
  schema: z.lazy(() =>
    z.strictObject({
      add: z.array(symbolSchema).max(MAX_SYMBOLS).default([]),
      remove: z.array(symbolSchema).max(MAX_SYMBOLS).default([]),
    }),
  ),
  scopes: [WATCHLIST_SCOPE],
  risk: 'keep',
  async execute(context, { add, remove }) {
    const gateway = requireGateway(context);
    if (add.length + remove.length === 0) {
      throw new TradeAgentError('usage', 'there is nothing to add to the watchlist or to remove from it', {
        hint: 'Give add or remove.',
      });
    }
    const watchlist = await gateway.changeWatchlist({ add, remove });
    return { summary: describeWatchlist(watchlist.symbols), content: JSON.stringify({ watchlist }) };
  },
});
