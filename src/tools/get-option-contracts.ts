import { z } from 'zod';
import { positiveDecimalString } from '../trading/decimal.ts';
import { expiryPattern, expiryRange } from '../trading/expiry.ts';
import { MAX_LISTED_CONTRACTS } from '../trading/listed-contract.ts';
import { newYorkDate } from '../trading/new-york-time.ts';
import { symbolSchema } from '../trading/order.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getOptionContracts = defineTool({
  name: 'get_option_contracts',
  title: 'Look up option contracts',
  description:
    'Lists option contracts on one US stock or fund, by expiry, right and strike: the symbol for place_order and get_quote, ' +
    'and the number of shares per contract (multiplier). For prices per share, use get_quote.',
  schema: z.lazy(() =>
    z.strictObject({
      underlying: symbolSchema.describe('The underlying stock or fund, such as AAPL'),
      expiry: z
        .string()
        .regex(expiryPattern)
        .optional()
        .describe(
          'A day (YYYY-MM-DD) or month (YYYY-MM); without a year (MM-DD, MM), the next such day or month. If omitted, the next 60 days',
        ),
      right: z.enum(['call', 'put']).optional(),
      strike_from: positiveDecimalString.optional().describe('Lowest strike, dollars per share'),
      strike_to: positiveDecimalString.optional().describe('Highest strike, dollars per share'),
      limit: z.number().int().min(1).max(MAX_LISTED_CONTRACTS).default(50),
    }),
  ),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { expiry, ...query }) {
    const gateway = requireGateway(context);
    const expires = expiry === undefined ? {} : await expiryBounds(expiry, gateway);
    const { contracts, more } = await gateway.optionContracts({ ...query, ...expires });
    const [first] = contracts;
    const count = `${contracts.length}${more ? ' and more' : ''}`;
    return {
      summary:
        first === undefined
          ? `no contracts on ${query.underlying}`
          : `${count} ${contracts.length === 1 && !more ? 'contract' : 'contracts'} on ${query.underlying}, from ${first.symbol}`,
      content: JSON.stringify({ contracts, more }),
    };
  },
});

/** Returns the bounds of the expiry date, relative to the current date at the exchange, not on this machine. */
async function expiryBounds(expiry: string, gateway: Pick<GatewayClient, 'clock'>) {
  const { timestamp } = await gateway.clock();
  const { from, to } = expiryRange(expiry, newYorkDate(Date.parse(timestamp)));
  return { expires_from: from, expires_to: to };
}
