import type { Hono } from 'hono';
import { z } from 'zod';
import type { StoredDecision } from '../../store/decision-store.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import type { Broker } from '../broker/broker.ts';
import type { Caller } from '../door/caller.ts';
import type { Door } from '../door/door.ts';
import type { RulesSource } from '../policy/rules.ts';
import { haltView } from './proposals.ts';
import { limitParameter, parseQuery } from './query.ts';

const decisionsQuery = z.strictObject({
  effect: z.enum(['allow', 'deny']).optional(),
  limit: limitParameter(500, 50),
});

export interface PolicyRouteOptions {
  readonly rules: RulesSource;
  readonly stores: Pick<GatewayStores, 'orders' | 'halts' | 'decisions'>;
  readonly brokerFor: (caller: Caller) => Promise<Broker>;
  readonly now: () => number;
}

/** What one's orders are held to, and what was decided by it: `orders:read`; one's own. */
export function policyRoutes(app: Hono, door: Door, options: PolicyRouteOptions): void {
  const { rules: source, stores, brokerFor, now } = options;
  app.get(
    '/v1/decisions',
    door.guard(['orders:read'], async (c, { sub }) => {
      const query = parseQuery(decisionsQuery, c.req.url);
      return c.json({ decisions: (await stores.decisions.list(sub, query)).map(decisionView) });
    }),
  );
  app.get(
    '/v1/policy',
    door.guard(['orders:read'], async (c, caller) => {
      const { account } = await (await brokerFor(caller)).account();
      const rules = await source.current();
      const { state: _, ...today } = await stores.orders.usage(caller.sub, account, now());
      const {
        halted: __,
        halted_at: ___,
        ...trading
      } = haltView(await stores.halts.standing(caller.sub, now()));
      return c.json({
        account,
        digest: rules.digest,
        limits: rules.limitsOf(account) ?? {},
        ...(rules.problem === undefined ? {} : { problem: rules.problem }),
        trading,
        today,
      });
    }),
  );
}

/** A decision as its person sees it. */
function decisionView({ sub: _, subjectId, at, ...decision }: StoredDecision) {
  return { ...decision, at: new Date(at).toISOString(), client_order_id: subjectId };
}
