import type { Hono } from 'hono';
import type { Door } from '../door/door.ts';
import type { MandateDesk } from '../mandates/mandate-desk.ts';
import { requireNoQuery } from './query.ts';

/** One's own mandates. Ending one needs `orders:cancel`, since it only tightens; anything else is a proposal. */
export function mandateRoutes(app: Hono, door: Door, desk: MandateDesk): void {
  app.get(
    '/v1/mandates',
    door.guard(['orders:read'], async (c, { sub }) => {
      requireNoQuery(c.req.url);
      return c.json({ mandates: await desk.list(sub) });
    }),
  );
  app.get(
    '/v1/mandates/:id',
    door.guard(['orders:read'], async (c, { sub }) => c.json(await desk.find(sub, c.req.param('id') ?? ''))),
  );
  app.delete(
    '/v1/mandates/:id',
    door.guard(['orders:cancel'], async (c, { sub, clientId = '' }) =>
      c.json(await desk.end(sub, c.req.param('id') ?? '', 'revoked', clientId)),
    ),
  );
  app.put(
    '/v1/mandates/:id/suspension',
    door.guard(['orders:cancel'], async (c, { sub, clientId = '' }) =>
      c.json(await desk.end(sub, c.req.param('id') ?? '', 'suspended', clientId)),
    ),
  );
}
