import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { HttpProblem } from '../../trading/http-problem.ts';
import { symbolSchema } from '../../trading/order.ts';
import { withApprovedType } from '../../trading/order-words.ts';
import { protectsPosition } from '../../trading/protects.ts';
import type { Order } from '../../trading/views.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import { type ApprovedTypeReader, withApprovedTypes } from '../orders/approved-types.ts';
import { notCancelableProblem, orderNotFoundProblem } from '../orders/cancel-order.ts';
import type { OrderService } from '../orders/place-order.ts';
import { matchesIntent } from '../orders/replacement.ts';
import { ownerAndAccountParameters, type ResolveOwner, readAccountQuery } from './for-owner.ts';
import { createGuardedRoutes, limitParameterSchema, parseQuery, readJsonBody } from './request.ts';

const ordersQuery = z.strictObject({
  ...ownerAndAccountParameters,
  status: z.enum(['open', 'closed', 'all']).default('open'),
  limit: limitParameterSchema(500, 50),
  symbols: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(symbolSchema).max(50))
    .optional(),
  until: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional(),
});

const clientOrderIdQuery = z.strictObject({
  ...ownerAndAccountParameters,
  client_order_id: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
});

/** Adds the routes for orders. Canceling an order that protects a position needs a proposal. */
export function addOrderRoutes(
  app: Hono,
  authenticator: Authenticator,
  brokerFor: OpenAccountFor,
  orderService: OrderService,
  resolveOwner: ResolveOwner,
  journal: ApprovedTypeReader,
): void {
  const at = createGuardedRoutes(app, authenticator);
  at.post('/v1/orders', ['orders:write'], async (c, caller) => {
    const { order, replay } = await orderService.place(caller, await readJsonBody(c));
    if (replay) c.header('idempotent-replay', 'true');
    return c.json(order, replay ? 200 : 201);
  });
  at.get('/v1/orders', ['orders:read'], async (c, caller) => {
    const { for: owner, account, symbols = [], ...query } = parseQuery(ordersQuery, c.req.url);
    const who = await resolveOwner(caller, owner, 'can_view');
    const orders = await (await brokerFor(who, account)).orders({ ...query, symbols });
    return c.json({ orders: await withApprovedTypes(journal, who.sub, orders) });
  });
  // A custom method in Google's style. The router needs the whole path segment as one pattern.
  at.get('/v1/:method{orders:by_client_order_id}', ['orders:read'], async (c, caller) => {
    const { client_order_id, for: owner, account } = parseQuery(clientOrderIdQuery, c.req.url);
    const who = await resolveOwner(caller, owner, 'can_view');
    // Settles the order first, because the answer must not be "not found" as long as the outcome is open.
    const entry = await orderService.settle(who, client_order_id);
    const at = entry?.draft.account ?? account;
    const order = await (await brokerFor(who, at)).orderByClientOrderId(client_order_id);
    // After a rejection, an order with this id may be another program's, so it must match the approved order.
    if (order !== undefined && (entry?.problem === undefined || matchesIntent(order, entry))) {
      return c.json(withApprovedType(order, entry?.draft.type));
    }
    if (entry?.order !== undefined) return c.json(withApprovedType(entry.order, entry.draft.type));
    throw orderNotFoundProblem(
      entry?.problem === undefined ? {} : { outcome: { code: entry.problem.code, detail: entry.problem.detail } },
    );
  });
  at.get('/v1/orders/:id', ['orders:read'], async (c, caller) => {
    const { for: owner, account } = readAccountQuery(c.req.url);
    const who = await resolveOwner(caller, owner, 'can_view');
    const order = await (await brokerFor(who, account)).order(orderId(c));
    if (order === undefined) throw orderNotFoundProblem();
    return c.json((await withApprovedTypes(journal, who.sub, [order]))[0]);
  });
  at.delete('/v1/orders/:id', ['orders:cancel'], async (c, caller) => {
    const id = orderId(c);
    const { for: owner, account } = readAccountQuery(c.req.url);
    const broker = await brokerFor(await resolveOwner(caller, owner, 'can_cancel'), account);
    // The order may protect a position. If the order or the positions can't be read, nothing is canceled.
    const order = await broker.order(id);
    if (order === undefined) throw orderNotFoundProblem();
    if (protectsPosition(order, await broker.positions())) throw approvalRequired(order);
    switch (await broker.cancel(id)) {
      case 'requested':
        return c.body(null, 204);
      case 'not_found':
        throw orderNotFoundProblem();
      case 'not_cancelable':
        throw notCancelableProblem();
    }
  });
}

function approvalRequired({ symbol }: Order): HttpProblem {
  return new HttpProblem(
    409,
    'approval_required',
    `the order protects the position in ${symbol}, so canceling it could increase a loss`,
    {
      hint: 'Propose to cancel it: POST /v1/proposals with kind cancel.',
      members: { kind: 'cancel' },
    },
  );
}

/** Returns the order id from the path. Rejects an id that no broker would use, so that it is not sent to the broker. */
function orderId(c: Context): string {
  const id = c.req.param('id') ?? '';
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) throw orderNotFoundProblem();
  return id;
}
