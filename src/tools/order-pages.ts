import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { Order } from '../trading/views.ts';
import { defined } from '../values/defined.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';

const PAGE_SIZE = 500;
/** Minimum number of orders on every page but the last. A bracket is three rows at the broker, but one order here. */
const MIN_FULL_PAGE = Math.floor(PAGE_SIZE / 3);

interface OrderFilter {
  readonly status: 'open' | 'closed' | 'all';
  readonly symbol?: string | undefined;
  /** Epoch milliseconds. */
  readonly since?: number | undefined;
}

interface FoundOrders {
  readonly orders: Order[];
  readonly isAll: boolean;
}

/**
 * Reads orders page by page.
 * @param until only orders submitted at or before this instant
 * @param most maximum number of orders
 */
export async function readOrders(
  gateway: Pick<GatewayClient, 'orders'>,
  { status, symbol, since = Number.NEGATIVE_INFINITY }: OrderFilter,
  { until, most }: { readonly until?: string | undefined; readonly most: number },
): Promise<FoundOrders> {
  const found = new Map<string, Order>();
  let before = until;
  for (;;) {
    const page = await gateway.orders({
      status,
      limit: PAGE_SIZE,
      ...(symbol === undefined ? {} : { symbols: [symbol] }),
      ...defined({ until: before }),
    });
    const known = found.size;
    for (const order of page) found.set(order.id, order);
    const oldest = page.reduce(
      (earliest: Order | undefined, order) =>
        earliest === undefined || submittedAt(order) < submittedAt(earliest) ? order : earliest,
      undefined,
    );
    const isLast = page.length < MIN_FULL_PAGE || oldest === undefined || submittedAt(oldest) < since;
    // A full page of orders from one instant has no next page.
    if (isLast || found.size >= most || found.size === known) {
      const orders = [...found.values()].filter((order) => submittedAt(order) >= since);
      return { orders: orders.slice(0, most), isAll: isLast && orders.length <= most };
    }
    before = oldest.submitted_at;
  }
}

const MAX_OPEN = 5_000;

export async function readOpenOrders(gateway: Pick<GatewayClient, 'orders'>, symbol?: string): Promise<Order[]> {
  return (await readOrders(gateway, { status: 'open', symbol }, { most: MAX_OPEN })).orders;
}

interface CursorPosition {
  readonly at: string;
  readonly id: string;
  readonly total: number;
  readonly isAll: boolean;
}

const placeSchema = z.tuple([
  z.iso.datetime({ offset: true }),
  z.string().max(64),
  z.number().int().min(0),
  z.boolean(),
]);

export function encodeCursor({ at, id, total, isAll }: CursorPosition): string {
  return Buffer.from(JSON.stringify([at, id, total, isAll])).toString('base64url');
}

export function decodeCursor(cursor: string): CursorPosition {
  try {
    const [at, id, total, isAll] = placeSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { at, id, total, isAll };
  } catch {
    throw new TradeAgentError('usage', 'the cursor was not returned by list_orders', {
      hint: 'Leave it out to start with the newest order.',
    });
  }
}

/** Returns the orders after a cursor. If the cursor's order is gone, orders from the same instant may repeat. */
export function ordersAfter(orders: readonly Order[], { at: from, id }: CursorPosition): readonly Order[] {
  const index = orders.findIndex((order) => order.id === id);
  if (index !== -1) return orders.slice(index + 1);
  return orders.filter((order) => submittedAt(order) <= Date.parse(from));
}

function submittedAt({ submitted_at }: Order): number {
  return Date.parse(submitted_at);
}
