import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { symbolSchema } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Broker } from '../broker/broker.ts';
import type { Caller } from '../caller.ts';
import type { Door } from '../door.ts';
import { jsonBody } from '../json-body.ts';
import type { OrderDesk } from '../place-order.ts';
import { limitParameter, parseQuery } from '../query.ts';
import { isSameOrder } from '../same-order.ts';

const ordersQuery = z.strictObject({
  status: z.enum(['open', 'closed', 'all']).default('open'),
  limit: limitParameter(500, 50),
  symbols: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(symbolSchema).max(50))
    .optional(),
});

const clientOrderIdQuery = z.strictObject({
  client_order_id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
});

/** Orders: reading needs `orders:read`, cancelling `orders:cancel`, placing `orders:write` and an approval. */
export function orderRoutes(
  app: Hono,
  door: Door,
  brokerFor: (caller: Caller) => Promise<Broker>,
  desk: OrderDesk,
): void {
  app.post(
    '/v1/orders',
    door.guard(['orders:write'], async (c, caller) => {
      const { order, replay } = await desk.place(caller, await jsonBody(c));
      if (replay) c.header('idempotent-replay', 'true');
      return c.json(order, replay ? 200 : 201);
    }),
  );
  app.get(
    '/v1/orders',
    door.guard(['orders:read'], async (c, caller) => {
      const { status, limit, symbols } = parseQuery(ordersQuery, c.req.url);
      return c.json({
        orders: await (await brokerFor(caller)).orders({ status, limit, symbols: symbols ?? [] }),
      });
    }),
  );
  // A custom method in Google's style; the router needs the whole segment as one pattern.
  app.get(
    '/v1/:method{orders:by_client_order_id}',
    door.guard(['orders:read'], async (c, caller) => {
      const { client_order_id } = parseQuery(clientOrderIdQuery, c.req.url);
      // First, so that an open outcome is settled by asking, and stays "unknown" rather than "not found" until it is.
      const entry = await desk.settle(caller, client_order_id);
      const order = await (await brokerFor(caller)).orderByClientOrderId(client_order_id);
      // Where the broker holds another order under this id, that one is no result of the approval.
      if (order !== undefined && (entry?.problem === undefined || isSameOrder(order, entry.draft))) {
        return c.json(order);
      }
      if (entry?.order !== undefined) return c.json(entry.order);
      throw notFound(
        entry?.problem === undefined
          ? {}
          : { outcome: { code: entry.problem.code, detail: entry.problem.detail } },
      );
    }),
  );
  app.get(
    '/v1/orders/:id',
    door.guard(['orders:read'], async (c, caller) => {
      const order = await (await brokerFor(caller)).order(orderId(c));
      if (order === undefined) throw notFound();
      return c.json(order);
    }),
  );
  app.delete(
    '/v1/orders/:id',
    door.guard(['orders:cancel'], async (c, caller) => {
      switch (await (await brokerFor(caller)).cancel(orderId(c))) {
        case 'requested':
          return c.body(null, 204);
        case 'not_found':
          throw notFound();
        case 'not_cancelable':
          throw new Refusal(409, 'not_cancelable', 'the order can no longer be cancelled', {
            hint: 'Look at its status: it has been filled, cancelled or has expired.',
          });
      }
    }),
  );
}

/** An id that no broker would give can't be anybody's order, and isn't passed on. */
function orderId(c: Context): string {
  const id = c.req.param('id') ?? '';
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) throw notFound();
  return id;
}

function notFound(members?: Record<string, unknown>): Refusal {
  return new Refusal(
    404,
    'not_found',
    'there is no such order in this account',
    members === undefined ? {} : { members },
  );
}
