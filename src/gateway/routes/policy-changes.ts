import type { Hono } from 'hono';
import { z } from 'zod';
import { order } from '../../trading/kinds/order.ts';
import { policyChange } from '../../trading/kinds/policy-change.ts';
import { Refusal } from '../../trading/refusal.ts';
import { issueFields } from '../door/approved-details.ts';
import type { Door } from '../door/door.ts';
import type { OrderCheck } from '../orders/order-check.ts';
import type { PolicyDesk } from '../policy/change/policy-desk.ts';
import { jsonBody } from './json-body.ts';
import { proposerOf } from './proposals.ts';

const checkSchema = z.lazy(() => z.strictObject({ order: order.requestSchema }));

/**
 * The owner's rules: trying an order out needs what reading it does, making them tighter what halting does. What is looser
 * is proposed.
 */
export function policyChangeRoutes(
  app: Hono,
  door: Door,
  { desk, check }: { readonly desk: PolicyDesk; readonly check: OrderCheck },
): void {
  app.post(
    '/v1/policy/check',
    door.guard(['orders:read', 'portfolio:read'], async (c, caller) => {
      const request = parsed(checkSchema, await jsonBody(c), 'invalid_order');
      return c.json(await check(proposerOf(caller), request.order));
    }),
  );
  app.put(
    '/v1/policy',
    door.guard(['orders:cancel'], async (c, caller) => {
      const request = parsed(policyChange.requestSchema, await jsonBody(c), 'invalid_policy');
      return c.json(await desk.tighten(proposerOf(caller), request));
    }),
  );
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
