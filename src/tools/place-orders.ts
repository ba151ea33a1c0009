import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { PROPOSE_ORDERS_SCOPE } from '../oauth/scopes.ts';
import { type BatchRequest, MAX_BATCH_ORDERS, MIN_BATCH_ORDERS } from '../trading/kinds/batch.ts';
import { orderRequestSchema } from '../trading/order.ts';
import { accountArgument } from './account-argument.ts';
import { parseOrderRequest } from './place-order.ts';
import type { ProposalTool } from './tool.ts';

const argumentsSchema = z.lazy(() =>
  z.strictObject({
    account: accountArgument,
    orders: z
      .array(orderRequestSchema.omit({ account: true }))
      .min(MIN_BATCH_ORDERS)
      .max(MAX_BATCH_ORDERS),
    on_failure: z.enum(['stop', 'continue']).default('stop'),
  }),
);

/** Proposes several orders as one approval request. Like {@link placeOrder}, it can't trade. */
export const placeOrders: ProposalTool<typeof argumentsSchema> = {
  name: 'place_orders',
  title: 'Propose several orders',
  description:
    'Proposes several related orders, one per symbol, as one approval request on the person’s phone. ' +
    'Sales are executed before purchases. Nothing is traded until the person approves all of them.',
  schema: argumentsSchema,
  scopes: [PROPOSE_ORDERS_SCOPE],
  risk: 'trade',
};

/** Parses a batch. @throws {TradeAgentError} `invalid_order` naming the order and the field */
export function parseBatchRequest(args: Record<string, unknown>): Pick<BatchRequest, 'on_failure' | 'orders'> {
  const { orders, on_failure } = args;
  const many = Array.isArray(orders) ? orders.length : 0;
  if (!Array.isArray(orders) || many < MIN_BATCH_ORDERS || many > MAX_BATCH_ORDERS) {
    throw new TradeAgentError(
      'invalid_order',
      `orders: must be ${MIN_BATCH_ORDERS} to ${MAX_BATCH_ORDERS} orders, not ${many}`,
      { hint: 'Propose a single order with place_order.', details: { field: 'orders' } },
    );
  }
  return {
    orders: orders.map((order: unknown) =>
      parseOrderRequest(typeof order === 'object' && order !== null ? { ...order } : {}),
    ),
    on_failure: on_failure === 'continue' ? 'continue' : 'stop',
  };
}
