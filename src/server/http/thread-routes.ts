import type { Hono } from 'hono';
import { z } from 'zod';
import { pruneThreadsSchema, reconcileSchema } from '../../agent/remote/protocol.ts';
import type { Door } from '../../gateway/door/door.ts';
import { parseQuery } from '../../gateway/routes/request.ts';
import { PROPOSE_ORDERS } from '../../oauth/scopes.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { ServerParts } from '../server-parts.ts';
import { asked, bodyOf, readingRoutes } from './person-requests.ts';

const threadsQuery = z.strictObject({
  as_kept: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

export function threadRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const routes = readingRoutes(app, door);
  routes.get('/v1/agent/threads', async (c, caller) => {
    const { as_kept: asKept } = parseQuery(threadsQuery, c.req.url);
    return c.json({ threads: await asked(parts, caller, (agent) => agent.threads({ asKept })) });
  });
  routes.post('/v1/agent/threads/prune', async (c, caller) => {
    const { older_than: olderThan, keep, dry_run: dryRun = false } = await bodyOf(c, pruneThreadsSchema);
    const deleted = await asked(parts, caller, (agent) => agent.pruneThreads({ olderThan, keep, dryRun }));
    return c.json({ deleted });
  });
  routes.get('/v1/agent/threads/:thread', async (c, caller) => {
    const id = c.req.param('thread') ?? '';
    return c.json({ thread: await asked(parts, caller, (agent) => agent.thread(id)) });
  });
  routes.delete('/v1/agent/threads/:thread', async (c, caller) => {
    const id = c.req.param('thread') ?? '';
    await asked(parts, caller, (agent) => agent.deleteThread(id));
    return c.body(null, 204);
  });
}

export function approvalRoutes(app: Hono, door: Door, parts: ServerParts): void {
  const routes = readingRoutes(app, door);
  routes.get('/v1/agent/approvals', async (c, caller) =>
    c.json({ approvals: await asked(parts, caller, (agent) => agent.approvals()) }),
  );
  routes.post('/v1/agent/approvals/reconcile', async (c, caller) => {
    const { id } = await bodyOf(c, reconcileSchema);
    return c.json({ approvals: await asked(parts, caller, (agent) => agent.reconcile(id)) });
  });
  routes.get('/v1/agent/approvals/:approval', async (c, caller) => {
    const id = c.req.param('approval') ?? '';
    const approval = await asked(parts, caller, (agent) => agent.approval(id));
    if (approval !== undefined) return c.json({ approval });
    throw new Refusal(404, 'not_found', `there is no approval ${id}`, {
      hint: 'List yours with "trade-agent approvals".',
    });
  });
  app.post(
    '/v1/agent/approvals/:approval/cancel',
    door.guard([PROPOSE_ORDERS], async (c, caller) => {
      const id = c.req.param('approval') ?? '';
      return c.json({ approval: await asked(parts, caller, (agent) => agent.cancelApproval(id)) });
    }),
  );
}
