import { AIMessage, type BaseMessage } from '@langchain/core/messages';
import { TradeAgentError } from '../../errors/errors.ts';
import { placeOrder } from '../../tools/place-order.ts';
import { placeOrders } from '../../tools/place-orders.ts';
import { MIN_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import { describeOrder, type OrderRequest } from '../../trading/order.ts';
import { MAX_ORDERS_PER_REQUEST } from '../agent.ts';
import { composeAnswer } from '../planner/answer.ts';
import { findAnsweredCalls } from '../planner/answered-calls.ts';
import { createShortId } from '../short-id.ts';
import { createPromptMessage } from './message-history.ts';

/**
 * Describes orders composed by a program: `SELL 8 AAPL LMT 228.50 DAY; …`. For display only; never parsed.
 * @throws {TradeAgentError} `usage` if there are no orders, or more than {@link MAX_ORDERS_PER_REQUEST}
 */
export function describeOrders(orders: readonly OrderRequest[]): string {
  if (orders.length === 0 || orders.length > MAX_ORDERS_PER_REQUEST) {
    throw new TradeAgentError(
      'usage',
      `1 to ${MAX_ORDERS_PER_REQUEST} orders can be proposed at once, not ${orders.length}`,
      {
        hint: 'Propose the rest when these are settled.',
      },
    );
  }
  return orders.map(describeComposedOrder).join('; ');
}

function describeComposedOrder(order: OrderRequest): string {
  const { time_in_force, extended_hours } = order;
  return `${describeOrder(order)} ${time_in_force.toUpperCase()}${extended_hours ? ' extended hours' : ''}`;
}

/**
 * Returns the prompt, and a model message whose calls propose each order exactly as given.
 * @throws {TradeAgentError} like {@link describeOrders}
 */
export function createComposedOrderMessages({
  orders,
  composedBy,
  together = false,
}: {
  readonly orders: readonly OrderRequest[];
  readonly composedBy: string;
  readonly together?: boolean;
}): BaseMessage[] {
  return [
    createPromptMessage(describeOrders(orders), composedBy),
    new AIMessage({
      content: '',
      tool_calls: (together ? batchCalls(orders) : separateCalls(orders)).map((call) => ({
        id: createShortId('tc_', 12),
        ...call,
      })),
      additional_kwargs: { composed_by: composedBy },
    }),
  ];
}

type Call = { readonly name: string; readonly args: Record<string, unknown> };

/** Returns one call for a batch of two or more orders if all symbols differ. Otherwise, returns one call per order. */
function batchCalls(orders: readonly OrderRequest[]): Call[] {
  const symbols = new Set(orders.map(({ symbol }) => symbol));
  if (orders.length >= MIN_BATCH_ORDERS && symbols.size === orders.length) {
    return [{ name: placeOrders.name, args: { orders: orders.map((order) => ({ ...order })) } }];
  }
  return separateCalls(orders);
}

function separateCalls(orders: readonly OrderRequest[]): Call[] {
  return orders.map((order) => ({ name: placeOrder.name, args: { ...order } }));
}

/** Returns how many proposals a program composed for the newest prompt, or undefined if a person wrote it. */
export function countComposedProposals(messages: readonly BaseMessage[]): number | undefined {
  const message = messages[messages.findLastIndex(({ type }) => type === 'human') + 1];
  const isComposed = AIMessage.isInstance(message) && message.additional_kwargs.composed_by !== undefined;
  return isComposed ? message.tool_calls?.length : undefined;
}

/**
 * Returns the answer to a prompt with composed orders, or undefined for other prompts. No model writes this answer,
 * because a model could add its own orders.
 */
export function answerComposedOrders(messages: readonly BaseMessage[]): string | undefined {
  return countComposedProposals(messages) === undefined ? undefined : composeAnswer(findAnsweredCalls(messages));
}
