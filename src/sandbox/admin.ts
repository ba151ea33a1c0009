import { Hono } from 'hono';
import { type FaultName, type Faults, faults as knownFaults } from '../home/faults.ts';
import { sameSecret } from '../secrets/constant-time.ts';

/**
 * Switches faults on and off while the sandbox runs: `POST /admin/faults {"name", "times"?}`, `DELETE /admin/faults`,
 * and tells what was sent by Slack and Gmail: `GET /admin/messages`. With the sandbox's admin secret as Bearer.
 */
export function createAdmin(options: {
  secret: string;
  faults: Faults;
  /** What the stand-ins for Slack and Gmail have sent. */
  sent: () => readonly object[];
}): Hono {
  const app = new Hono();
  app.use('*', async (context, next) => {
    const given = context.req.header('authorization') ?? '';
    if (!sameSecret(given, `Bearer ${options.secret}`)) return context.json({ error: 'unauthorized' }, 401);
    return next();
  });
  app.post('/admin/faults', async (context) => {
    const body: { name?: unknown; times?: unknown } = await context.req.json();
    const { name, times = 1 } = body;
    if (
      typeof name !== 'string' ||
      !(name in knownFaults) ||
      !Number.isInteger(times) ||
      (times as number) < 1
    ) {
      return context.json({ error: 'invalid_request', faults: Object.keys(knownFaults) }, 400);
    }
    options.faults.set(name as FaultName, times as number);
    return context.json({ name, times });
  });
  app.get('/admin/messages', (context) => context.json({ messages: options.sent() }));
  app.delete('/admin/faults', (context) => {
    options.faults.clear();
    return context.body(null, 204);
  });
  return app;
}
