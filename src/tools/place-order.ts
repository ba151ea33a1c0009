import { z } from 'zod';
import { PROPOSE_ORDERS_SCOPE } from '../oauth/scopes.ts';
import { checkOrder, normalizeOrder, type OrderRequest, orderRequestSchema } from '../trading/order.ts';
import { withOrderDefaults } from '../trading/order-defaults.ts';
import { accountArgument } from './account-argument.ts';
import { normalizeArguments, parseProposalArguments } from './exact-numbers.ts';
import type { ProposalTool } from './tool.ts';

const argumentsSchema = z.lazy(() => orderRequestSchema.extend({ account: accountArgument }));

/** Proposes an order. It can't trade: the person decides on their phone, and the gateway executes what they approve. */
export const placeOrder: ProposalTool<typeof argumentsSchema> = {
  name: 'place_order',
  title: 'Propose an order',
  description:
    'Proposes one order. The person sees exactly these values on their phone and approves or denies them there; ' +
    'nothing is traded before that. Give qty (shares, coins, contracts) or notional (dollars), as decimal strings. Symbols: ' +
    'AAPL, BTC/USD (gtc or ioc), or an option from get_option_contracts, with position_intent (dollars per share, 100 shares per contract).',
  schema: argumentsSchema,
  scopes: [PROPOSE_ORDERS_SCOPE],
  risk: 'trade',
};

const orderArguments = z.lazy(() => orderRequestSchema.omit({ account: true }));

/**
 * Parses an order. Accepts numbers for decimal strings and null for omitted fields, because models send both.
 * @throws {TradeAgentError} `invalid_order` naming the field
 */
export function parseOrderRequest(args: Record<string, unknown>): OrderRequest {
  const request = normalizeOrder(
    parseProposalArguments('order', orderArguments, withOrderDefaults(normalizeArguments(args))),
  );
  checkOrder(request);
  return request;
}
