import { isTradeAgentError } from '../../errors/errors.ts';
import type { AccountName } from '../../trading/account-entry.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import { eachAccount, type MissingAccount } from '../accounts/each-account.ts';
import type { OrderOutcome } from './ask-for-order.ts';
import { accountFrom, accountOf, type OrderApp, type OrderPlace, placeOfOrder } from './order-place.ts';

/** An order, and in which account, where several are meant. */
export type OrderRow = Order & Partial<AccountName>;

/** Orders, newest first, and the accounts that could not be read. */
export interface OrderList {
  readonly orders: readonly OrderRow[];
  readonly missing: readonly MissingAccount[];
}

/** Of the account that is meant, or of all. @throws {TradeAgentError} `login_required` */
export async function listOrders(
  app: OrderApp,
  query: { readonly status: 'open' | 'closed' | 'all'; readonly limit: number },
): Promise<OrderList> {
  if (!app.ofAll) return { orders: await (await app.gateway()).orders(query), missing: [] };
  const { read, missing } = await eachAccount(app, await app.accounts(), async (own) =>
    (await own.gateway()).orders(query),
  );
  const orders = read.flatMap(({ at, value }) => value.map((order) => rowAt(order, at)));
  return { orders: orders.toSorted(newestFirst).slice(0, query.limit), missing };
}

function rowAt(order: Order, { account, broker, label }: AccountName): OrderRow {
  return { ...order, account, broker, label };
}

function newestFirst(a: Order, b: Order): number {
  return Date.parse(b.submitted_at) - Date.parse(a.submitted_at);
}

/** @param id the broker's, or its beginning @throws {TradeAgentError} as `placeOfOrder` */
export async function showOrder(app: OrderApp, id: string): Promise<OrderRow> {
  const { gateway, id: whole, at } = await placeOfOrder(app, id);
  const order = await gateway.order(whole);
  return at === undefined ? order : rowAt(order, at);
}

/**
 * Cancels an order; one that protects a position only after its owner said yes.
 * @param id the broker's, or its beginning
 * @param ask puts the question to the owner
 * @returns the order as it is then (what has filled stays), and how it was asked for
 * @throws {TradeAgentError} as `placeOfOrder`, `gateway_refused`, and what `ask` throws
 */
export async function cancelOrder(
  app: OrderApp,
  id: string,
  ask: (request: ProposalRequestInput) => Promise<OrderOutcome>,
): Promise<OrderOutcome> {
  const place = await placeOfOrder(app, id);
  const { gateway, id: whole } = place;
  let outcome: OrderOutcome = { status: 'done', key: null, approval: null, order: null };
  try {
    await gateway.cancelOrder(whole);
  } catch (error) {
    if (!isTradeAgentError(error) || error.details.problem !== 'approval_required') throw error;
    outcome = await ask(cancelProposal(place));
  }
  return outcome.status === 'done' ? { ...outcome, order: await gateway.order(whole) } : outcome;
}

function cancelProposal({ id, at }: OrderPlace): ProposalRequestInput {
  return {
    kind: 'cancel',
    cancel: { ...accountOf(at), order_id: id },
    requested_by: 'order cancel',
    provenance: { fields: { ...accountFrom(at), order_id: { source: 'user' } } },
  };
}
