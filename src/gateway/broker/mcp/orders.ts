import type { OrderDraft } from '../../../trading/order.ts';
import { Refusal } from '../../../trading/refusal.ts';
import type { Order } from '../../../trading/views.ts';
import type { BrokerOrders } from '../broker.ts';
import { NotSent } from '../broker-failure.ts';
import type { BrokerRequests, FailureOf } from '../broker-requests.ts';
import { notReplaced, requireSayable, selectOrders } from '../plain-orders.ts';
import { NoAnswer } from '../rest-client.ts';
import { isSameOrder } from '../same-order.ts';
import type { Given } from './arguments.ts';
import type { Call, McpMapping } from './mapping.ts';
import { mcpTerms } from './traits.ts';
import { orderIds, orderView, rowOf, rowsOf } from './views.ts';

interface OrderTools {
  readonly mapping: McpMapping;
  /** Undefined if only the server knows. */
  readonly account: string | undefined;
  readonly ask: (call: Call, given: Given) => Promise<unknown>;
  /** @throws {NotSent} if a tool's description is not the confirmed one */
  readonly requireConfirmed: () => Promise<void>;
  readonly requests: BrokerRequests;
  readonly submissionFailureOf: FailureOf;
}

export function mcpOrders(tools: OrderTools): BrokerOrders {
  const { mapping, account, ask, requireConfirmed, requests, submissionFailureOf } = tools;
  const one = async (call: Call, given: Given, whose = account): Promise<Order> =>
    orderView(rowOf(await ask(call, given), call), mapping, whose);
  const isId = (id: string) => orderIds[mapping.order_ids].test(id);
  const asked = (order: Order, isIt: boolean): Order => {
    if (!isIt) throw new NoAnswer('unreadable');
    return order;
  };
  return {
    orders: (query) =>
      requests.read(async () => {
        const { status, limit, symbols } = query;
        const answer = await ask(mapping.orders, { account, status, limit: String(limit), symbols });
        const listed = rowsOf(answer, mapping.orders)
          .map((row) => orderView(row, mapping, account))
          .sort((a, b) => b.submitted_at.localeCompare(a.submitted_at));
        return selectOrders(listed, query);
      }),
    order: async (id) => {
      if (!isId(id)) return undefined;
      return requests.find(async () => {
        const order = await one(mapping.order, { account, order_id: id });
        return asked(order, order.id === id);
      });
    },
    orderByClientOrderId: async (clientOrderId) => {
      const { order_by_client_order_id: call } = mapping;
      if (call === undefined) return undefined;
      return requests.find(async () => {
        const order = await one(call, { account, client_order_id: clientOrderId });
        return asked(order, order.client_order_id === clientOrderId);
      });
    },
    submit: (draft) =>
      requests.submit(
        draft.client_order_id,
        async () => {
          if (account !== undefined && draft.account !== account)
            throw new NotSent('the order is for another account than the one that is opened here');
          requireSayable(draft, mapping.label, mcpTerms(mapping));
          await requireConfirmed();
          const order = await one(
            mapping.submit,
            { ...wordsOf(draft), account: draft.account },
            draft.account,
          );
          // Without a client_order_id the order is identified by everything that was sent.
          const { client_order_id } = mapping.order_fields.client_order_id === undefined ? draft : order;
          const told = { ...order, client_order_id };
          return asked(told, isSameOrder(told, draft));
        },
        submissionFailureOf,
      ),
    replace: async () => notReplaced(mapping.label),
    cancel: async (id) => {
      if (!isId(id)) return 'not_found';
      await requests.read(requireConfirmed).catch((error: unknown) => {
        throw error instanceof Refusal && error.cause instanceof NotSent ? notConfirmed(error.cause) : error;
      });
      return requests.cancel(() => ask(mapping.cancel, { account, order_id: id }));
    },
  };
}

const wordsOf = (draft: OrderDraft): Given => {
  const { symbol, side, type, time_in_force, qty, limit_price, stop_price, client_order_id } = draft;
  return { symbol, side, type, time_in_force, qty, limit_price, stop_price, client_order_id };
};

function notConfirmed(cause: NotSent): Refusal {
  return new Refusal(422, 'broker_rejected', cause.message, {
    hint: 'Cancel it at the broker, or confirm its tools ("pins" in gateway.yaml).',
    cause,
  });
}
