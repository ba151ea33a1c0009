import type { Hono } from 'hono';
import { z } from 'zod';
import type { ApprovalKernel } from '../../approval/kernel/kernel.ts';
import type { ProposalCaller } from '../../approval/kernel/propose.ts';
import type { Proposer } from '../../approval/kind.ts';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { extendLogContext } from '../../machine/log-context.ts';
import { MANDATE_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import type { TradingStateSnapshot } from '../../store/halts.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { kinds, type ProposalKind } from '../../trading/kinds/kinds.ts';
import {
  idempotencyKeySchema,
  mandateReference,
  type ProposalRequest,
  proposalRequestSchema,
} from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { malformedProblem } from '../auth/approved-details.ts';
import { type Authenticator, requireClientId, requireScopes } from '../auth/authenticator.ts';
import type { Caller } from '../auth/caller.ts';
import { type IsTokenRevoked, requireUnrevokedToken } from '../auth/token-verifier.ts';
import { forParameter, type ResolveOwner, readOwnerQuery } from './for-owner.ts';
import {
  createGuardedRoutes,
  limitParameterSchema,
  parseQuery,
  readJsonBody,
  readOptionalJson,
  requireNoQuery,
} from './request.ts';

/** Maximum duration of a long poll, in seconds. Shorter than the usual timeouts of HTTP clients. */
const MAX_WAIT_S = 25;

const oneQuery = z.strictObject({
  ...forParameter,
  wait: z.coerce.number().min(0).max(MAX_WAIT_S).default(0),
  /** The last `updated_at` that the client received. The gateway responds at once if the proposal has changed since. */
  since: z.string().max(40).optional(),
});

const listQuery = z.strictObject({
  ...forParameter,
  state: z.enum(['open', 'all']).default('open'),
  limit: limitParameterSchema(500, 100),
  /** Lists only the proposal that this client sent with this `Idempotency-Key`. */
  key: idempotencyKeySchema.optional(),
});

export interface ProposalRouteOptions {
  readonly kernel: ApprovalKernel;
  readonly now: () => number;
  readonly resolveOwner: ResolveOwner;
  readonly isRevoked?: IsTokenRevoked | undefined;
  /** How and where the person approves. The client displays it. */
  readonly approval: { readonly method: string; readonly phoneUrl?: string | undefined };
}

/** Adds the routes for proposals. None of the routes places an order, because the owner decides on their phone. */
export function addProposalRoutes(app: Hono, authenticator: Authenticator, options: ProposalRouteOptions): void {
  const at = createGuardedRoutes(app, authenticator);
  const { kernel, now, isRevoked, resolveOwner } = options;
  const view = (proposal: StoredProposal) => toProposalResponse(proposal, options.approval);

  at.post('/v1/proposals', [], async (c, caller) => {
    const key = idempotencyKey(c.req.header('idempotency-key'));
    const request = parseRequest(await readJsonBody(c));
    requireProposing(caller, request.kind);
    if (mandateReference(request) !== undefined) requireScopes(caller, [MANDATE_SCOPE]);
    const { proposal, isNew } = await kernel.propose(toProposer(caller), request, key);
    extendLogContext({ proposal: proposal.id });
    // Checks the token again, because a revocation before the proposal was created did not withdraw it.
    await requireUnrevokedToken(caller, isRevoked).catch(async (error: unknown) => {
      await kernel.revoked({ sub: caller.sub, clientId: proposal.client });
      throw error;
    });
    return c.json(view(proposal), isNew ? 201 : 200);
  });
  at.get('/v1/proposals', ['orders:read'], async (c, caller) => {
    const { key, for: owner, ...query } = parseQuery(listQuery, c.req.url);
    if (key === undefined) {
      const { sub } = await resolveOwner(caller, owner, 'can_view_proposals');
      return c.json({ proposals: (await kernel.list(sub, query)).map(view) });
    }
    const { sub, clientId: client } = toProposer(caller);
    const found = await kernel.findByKey({ sub, client, key });
    return c.json({ proposals: found === undefined ? [] : [view(found)] });
  });
  at.get('/v1/proposals/:id', ['orders:read'], async (c, caller) => {
    const { wait, since, for: owner } = parseQuery(oneQuery, c.req.url);
    const { sub } = await resolveOwner(caller, owner, 'can_view_proposals');
    const found = await kernel.find(sub, c.req.param('id') ?? '');
    // A run that another process resumed waits in the trace of the sentence that led to the proposal.
    extendLogContext(defined({ trace: found.trace }));
    const proposal = await kernel.settle(found, toProposer(caller));
    const isNews = since !== undefined && view(proposal).updated_at !== since;
    if (wait === 0 || isNews) return c.json(view(proposal));
    const { signal } = c.req.raw;
    return c.json(view(await kernel.awaitChange(proposal.id, proposal.version, wait * 1000, signal)));
  });
  at.delete('/v1/proposals/:id', [], async (c, caller) => {
    const id = c.req.param('id') ?? '';
    const { sub } = await resolveOwner(caller, readOwnerQuery(c.req.url), 'can_withdraw');
    const { kind } = await kernel.find(sub, id);
    requireWithdrawing(caller, kind);
    return c.json(view(await kernel.withdraw(sub, id)));
  });
  app.get(
    '/v1/events',
    authenticator.stream(['orders:read'], async (c, caller) => {
      requireNoQuery(c.req.url);
      const last = c.req.header('last-event-id');
      const version = last !== undefined && /^\d{1,15}$/.test(last) ? Number(last) : undefined;
      if (caller.clientId !== undefined) await kernel.watched(toProposer(caller));
      return async (stream) => {
        // Ends the stream when the token expires.
        const ended = AbortSignal.any([
          AbortSignal.timeout(Math.max(0, Math.min(caller.expiresAt - now(), 2 ** 31 - 1))),
          c.req.raw.signal,
        ]);
        for await (const changed of kernel.follow(caller.sub, version, ended)) {
          if (await isRevoked?.(caller.jti)) return;
          for (const proposal of changed.proposals) {
            await stream.writeSSE({
              event: 'proposal',
              id: String(proposal.version),
              data: JSON.stringify(view(proposal)),
            });
          }
          // The keep-alive has an id, so that a client can resume even a stream without changes.
          if (changed.proposals.length === 0)
            await stream.write(`: alive\nevent: alive\nid: ${changed.version}\ndata:\n\n`);
        }
      };
    }),
  );
  haltRoutes(app, authenticator, options);
}

/** Adds the routes for halts. Anybody with access may restrict trading; resuming it needs the owner's approval. */
function haltRoutes(app: Hono, authenticator: Authenticator, { kernel, resolveOwner }: ProposalRouteOptions): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/halt', ['orders:read'], async (c, caller) => {
    const { sub } = await resolveOwner(caller, readOwnerQuery(c.req.url), 'can_view');
    return c.json(toHaltResponse(await kernel.trading(sub)));
  });
  at.put('/v1/halt', ['orders:cancel'], async (c, caller) => {
    const { sub } = await resolveOwner(caller, readOwnerQuery(c.req.url), 'can_halt');
    const own = toProposer(caller);
    // The audit log names the person who restricts trading if it is not the owner.
    const proposer = sub === own.sub ? own : { ...own, sub, clientId: `${own.clientId} of ${own.sub}` };
    const { state } = haltRequest((await readOptionalJson(c)) ?? {});
    if (state === 'reducing') return c.json(toHaltResponse(await kernel.reduce(proposer)));
    await kernel.halt(proposer);
    return c.json(toHaltResponse(await kernel.trading(sub)));
  });
}

