import { z } from 'zod';
import { addDays, newYorkDate } from '../trading/new-york-time.ts';
import { symbolSchema } from '../trading/order.ts';
import { defineTool, formatCount, requireGateway } from './tool.ts';

const MAX_SYMBOLS = 20;
const MAX_DAYS = 366;
const MAX_ACTIONS = 50;

export const getCorporateActions = defineTool({
  name: 'get_corporate_actions',
  title: 'Look up dividends and splits',
  description:
    'Lists dividends (dollars per share), splits, mergers and name changes of US stocks, by booking date, oldest first. new_shares for old_shares: "4" for "1" is a four-for-one split.',
  schema: z.lazy(() =>
    z.strictObject({
      symbols: z.array(symbolSchema).min(1).max(MAX_SYMBOLS),
      days_back: z.number().int().min(0).max(MAX_DAYS).default(30),
      days_ahead: z.number().int().min(0).max(MAX_DAYS).default(90),
    }),
  ),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { symbols, days_back, days_ahead }) {
    const gateway = requireGateway(context);
    const today = newYorkDate(Date.parse((await gateway.clock()).timestamp));
    const stretch = { start: addDays(today, -days_back), end: addDays(today, days_ahead) };
    const { actions, more } = await gateway.corporateActions({ symbols, ...stretch, limit: MAX_ACTIONS });
    const simulated = actions.some((action) => action.simulated);
    return {
      summary: `${formatCount(actions.length, 'corporate action')} of ${symbols.join(', ')}${simulated ? ', simulated' : ''}`,
      content: JSON.stringify({ today, ...stretch, actions, more, simulated }),
    };
  },
});
