import type { Hono } from 'hono';
import { addAlertSchema, scheduleAlertChecksSchema } from '../../agent/remote/protocol.ts';
import type { Authenticator } from '../../gateway/auth/authenticator.ts';
import type { Caller } from '../../gateway/auth/caller.ts';
import { personAlerts } from '../person-alerts.ts';
import type { ServerDeps } from '../server-deps.ts';
import { withHttpProblems } from './agent-problem.ts';
import { createReadRoutes, parseJsonBody } from './caller-requests.ts';

/** Adds the routes for a person's alerts. Adding the first alert requires offline access, as with schedules. */
export function addAlertRoutes(app: Hono, authenticator: Authenticator, deps: ServerDeps): void {
  const routes = createReadRoutes(app, authenticator);
  const alertsOf = (caller: Caller) =>
    personAlerts(deps, caller.sub, {
      scopes: [...caller.scopes],
      allowOffline: () => deps.sessions.grantOffline(caller, caller.accessToken),
    });
  routes.get('/v1/agent/alerts', async (c, caller) => c.json(await withHttpProblems(() => alertsOf(caller).list())));
  routes.post('/v1/agent/alerts', async (c, caller) => {
    const { alert } = await parseJsonBody(c, addAlertSchema);
    const { isNew, ...added } = await withHttpProblems(() => alertsOf(caller).add(alert));
    return c.json({ ...added, is_new: isNew });
  });
  routes.post('/v1/agent/alerts/look', async (c, caller) => {
    const { every } = await parseJsonBody(c, scheduleAlertChecksSchema);
    const { isNew, ...look } = await withHttpProblems(() => alertsOf(caller).scheduleChecks(every));
    return c.json({ ...look, is_new: isNew });
  });
  routes.delete('/v1/agent/alerts/:alert', async (c, caller) =>
    c.json(await withHttpProblems(() => alertsOf(caller).remove(c.req.param('alert') ?? ''))),
  );
}