/** Adds the route for pings (CIBA Core §10.2), which the request's notification token authenticates. */
export function addPingRoute(app: Hono, authenticator: Authenticator, kernel: ApprovalKernel): void {
  app.post(
    '/ciba/ping',
    authenticator.open(async (c) => {
      const token = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(c.req.header('authorization') ?? '')?.[1];
      const body = z.object({ auth_req_id: z.string().min(1).max(512) }).safeParse(await readJsonBody(c));
      if (token === undefined || !body.success) {
        throw new HttpProblem(401, 'token_missing', 'only the identity provider may call this endpoint');
      }
      // Responds in the same way to any id. An early ping is stored until its request is known.
      await kernel.handlePing(body.data.auth_req_id, token);
      return c.body(null, 204);
    }),
  );
}

export function toProposalResponse(proposal: StoredProposal, approval: ProposalRouteOptions['approval']) {
  const { kind, id, state, code, subject, worstCase, warnings, requestedBy, client, again, provenance } = proposal;
  const { reason, result, sub, proposedBy, codeEntry, policy, second, ownerAuthReqId } = proposal;
  return {
    id,
    kind,
    state,
    code,
    subject,
    worst_case: worstCase,
    warnings,
    shows: proposal.shows,
    created_at: new Date(proposal.createdAt).toISOString(),
    expires_at: formatUtcSeconds(proposal.expiresAt),
    updated_at: `${new Date(proposal.updatedAt).toISOString()}#${proposal.version}`,
    requested_by: requestedBy,
    client,
    ...(proposedBy === undefined ? {} : { for: sub, proposed_by: proposedBy }),
    ...defined({ again, code_entry: codeEntry, policy }),
    ...(provenance === null ? {} : { provenance }),
    approval: {
      method: approval.method,
      ...defined({ phone_url: approval.phoneUrl }),
      ...(second === undefined ? {} : { second: { person: second, owner_approved: ownerAuthReqId !== undefined } }),
    },
    ...defined({ reason, result }),
  };
}

