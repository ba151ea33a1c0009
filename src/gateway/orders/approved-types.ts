import type { OrderJournal } from '../../store/order-journal.ts';
import { withApprovedType } from '../../trading/order-words.ts';
import type { Order } from '../../trading/views.ts';

export type ApprovedTypeReader = Pick<OrderJournal, 'approvedTypes'>;

/** Adds the type that the owner approved to each order that this gateway placed as another type. */
export async function withApprovedTypes(
  journal: ApprovedTypeReader,
  sub: string,
  orders: readonly Order[],
): Promise<Order[]> {
  const types = await journal.approvedTypes(
    sub,
    orders.map(({ client_order_id }) => client_order_id),
  );
  return orders.map((order) => withApprovedType(order, types.get(order.client_order_id)));
}
