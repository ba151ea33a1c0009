import { z } from 'zod';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { symbolSchema } from '../trading/order.ts';
import type { Proposal } from '../trading/proposal.ts';
import type { Order } from '../trading/views.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { decodeCursor, encodeCursor, ordersAfter, readOrders } from './order-pages.ts';
import { pageArgument } from './pages.ts';
import { defineTool, requireGateway } from './tool.ts';

/** Matches IDs that brokers generate. Such an ID can't contain instructions to the model. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Maximum number of orders to read, 500 per request to the broker. If there are more, the total is a lower bound. */
const MAX_READ = 2_000;

/**
 * Maximum number of proposals to search for the IDs of trade-agent's own orders. Orders from older proposals are
 * treated as another app's orders.
 */
const MAX_PROPOSALS = 500;

export const listOrders = defineTool({
  name: 'list_orders',
  title: 'List your orders',
  description: 'Lists the account’s orders, newest first, with id, state and fills.',
  schema: z.lazy(() =>
    z.strictObject({
      status: z.enum(['open', 'closed', 'all']).default('open'),
      symbol: symbolSchema.optional(),
      since: z
        .string()
        .max(40)
        .refine(
          (text) => z.iso.date().safeParse(text).success || z.iso.datetime({ offset: true }).safeParse(text).success,
          'must be a day (YYYY-MM-DD) or an RFC 3339 time',
        )
        .optional()
        .describe('Submitted at or after: a day in New York (YYYY-MM-DD) or an RFC 3339 time'),
      limit: z.number().int().min(1).max(500).default(50),
      cursor: pageArgument,
    }),
  ),
  scopes: ['orders:read'],
  risk: 'read',
  async execute(context, { status, symbol, since, limit, cursor }) {
    const gateway = requireGateway(context);
    const filter = { status, symbol, since: since === undefined ? undefined : toInstant(since) };
    const place = cursor === undefined ? undefined : decodeCursor(cursor);
    const found = await readOrders(gateway, filter, { until: place?.at, most: MAX_READ });
    const rest = place === undefined ? found.orders : ordersAfter(found.orders, place);
    const orders = rest.slice(0, limit);
    const { total, isAll } = place ?? { total: found.orders.length, isAll: found.isAll };
    const last = orders.at(-1);
    const isMore = rest.length > orders.length || !found.isAll;
    const next_cursor =
      last === undefined || !isMore ? null : encodeCursor({ at: last.submitted_at, id: last.id, total, isAll });
    const foreign = await hasForeignOrders(gateway, orders);
    return {
      summary: describeCount(orders.length, { total, isAll }, { status, symbol, since }),
      content: JSON.stringify({
        state: status,
        total,
        ...(isAll ? {} : { total_is_minimum: true }),
        orders,
        next_cursor,
      }),
      ...(foreign ? { outside: 'orders from another app' } : {}),
    };
  },
});

/** Returns an instant in epoch milliseconds. A date without a time means the start of that day in New York. */
function toInstant(since: string): number {
  return since.includes('T') ? Date.parse(since) : newYorkInstant(since, '00:00');
}

function describeCount(
  shown: number,
  { total, isAll }: { readonly total: number; readonly isAll: boolean },
  {
    status,
    symbol,
    since,
  }: { readonly status: string; readonly symbol: string | undefined; readonly since: string | undefined },
): string {
  const count = isAll && shown === total ? `${total}` : `${shown} of ${isAll ? '' : 'at least '}${total}`;
  const kind = status === 'all' ? '' : `${status} `;
  const of = symbol === undefined ? '' : ` of ${symbol}`;
  return `${count} ${kind}${total === 1 ? 'order' : 'orders'}${of}${since === undefined ? '' : ` since ${since}`}`;
}

/** Returns whether any order has an ID that another app chose, which may contain instructions to the model. */
export async function hasForeignOrders(gateway: GatewayClient, orders: readonly Order[]): Promise<boolean> {
  const named = orders.map(({ client_order_id }) => client_order_id).filter((id) => !uuid.test(id));
  if (named.length === 0) return false;
  const proposals = await gateway.proposals({ state: 'all', limit: MAX_PROPOSALS });
  const own = new Set(proposals.flatMap(proposalOrderIds));
  return named.some((id) => !own.has(id));
}

function proposalOrderIds({ kind, subject }: Proposal): string[] {
  switch (kind) {
    case 'order':
      return [subject.client_order_id];
    case 'replace':
      return [subject.draft.client_order_id];
    case 'batch':
      return subject.orders.map(({ client_order_id }) => client_order_id);
    default:
      return [];
  }
}
