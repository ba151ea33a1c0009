import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { utcSeconds } from '../machine/clock.ts';
import { failpoint } from '../machine/failpoint.ts';
import {
  DEFAULT_TTL_S,
  type ProposalKind,
  type ProposalRequest,
  type Provenance,
} from '../trading/proposal.ts';
import { Refusal } from '../trading/refusal.ts';
import { drawCode, drawProposalId, subjectIdOf } from './code.ts';
import { proposalDigest } from './details.ts';
import { haltedReason, passesHalt } from './halts.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Completed, Proposer } from './kind.ts';
import { foreignProvenance, isTyped } from './provenance.ts';
import { HOUR_MS, type Quotas, requireQuota } from './quotas.ts';
import type { ProposalKey, StoredProposal } from './stored-proposal.ts';

/** Who proposes, and how they are found on their phone. */
export interface ProposingCaller extends Proposer {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}

/** What proposing is held to. */
export interface ProposingRules {
  readonly quotas: Quotas;
  /** The longest a proposal may take, seconds. */
  readonly maxTtlSeconds: number;
  /** Our own login clients: they alone are believed about where a field comes from. */
  readonly ownClients: ReadonlySet<string>;
}

/** A proposal, and whether it is one that was not there before. */
export interface Proposed {
  readonly proposal: StoredProposal;
  readonly isNew: boolean;
}

/**
 * Takes a request in: completes it, and writes its row. Asks nobody yet.
 * @throws {Refusal} 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 of the quotas, and what completing throws
 */
export function createProposing(parts: KernelParts & ProposingRules) {
  const { store, halts, clock, kindOf, quotas, maxTtlSeconds, ownClients } = parts;
  /** Requests on their way into the store: a repeated one must not be completed twice. */
  const arriving = new Map<string, Promise<Proposed>>();

  const requireNotHalted = (sub: string, kind: ProposalKind): void => {
    if (passesHalt(kind) || halts.haltedAt(sub) === undefined) return;
    throw new Refusal(403, 'policy_denied', haltedReason.text, {
      hint: 'End the halt with "trade-agent halt --lift", and approve that on your phone.',
      members: { ...haltedReason.members },
    });
  };

  const proposeNew = async (
    caller: ProposingCaller,
    request: ProposalRequest,
    key: ProposalKey,
    bodyDigest: string,
  ): Promise<Proposed> => {
    const { sub, clientId: client } = caller;
    const own = ownClients.has(client);
    const body = bodyOf(request);
    const provenance = own && request.provenance ? request.provenance : foreignProvenance(body, client);
    const asker = { sub, client, own, typed: own && isTyped(provenance) };
    // Before the broker is asked anything; both are looked at again within the transaction.
    requireNotHalted(sub, request.kind);
    requireQuota(store, quotas, asker, clock.now());
    const ttl = Math.min(request.ttl ?? DEFAULT_TTL_S, maxTtlSeconds);
    const expiresAt = utcSeconds(clock.now() + ttl * 1000);
    const kind = kindOf(request.kind);
    const completed = await kind.complete(body, {
      proposer: caller,
      subjectId: subjectIdOf(sub, client, key.key),
      expiresAt,
    });
    failpoint('proposal.completed');
    const fingerprint = digestOf([request.kind, kind.fingerprint(completed.subject)]);
    return store.inOneCommit((): Proposed => {
      const earlier = store.keyed(key);
      if (earlier !== undefined) return { proposal: sameBody(earlier, bodyDigest), isNew: false };
      requireNotHalted(sub, request.kind);
      const same = store.same({ sub, client, fingerprint }, clock.now() - HOUR_MS);
      if (same.open !== undefined) {
        store.alias(key, bodyDigest, same.open.id);
        return { proposal: same.open, isNew: false };
      }
      requireQuota(store, quotas, asker, clock.now());
      const draft = {
        ...completed,
        ...identityOf(request, completed, { client, provenance }),
        sub,
        client,
        username: caller.username,
        email: caller.email,
        fingerprint,
        provenance,
        again: same.count > 0 ? same.count + 1 : undefined,
        typed: asker.typed,
        deadline: Date.parse(expiresAt),
      };
      return { proposal: store.draft(draft, key, bodyDigest), isNew: true };
    });
  };

  return async (caller: ProposingCaller, request: ProposalRequest, key: string): Promise<Proposed> => {
    const { sub, clientId: client } = caller;
    const named = { sub, client, key };
    const bodyDigest = digestOf(request);
    const earlier = store.keyed(named);
    if (earlier !== undefined) return { proposal: sameBody(earlier, bodyDigest), isNew: false };
    const flight = JSON.stringify([sub, client, key, bodyDigest]);
    const underWay = arriving.get(flight);
    if (underWay !== undefined) return { ...(await underWay), isNew: false };
    const arrival = proposeNew(caller, request, named, bodyDigest).finally(() => arriving.delete(flight));
    arriving.set(flight, arrival);
    return arrival;
  };
}

/** What a proposal goes by: id, code, and the digest of all that the person approves. */
function identityOf(
  { kind, requested_by }: ProposalRequest,
  { subject, worstCase }: Completed<unknown>,
  { client, provenance }: { readonly client: string; readonly provenance: Provenance },
) {
  const requestedBy = requested_by ?? null;
  const statement = { kind, subject, worst_case: worstCase, provenance, requested_by: requestedBy, client };
  return { id: drawProposalId(), code: drawCode(), kind, requestedBy, digest: proposalDigest(statement) };
}

function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('base64url');
}

function sameBody(
  { request, proposal }: { readonly request: string; readonly proposal: StoredProposal },
  bodyDigest: string,
): StoredProposal {
  if (request === bodyDigest) return proposal;
  throw new Refusal(
    409,
    'idempotency_key_conflict',
    'this Idempotency-Key came with another proposal before',
    {
      hint: 'Use a key of its own for each proposal.',
    },
  );
}

function bodyOf(request: ProposalRequest): Record<string, unknown> {
  switch (request.kind) {
    case 'order':
      return request.order;
    case 'message':
      return { ...request.message };
    case 'cancel':
      return request.cancel;
    case 'replace':
      return request.replace;
    case 'lift':
      return request.lift;
  }
}
