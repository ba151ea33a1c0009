import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { isProposalDetails, proposalDetailsSchema } from '../../approval/details.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { ApprovalRequest } from '../identity-provider/approval-requests.ts';
import type { DeviceLookup } from '../identity-provider/device-codes.ts';
import { TERMINAL_PHONE_AUTHENTICATION } from '../identity-provider/protocol/protocol.ts';
import { limitUnauthorizedRequests } from '../identity-provider/protocol/request-limits.ts';
import { DEFAULT_GRANT_DAYS, type GrantConsent, type SignedGrants } from '../identity-provider/signed-grants.ts';
import { mustTypeCode } from './decision/approval-steps.ts';
import { formatPairingLink } from './pairing-pages.ts';
import type { PhoneRequest } from './phone-request.ts';
import { type PhoneServices, waitForRequestChange } from './phone-services.ts';

/** Maximum `wait` in seconds, below the timeouts of common HTTP clients. */
const MAX_WAIT_S = 25;

const decisionSchema = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  evidence: z.unknown().optional(),
  /** The code that the person typed, if the request's details say `code_entry: typed`. */
  code: z.string().max(64).optional(),
});
const deviceSchema = z.strictObject({
  user: z.string(),
  user_code: z.string().max(32),
  decision: z.enum(['approve', 'deny']).default('approve'),
  evidence: z.unknown().optional(),
});
const connectionSchema = z.strictObject({
  user: z.string(),
  ticket: z.string().max(128),
  decision: z.enum(['approve', 'deny']).default('approve'),
  evidence: z.unknown().optional(),
});
const registrationSchema = z.strictObject({ user: z.string(), grant: z.string(), evidence: z.unknown().optional() });
const userSchema = z.strictObject({ user: z.string() });

/**
 * The phone's API for programs. The pairing secret gives access as any user, so it must stay in the sandbox's own
 * folder.
 */
export function createPhoneApi(services: PhoneServices): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const known = async (username: string) => (await services.people.find(username)) !== undefined;

  app.use(limitUnauthorizedRequests(services.limits));
  app.use(bodyLimit({ maxSize: 16 * 1024, onError: (context) => context.json({ error: 'too_large' }, 413) }));
  app.use(async (context, next) => {
    context.header('cache-control', 'no-store');
    if (!isSameSecret(context.req.header('authorization') ?? '', `Bearer ${services.pairingSecret}`)) {
      context.header('www-authenticate', 'Bearer realm="phone"');
      return context.json({ error: 'unauthorized' }, 401);
    }
    return next();
  });

  app.route('/', requestRoutes(services, known));

  app.post('/device', async (context) => {
    const body = deviceSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ error: 'invalid_request' }, 400);
    if (!(await known(body.data.user))) return context.json({ error: 'unknown_user' }, 404);
    const { user, user_code: userCode, decision, evidence } = body.data;
    const consent = decision === 'approve' ? terminalConsent(evidence) : undefined;
    try {
      const lookup = await services.deviceCodes.decide(userCode, user, consent);
      return respondLookup(context, user, lookup);
    } catch (error) {
      return respondNotSigned(context, error);
    }
  });

  app.post('/device/details', async (context) => {
    const body = deviceSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ error: 'invalid_request' }, 400);
    const { user, user_code: userCode } = body.data;
    if (!(await known(user))) return context.json({ error: 'unknown_user' }, 404);
    const details = await services.deviceCodes.details(userCode, user, DEFAULT_GRANT_DAYS);
    if (!('status' in details)) return context.json(details);
    const [error, status] = lookupErrors[details.status];
    return context.json({ error }, status);
  });

  app.post('/connections', async (context) => {
    const body = connectionSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ error: 'invalid_request' }, 400);
    const { user, ticket, decision, evidence } = body.data;
    const password = Object.hasOwn(services.thirdPartyPasswords, user) ? services.thirdPartyPasswords[user] : undefined;
    if (password === undefined || !(await known(user))) return context.json({ error: 'unknown_user' }, 404);
    const { connections } = services;
    try {
      const request =
        decision === 'approve'
          ? await connections.allowAs(ticket, { username: user, password }, terminalConsent(evidence))
          : await connections.deny(ticket, user);
      if (request === undefined) return context.json({ error: 'unknown_ticket' }, 404);
      const { connection, label, scopes, status } = request;
      return context.json({ user, connection, label, scopes, status });
    } catch (error) {
      return respondNotSigned(context, error);
    }
  });

  app.post('/connections/details', async (context) => {
    const body = connectionSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ error: 'invalid_request' }, 400);
    const { user, ticket } = body.data;
    const details = await services.connections.details(ticket, user);
    return details === undefined ? context.json({ error: 'unknown_ticket' }, 404) : context.json(details);
  });

  const forPerson = (path: string, make: (user: string) => object | Promise<object>) =>
    app.post(path, async (context) => {
      const body = userSchema.safeParse(await context.req.json().catch(() => undefined));
      if (!body.success) return context.json({ error: 'invalid_request' }, 400);
      if (!(await known(body.data.user))) return context.json({ error: 'unknown_user' }, 404);
      return context.json(await make(body.data.user));
    });

  forPerson('/tickets', async (user) => ({
    url: `${services.issuer}/phone/link#${(await services.sessions.issueTicket(user)) ?? ''}`,
  }));
  forPerson('/pairings', async (user) => {
    const { secret } = await services.keys.pair(user);
    return { url: formatPairingLink(services.issuer, secret) };
  });
  const registration = ({ codeDetails }: SignedGrants, grant: string, sub: string) =>
    codeDetails('registration', grant, { sub, days: DEFAULT_GRANT_DAYS });
  forPerson(
    '/registrations/details',
    async (user) => registration(services.signed, services.signed.createCodeId(), user) ?? {},
  );

  app.post('/registrations', async (context) => {
    const body = registrationSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ error: 'invalid_request' }, 400);
    const { user, grant, evidence } = body.data;
    if (!(await known(user))) return context.json({ error: 'unknown_user' }, 404);
    const details = registration(services.signed, grant, user);
    if (details === undefined) return context.json({ error: 'invalid_request' }, 400);
    try {
      await services.signed.requireSignature(details, terminalConsent(evidence), { once: true });
    } catch (error) {
      return respondNotSigned(context, error);
    }
    const { token, expiresAt } = await services.clients.issueToken(user, Date.parse(details.grant.ends_at ?? ''));
    return context.json({ token, expires_at: formatUtcSeconds(expiresAt) });
  });

  return app;
}

