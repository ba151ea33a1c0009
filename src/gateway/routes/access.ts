import type { Hono } from 'hono';
import { accessManagedElsewhereProblem } from '../../approval/kinds/access/kind.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import type { AccessGrant, AccessStore } from '../../store/access-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { createGuardedRoutes, requireNoQuery } from './request.ts';

/** Adds the routes for listing and revoking access. Unlike granting access, neither needs a proposal. */
export function addAccessRoutes(
  app: Hono,
  authenticator: Authenticator,
  { store, now }: { readonly store: AccessStore | undefined; readonly now: () => number },
): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/access', ['orders:read'], async (c, { sub }) => {
    requireNoQuery(c.req.url);
    if (store === undefined) return c.json({ account: sub, kept: 'elsewhere', granted: [], given: [] });
    const [granted, given] = await Promise.all([store.listByAccount(sub), store.listByPerson(sub)]);
    const views = (grants: readonly AccessGrant[]) => grants.map((grant) => accessView(grant, now()));
    return c.json({ account: sub, kept: 'here', granted: views(granted), given: views(given) });
  });
  at.delete('/v1/access/:id', ['orders:cancel'], async (c, { sub }) => {
    if (store === undefined) throw accessManagedElsewhereProblem();
    const id = c.req.param('id') ?? '';
    const given = (await store.listByPerson(sub)).find((grant) => grant.id === id);
    if (await store.revoke(given?.account ?? sub, id, now())) return c.body(null, 204);
    throw new HttpProblem(404, 'not_found', 'you have no such access grant', {
      hint: 'List grants with "trade-agent access list".',
    });
  });
}

function accessView({ id, account, role, who, of, from, until, grantedAt }: AccessGrant, now: number) {
  return {
    id,
    account,
    role,
    who,
    ...(of === null ? {} : { of }),
    from: formatUtcSeconds(from),
    ...(until === null ? {} : { until: formatUtcSeconds(until) }),
    granted_at: formatUtcSeconds(grantedAt),
    in_force: from <= now && (until === null || now < until),
  };
}
