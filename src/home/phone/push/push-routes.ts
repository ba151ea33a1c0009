import { Hono } from 'hono';
import { parseJson } from '../../../values/parse-json.ts';
import type { BrowserContext, BrowserEnv } from '../page/browser-env.ts';
import { renderPasskeyRequiredPage } from '../page/page.ts';
import type { ApprovalNotifier } from './approval-notifier.ts';
import { type PushSubscriptions, pushSubscriptionSchema } from './push-subscriptions.ts';

const subscriptionProblems = {
  invalid: { status: 400, error: 'invalid_subscription' },
  taken: { status: 409, error: 'taken' },
  too_many: { status: 409, error: 'too_many' },
} as const;

export function createPushRoutes(services: {
  readonly subscriptions: PushSubscriptions;
  readonly approvalNotifier: Pick<ApprovalNotifier, 'seen'>;
}): Hono<BrowserEnv> {
  const { subscriptions, approvalNotifier } = services;
  const app = new Hono<BrowserEnv>();

  app.post('/phone/push/subscriptions', async (context) => {
    const { user, session } = context.var;
    if (user === undefined || session === undefined) return signedOut(context);
    // A subscription outlasts the session, so a read-only session (by link or recovery code) can't create one.
    if (session.credentialId === undefined) return renderPasskeyRequiredPage(context);
    const parsed = pushSubscriptionSchema.safeParse(parseJson((await context.req.parseBody()).subscription));
    if (!parsed.success) return context.json({ error: 'invalid_subscription' }, 400);
    const owner = {
      user: user.username,
      session: session.id,
      credential: session.credentialId,
      name: session.browser,
    };
    const added = await subscriptions.add(owner, parsed.data);
    if (added === 'kept') return context.json({ name: owner.name }, 201);
    const { status, error } = subscriptionProblems[added];
    return context.json({ error }, status);
  });

  app.post('/phone/push/subscriptions/remove', async (context) => {
    const { user } = context.var;
    if (user === undefined) return signedOut(context);
    const { endpoint } = await context.req.parseBody();
    if (typeof endpoint !== 'string' || !(await subscriptions.remove(endpoint, user.username)))
      return context.json({ error: 'not_found' }, 404);
    return context.body(null, 204);
  });

  app.post('/phone/requests/:id/seen', async (context) => {
    const { user } = context.var;
    if (user === undefined) return signedOut(context);
    return (await approvalNotifier.seen(context.req.param('id'), user.username))
      ? context.body(null, 204)
      : context.json({ error: 'not_found' }, 404);
  });

  return app;
}

function signedOut(context: BrowserContext): Response {
  return context.json({ error: 'signed_out' }, 401);
}