/** Session name for codes entered on the simulated phone in a terminal, which has no session. */
const TERMINAL_PHONE_SESSION = 'terminal phone';

/** Returns a consent that the key of the simulated phone signed. */
function terminalConsent(evidence: unknown): GrantConsent {
  return { evidence, days: DEFAULT_GRANT_DAYS, session: TERMINAL_PHONE_AUTHENTICATION };
}

/** Responds that a grant was not signed. @throws `error` itself if it is any other error */
function respondNotSigned(context: Context, error: unknown): Response {
  if (!(error instanceof HttpProblem)) throw error;
  return context.json({ error: error.code, message: error.message }, 403);
}

function requestRoutes(services: PhoneServices, known: (username: string) => Promise<boolean>): Hono {
  const app = new Hono();

  app.get('/requests', async (context) => {
    const user = context.req.query('user') ?? '';
    if (!(await known(user))) return context.json({ error: 'unknown_user' }, 404);
    const hasPending = async () => (await services.requests.countPending(user)) > 0;
    const asked = await waitUntil(services, context, user, hasPending);
    if (!asked) return context.json({ error: 'invalid_request' }, 400);
    const shown =
      context.req.query('status') === 'all'
        ? [...(await services.requests.pending(user)), ...(await services.requests.recent(user, 20))]
        : await services.requests.pending(user);
    return context.json(shown.map(toPhoneRequest));
  });

  app.get('/requests/:id', async (context) => {
    const id = context.req.param('id');
    const found = await services.requests.find(id);
    if (found === undefined) return context.json({ error: 'not_found' }, 404);
    const until = context.req.query('until') === 'outcome' ? isFinalRequest : isDecided;
    const done = async () => until((await services.requests.find(id)) ?? found);
    const asked = await waitUntil(services, context, found.user, done, found.expiresAt);
    if (!asked) return context.json({ error: 'invalid_request' }, 400);
    return context.json(toPhoneRequest((await services.requests.find(id)) ?? found));
  });

  app.post('/requests/:id', async (context) => {
    const body = decisionSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ error: 'invalid_request' }, 400);
    const { decision, evidence, code } = body.data;
    const id = context.req.param('id');
    const request = decision === 'approve' ? await services.requests.find(id) : undefined;
    const unmet = request && (await services.steps.takeTypedCode(request, TERMINAL_PHONE_SESSION, code));
    if (unmet !== undefined) {
      if (unmet.code === 'wrong_code_too_often') await services.decide(id, 'deny');
      return context.json({ error: unmet.code, message: unmet.text }, 422);
    }
    const result = await services.decide(id, decision, undefined, evidence);
    switch (result.outcome) {
      case 'not_found':
        return context.json({ error: 'not_found' }, 404);
      case 'expired':
      case 'withdrawn':
        return context.json({ error: result.outcome }, 410);
      case 'not_signed':
        return context.json({ error: result.refusal.code, message: result.refusal.message }, 403);
      case 'conflict':
        return context.json({ error: 'already_decided', status: result.request.status }, 409);
      case 'decided':
      case 'repeated':
        return context.json(toPhoneRequest(result.request));
    }
  });

  return app;
}