export function toHaltResponse({ state, since, until, by }: TradingStateSnapshot) {
  return {
    halted: state === 'halted',
    ...(state === 'halted' && since !== undefined ? { halted_at: formatUtcSeconds(since) } : {}),
    state,
    ...(since === undefined ? {} : { since: formatUtcSeconds(since) }),
    ...(until === undefined ? {} : { until: formatUtcSeconds(until) }),
    ...defined({ by }),
  };
}

const haltSchema = z.strictObject({ state: z.enum(['halted', 'reducing']).default('halted') });

function haltRequest(body: unknown): z.output<typeof haltSchema> {
  const parsed = haltSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new HttpProblem(400, 'invalid_query', 'the state must be "halted" or "reducing"', {
    hint: 'To resume trading, propose lifting the halt. The owner has to approve it.',
    fields: ['state'],
  });
}

/** Converts a caller to a proposer. @throws {HttpProblem} 403 `client_unknown` */
export function toProposer(caller: Caller): ProposalCaller & Proposer {
  const { sub, clientName, membership, jkt, accessToken, username, email } = caller;
  return { sub, clientId: requireClientId(caller), clientName, membership, jkt, accessToken, username, email };
}

function requireProposing(caller: Caller, kind: ProposalKind): void {
  requireScopes(caller, [kinds[kind].proposeScope]);
}

/** Requires the scope for this kind of proposal. For a mandate, requires only the scope for proposing orders. */
function requireWithdrawing(caller: Caller, kind: ProposalKind): void {
  const { proposeScope } = kinds[kind];
  requireScopes(caller, [proposeScope === MANDATE_SCOPE ? PROPOSE_ORDERS_SCOPE : proposeScope]);
}

function idempotencyKey(header: string | undefined): string {
  const parsed = idempotencyKeySchema.safeParse(header);
  if (parsed.success) return parsed.data;
  throw new HttpProblem(400, 'idempotency_key_missing', 'a proposal needs an Idempotency-Key header', {
    hint: 'A key has 1 to 64 characters of A-Z a-z 0-9 . _ -. Use a new key for each proposal, and the same key when you retry it.',
  });
}

function parseRequest(body: unknown): ProposalRequest {
  const parsed = proposalRequestSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw malformedProblem(400, 'invalid_proposal', 'the proposal', parsed.error);
}
