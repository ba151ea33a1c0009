import type { Hono } from 'hono';
import type { Authenticator } from '../auth/authenticator.ts';
import type { MandateService } from '../mandates/mandate-service.ts';
import { createGuardedRoutes, requireNoQuery } from './request.ts';

/** Adds the routes for mandates. Ending a mandate needs only `orders:cancel`; all other changes are proposals. */
export function addMandateRoutes(app: Hono, authenticator: Authenticator, mandates: MandateService): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/mandates', ['orders:read'], async (c, { sub }) => {
    requireNoQuery(c.req.url);
    return c.json({ mandates: await mandates.list(sub) });
  });
  at.get('/v1/mandates/:id', ['orders:read'], async (c, { sub }) =>
    c.json(await mandates.find(sub, c.req.param('id') ?? '')),
  );
  at.delete('/v1/mandates/:id', ['orders:cancel'], async (c, { sub, clientId = '' }) =>
    c.json(await mandates.end(sub, c.req.param('id') ?? '', 'revoked', clientId)),
  );
  at.put('/v1/mandates/:id/suspension', ['orders:cancel'], async (c, { sub, clientId = '' }) =>
    c.json(await mandates.end(sub, c.req.param('id') ?? '', 'suspended', clientId)),
  );
}