/**
 * Waits until `done` returns true, or until the seconds in the query parameter `wait` have passed. Returns false if
 * `wait` is not a valid number.
 */
async function waitUntil(
  services: PhoneServices,
  context: Context,
  user: string,
  done: () => Promise<boolean>,
  expiresAt = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const wait = Number(context.req.query('wait') ?? '0');
  if (!(wait >= 0)) return false;
  const deadline = services.clock.now() + Math.min(wait, MAX_WAIT_S) * 1000;
  const { signal } = context.req.raw;
  for (;;) {
    const left = Math.max(0, deadline - services.clock.now());
    // An expiry triggers no change event, so the wait ends at that time.
    const expiresIn = expiresAt - services.clock.now();
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    // Starts waiting before reading the state, so that a change during the read is noticed immediately.
    const change = waitForRequestChange(services, user, expiresIn > 0 ? Math.min(left, expiresIn) : left, stop);
    if ((await done()) || left === 0 || signal.aborted || services.closing.aborted) {
      ended.abort();
      return true;
    }
    await change;
  }
}

const lookupErrors = {
  unknown: ['unknown_code', 404],
  expired: ['expired', 410],
  used: ['already_used', 409],
} as const;

function respondLookup(context: Context, user: string, lookup: DeviceLookup): Response {
  if (lookup.status !== 'waiting') {
    const [error, status] = lookupErrors[lookup.status];
    return context.json({ error }, status);
  }
  const { clientName: client_name, deviceName: device_name = null, scopes } = lookup.request;
  return context.json({ user, client_name, device_name, scopes });
}

const isDecided = ({ status }: ApprovalRequest) => status !== 'pending';

/** Returns whether the request is final. An approved proposal is final when the gateway has reported its outcome. */
function isFinalRequest({ status, details, outcome }: ApprovalRequest): boolean {
  if (status !== 'approved') return status !== 'pending';
  return !isProposalDetails(details) || (outcome !== undefined && outcome.state !== 'executing');
}

/** Removes the code from a pending request if the person must type it, because the client must not know it yet. */
function withoutTypedCode(request: ApprovalRequest): Pick<ApprovalRequest, 'code' | 'bindingMessage' | 'details'> {
  if (!mustTypeCode(request) || request.status !== 'pending') return request;
  const { code, bindingMessage, details } = request;
  return { code: '', bindingMessage: bindingMessage?.replaceAll(code, '····'), details: { ...details, code: '' } };
}

function toPhoneRequest(request: ApprovalRequest): PhoneRequest {
  const { code, bindingMessage, details } = withoutTypedCode(request);
  const proposal = proposalDetailsSchema.safeParse(request.details).data;
  const { outcome } = request;
  return {
    id: request.id,
    user: request.user,
    client_name: request.clientName,
    client_note: request.clientNote?.text ?? null,
    code,
    binding_message: bindingMessage ?? null,
    details: { ...details },
    requested_at: formatUtcSeconds(request.requestedAt),
    expires_at: formatUtcSeconds(request.expiresAt),
    status: request.status,
    kind: proposal?.kind ?? null,
    worst_case: proposal?.worst_case ?? null,
    warnings: proposal?.warnings ?? [],
    shows: proposal?.shows ?? {},
    requested_by: proposal?.requested_by ?? null,
    client: proposal?.client ?? null,
    provenance: proposal?.provenance ?? null,
    outcome:
      outcome === undefined ? null : { state: outcome.state, text: outcome.text, at: formatUtcSeconds(outcome.at) },
  };
}
