import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type Provider from 'oidc-provider';
import { z } from 'zod';
import { safeLine } from '../../text/sanitize.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { authenticateClient } from './protocol/client-assertion.ts';
import { OUTCOME_PATH } from './protocol/protocol.ts';
import { requireReadableForm } from './protocol/readable-form.ts';
import { limitUnauthorizedRequests, type RequestLimits } from './protocol/request-limits.ts';

const clientSchema = z.object({
  client_id: z.string().optional(),
  client_assertion: z.string().optional(),
  client_assertion_type: z.string().optional(),
});

const outcomeSchema = z.object({
  auth_req_id: z.string().min(1).max(256),
  state: z.enum(['executing', 'executed', 'cancelled', 'expired', 'blocked', 'unknown']),
  text: z
    .string()
    .max(200)
    .default('')
    .transform((text) => safeLine(text)),
});

/**
 * Creates the endpoint where a CIBA client reports the outcome of its own request: form-encoded `auth_req_id`, `state`
 * and `text`, with the same client authentication as at the token endpoint. Responds with 204 after storing the
 * outcome, 409 `already_decided` if the client withdraws a request after the person's decision, and 409 `not_decided`
 * if the client reports an outcome before any decision.
 */
export function createOutcomeEndpoint(options: {
  provider: () => Promise<Provider>;
  limits: RequestLimits;
  requests: ApprovalRequests;
  /** Notifies the provider of a withdrawn request, so that the client's poll ends. */
  deliver: (id: string) => Promise<void>;
  now: () => number;
}): Hono<{ Bindings: HttpBindings }> {
  const { provider, requests } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(limitUnauthorizedRequests(options.limits));
  app.use(bodyLimit({ maxSize: 16 * 1024, onError: (context) => context.json({ error: 'too_large' }, 413) }));
  app.use(requireReadableForm);

  app.post(OUTCOME_PATH, async (context) => {
    context.header('cache-control', 'no-store');
    const form = await context.req.parseBody();
    const claimed = clientSchema.safeParse(form);
    const client = claimed.success
      ? await authenticateClient(claimed.data, { provider: await provider(), now: options.now() })
      : undefined;
    if (client === undefined) return context.json({ error: 'invalid_client' }, 401);
    const told = outcomeSchema.safeParse(form);
    if (!told.success) {
      const fields = told.error.issues.map(({ path }) => path.join('.')).join(', ');
      return context.json({ error: 'invalid_request', error_description: `invalid fields: ${fields}` }, 400);
    }
    const { auth_req_id: authReqId, state, text } = told.data;
    const result = await requests.tell(authReqId, client, { state, text });
    switch (result.outcome) {
      case 'not_found':
        return context.json({ error: 'not_found' }, 404);
      case 'already_decided':
      case 'not_decided':
        return context.json({ error: result.outcome }, 409);
      case 'told':
        await options.deliver(result.request.id);
        return context.body(null, 204);
    }
  });

  return app;
}
