import type { Hono } from 'hono';
import { addAlertSchema, lookAtAlertsSchema } from '../../agent/remote/protocol.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import type { Door } from '../../gateway/door/door.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { personAlerts } from '../person-alerts.ts';
import type { ServerParts } from '../server-parts.ts';
import { orRefusal } from './agent-refusal.ts';
import { bodyOf } from './person-requests.ts';

const [MARKET_READ] = READ_SCOPES;

/** A person's alerts. The first of them has the provider grant the server to look while they are away, as a schedule has. */
export function alertRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const alertsOf = (caller: Caller) =>
    personAlerts(parts, caller.sub, {
      scopes: [...caller.scopes],
      allowOffline: () => parts.sessions.grantOffline(caller, caller.accessToken),
    });
  app.get(
    '/v1/agent/alerts',
    door.guard([MARKET_READ], async (c, caller) => c.json(await orRefusal(() => alertsOf(caller).list()))),
  );
  app.post(
    '/v1/agent/alerts',
    door.guard([MARKET_READ], async (c, caller) => {
      const { alert } = await bodyOf(c, addAlertSchema);
      const { isNew, ...added } = await orRefusal(() => alertsOf(caller).add(alert));
      return c.json({ ...added, is_new: isNew });
    }),
  );
  app.post(
    '/v1/agent/alerts/look',
    door.guard([MARKET_READ], async (c, caller) => {
      const { every } = await bodyOf(c, lookAtAlertsSchema);
      const { isNew, ...look } = await orRefusal(() => alertsOf(caller).look(every));
      return c.json({ ...look, is_new: isNew });
    }),
  );
  app.delete(
    '/v1/agent/alerts/:alert',
    door.guard([MARKET_READ], async (c, caller) =>
      c.json(await orRefusal(() => alertsOf(caller).remove(c.req.param('alert') ?? ''))),
    ),
  );
}
