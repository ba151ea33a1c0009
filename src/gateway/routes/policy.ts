import type { Hono } from 'hono';
import { z } from 'zod';
import type { DecisionStore, StoredDecision } from '../../store/decision-store.ts';
import { order } from '../../trading/kinds/order.ts';
import { policyChange } from '../../trading/kinds/policy-change.ts';
import type { PolicyView, RecordedDecision } from '../../trading/policy-views.ts';
import { Refusal } from '../../trading/refusal.ts';
import { issueFields } from '../door/approved-details.ts';
import type { Caller } from '../door/caller.ts';
import type { Door } from '../door/door.ts';
import type { OrderCheck } from '../orders/order-check.ts';
import type { PolicyDesk } from '../policy/change/policy-desk.ts';
import { jsonBody } from './json-body.ts';
import { proposerOf } from './proposals.ts';
import { limitParameter, parseQuery } from './query.ts';

const checkSchema = z.lazy(() => z.strictObject({ order: order.requestSchema }));

const decisionsQuery = z.strictObject({
  effect: z.enum(['allow', 'deny']).optional(),
  limit: limitParameter(500, 50),
});

export interface PolicyRouteOptions {
  readonly desk: PolicyDesk;
  readonly check: OrderCheck;
  readonly view: (caller: Caller) => Promise<PolicyView>;
  readonly decisions: Pick<DecisionStore, 'list'>;
}

/**
 * The owner's rules, and what was decided by them: looking, and trying an order out, need what reading it does; making them
 * tighter what halting does. What is looser is proposed.
 */
export function policyRoutes(app: Hono, door: Door, options: PolicyRouteOptions): void {
  const { desk, check, view, decisions } = options;
  app.get(
    '/v1/policy',
    door.guard(['orders:read'], async (c, caller) => c.json(await view(caller))),
  );
  app.put(
    '/v1/policy',
    door.guard(['orders:cancel'], async (c, caller) => {
      const request = parsed(policyChange.requestSchema, await jsonBody(c), 'invalid_policy');
      return c.json(await desk.tighten(proposerOf(caller), request));
    }),
  );
  app.post(
    '/v1/policy/check',
    door.guard(['orders:read', 'portfolio:read'], async (c, caller) => {
      const request = parsed(checkSchema, await jsonBody(c), 'invalid_order');
      return c.json(await check(proposerOf(caller), request.order));
    }),
  );
  app.get(
    '/v1/decisions',
    door.guard(['orders:read'], async (c, { sub }) => {
      const query = parseQuery(decisionsQuery, c.req.url);
      return c.json({ decisions: (await decisions.list(sub, query)).map(decisionView) });
    }),
  );
}

function decisionView(decision: StoredDecision): RecordedDecision {
  const { at, subjectId, sub, client, account, action, stage, effect, policy, facts } = decision;
  const { reasons, texts, limit, value } = decision;
  return {
    at: new Date(at).toISOString(),
    id: subjectId,
    ...{ sub, client, account, action, stage, effect },
    reasons: [...reasons],
    texts: [...texts],
    ...(limit === undefined ? {} : { limit }),
    ...(value === undefined ? {} : { value }),
    policy,
    facts: facts as RecordedDecision['facts'],
  };
}

function parsed<S extends z.ZodType>(
  schema: S,
  body: unknown,
  code: 'invalid_order' | 'invalid_policy',
): z.output<S> {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  const fields = issueFields(found.error.issues);
  const hint = found.error.issues[0]?.message;
  const status = code === 'invalid_order' ? 400 : 422;
  throw new Refusal(status, code, `it is malformed: ${fields.join(', ') || 'not an object'}`, {
    fields,
    ...(hint === undefined ? {} : { hint }),
  });
}
