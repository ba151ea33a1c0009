import { createHash, randomInt } from 'node:crypto';
import canonicalize from 'canonicalize';
import { formatUtcSeconds } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { currentLogContext } from '../../machine/log-context.ts';
import { createTrace } from '../../net/trace-context.ts';
import type {
  KeyedProposal,
  KeyedRequest,
  ProposalDraft,
  ProposalSnapshot,
  StoredProposal,
} from '../../store/proposal-store.ts';
import { printableAscii } from '../../text/invisible.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import {
  type CodeEntry,
  DEFAULT_TTL_S,
  MCP_CLIENT_PREFIX,
  mandateReference,
  type ProposalKind,
  type ProposalRequest,
  type Provenance,
  proposalRequestBody,
} from '../../trading/proposal.ts';
import { HOUR_MS } from '../../values/durations.ts';
import { haltedReason, isAllowedDuringHalt, proposerForOwner, requireProposalAccess } from '../access.ts';
import { proposalDigest } from '../details.ts';
import type { KernelDeps } from '../kernel-deps.ts';
import type { CompletedRequest, MandateUse, Proposer, UncoveredReason } from '../kind.ts';
import { isRelationDenial, logDenial } from '../log-denial.ts';
import { generateNonce } from '../signature/statement.ts';
import { proposalAuditFacts } from '../transitions.ts';
import { enforceQuota, type QuotaParty, type Quotas } from './quotas.ts';

/** Maximum length of a client's name, the same as that of a request's `requested_by`. */
const MAX_CLIENT_NAME_LENGTH = 80;

/** The proposer, with other identifiers by which an identity provider may know the person. */
export interface ProposalCaller extends Proposer {
  /** The client's display name, from the identity provider. May contain any characters. */
  readonly clientName?: string | undefined;
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}

export interface ProposalIntakeOptions {
  readonly quotas: Quotas;
  /** Maximum lifetime of a proposal, in seconds. */
  readonly maxTtlSeconds: number;
  /** Our own login clients. Only these clients are trusted to state the source of a field. */
  readonly ownClients: ReadonlySet<string>;
}

export interface ProposeResult {
  readonly proposal: StoredProposal;
  readonly isNew: boolean;
}

/*
 * Requests arrive concurrently, and a proxy that retries, or two of a person's programs, may send the same request
 * twice. Each distinct request yields exactly one proposal, within the quotas and never during a halt:
 *
 *  1. A new proposal is checked against one snapshot: the quotas, the halt, an open proposal with the same content, the
 *     codes of open proposals, and the person's epoch, which changes whenever one of these does. The row is written
 *     only if the epoch is still the same; otherwise everything is read and decided again, with a new code. Without the
 *     epoch, two requests could both take the last place in a quota, and two open proposals could show the same code.
 *  2. The idempotency key is looked up and written in the row's transaction. Otherwise one key could yield two
 *     proposals.
 *  3. Within this process, an identical request waits for the first (`arriving`, read and set before any `await`). If
 *     both were processed, one could be refused although the other was accepted.
 */

/**
 * Returns the function that turns a request into a stored proposal, without asking anybody for approval yet.
 * @throws {HttpProblem} when called: 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 if a quota is exceeded,
 *   and any error from `Kind.complete`
 */
export function createProposalIntake(parts: KernelDeps & ProposalIntakeOptions) {
  /** Requests in progress, so that a request that is repeated in the meantime is not processed twice. */
  const arriving = new Map<string, Promise<ProposeResult>>();
  return async (caller: ProposalCaller, request: ProposalRequest, key: string): Promise<ProposeResult> => {
    const { sub, clientId: client } = caller;
    const keyed = { sub, client, key, request: jsonDigest(request) };
    const flight = JSON.stringify(keyed);
    const inProgress = arriving.get(flight);
    if (inProgress !== undefined) return { ...(await inProgress), isNew: false };
    const arrival = propose(parts, caller, request, keyed)
      .catch(async (error: unknown) => {
        await logDenial(parts, denialFacts(caller, request, error), error);
        throw error;
      })
      .finally(() => arriving.delete(flight));
    arriving.set(flight, arrival);
    return arrival;
  };
}

/**
 * Returns the facts of a denial. If the caller has no relation to the account, the denial goes into the caller's own
 * log, because strangers must not be able to write to the owner's log.
 */
function denialFacts({ sub, clientId: client }: ProposalCaller, request: ProposalRequest, error: unknown) {
  const owner = request.for ?? sub;
  const isStranger = error instanceof HttpProblem && isRelationDenial(error);
  const whose = { sub: isStranger ? sub : owner, owner, proposer: sub };
  return { ...whose, client, kind: request.kind, stage: 'proposal' } as const;
}

async function propose(
  parts: KernelDeps & ProposalIntakeOptions,
  caller: ProposalCaller,
  request: ProposalRequest,
  key: KeyedRequest,
): Promise<ProposeResult> {
  const { store, clock, getKind, quotas, maxTtlSeconds, ownClients, access } = parts;
  const earlier = await store.keyed(key);
  if (earlier !== undefined) return existingProposal(earlier, key);
  const { sub, clientId: client } = caller;
  requireKindOfClient(request.kind, ownClients.has(client));
  const owner = request.for ?? sub;
  await requireProposalAccess(access, { kind: request.kind, owner, proposer: sub });
  // If another person is the proposer, nothing counts as the owner's own words, even if the proposer used our own
  // client.
  const own = ownClients.has(client) && owner === sub;
  const body = proposalRequestBody(request);
  const provenance =
    own && request.provenance ? request.provenance : foreignProvenance(body, displayedAuthor(caller, owner));
  const proposedBy = owner === sub ? undefined : sub;
  const isForeign = !own || isForwarded(provenance);
  // A client of another person is not the owner's agent: the owner gave that person access.
  const isOtherAgent = isForeign && owner === sub;
  const party = {
    sub: owner,
    proposedBy,
    client,
    own: !isForeign,
    typed: own && isTyped(provenance),
  };
  const under = requestedMandateUse(request, provenance);
  requireOwnClient(own, under !== undefined || request.kind === 'mandate');
  // Checked before anything is requested from the broker, and again when the row is written.
  const openProposals = await store.snapshot(party, clock.now() - HOUR_MS);
  requireNotHalted(openProposals, request.kind);
  enforceQuota(openProposals, quotas, party, clock.now());
  const ttl = Math.min(request.ttl ?? DEFAULT_TTL_S, maxTtlSeconds);
  const expiresAt = formatUtcSeconds(clock.now() + ttl * 1000);
  const kind = getKind(request.kind);
  const completed = await kind.complete(body, {
    proposer: { ...proposerForOwner(caller, owner), origin: { isOtherAgent, provenance } },
    subjectId: deriveSubjectId(sub, client, key.key),
    expiresAt,
    under,
  });
  const { needsSecond = false, needsCode: _, ...subject } = completed;
  const second = needsSecond ? await access.findSecondApprover(owner, [owner, sub]) : undefined;
  failpoint('proposal.completed');
  const draft = {
    ...subject,
    ...proposalIdentity(request.kind, completed, {
      client,
      proposedBy,
      provenance,
      requestedBy: displayedOrigin(own, caller, request, owner) ?? null,
    }),
    shows: {
      ...displayedClient(own, caller),
      ...displayedParties(caller, owner, second),
      ...completed.shows,
    },
    sub: owner,
    proposedBy,
    second,
    client,
    membership: caller.membership,
    trace: currentLogContext().trace ?? createTrace(),
    ...(proposedBy === undefined ? { username: caller.username, email: caller.email } : noContactDetails),
    fingerprint: jsonDigest([request.kind, kind.fingerprint(completed.subject)]),
    provenance,
    typed: party.typed,
    deadline: Date.parse(expiresAt),
  };
  return await writeProposal(parts, draft, key, party);
}

/** Stores a new proposal, unless one with the same key, or an open one with the same content, already exists. */
async function writeProposal(
  parts: KernelDeps & ProposalIntakeOptions,
  draft: Omit<ProposalDraft, 'again' | 'code'>,
  key: KeyedRequest,
  party: QuotaParty,
): Promise<ProposeResult> {
  const { store, clock, quotas } = parts;
  const { fingerprint } = draft;
  for (;;) {
    const earlier = await store.keyed(key);
    if (earlier !== undefined) return existingProposal(earlier, key);
    const now = clock.now();
    const openProposals = await store.snapshot({ ...party, fingerprint }, now - HOUR_MS);
    requireNotHalted(openProposals, draft.kind);
    const { sameOpen, sameRecently } = openProposals;
    if (sameOpen !== undefined) {
      const kept = await store.addKey(key, sameOpen.id, openProposals);
      if (kept.outcome === 'stale') continue;
      return kept.outcome === 'known' ? existingProposal(kept, key) : { proposal: sameOpen, isNew: false };
    }
    enforceQuota(openProposals, quotas, party, now);
    const code = generateUnusedCode(openProposals.openCodes);
    const numbered: ProposalDraft = { ...draft, code, again: repeatCount(sameRecently) };
    const note = { event: 'proposed', facts: proposalAuditFacts({ ...numbered, state: 'drafted' }) } as const;
    const drafted = await store.draft(numbered, key, openProposals, note, now);
    if (drafted.outcome === 'drafted') {
      parts.onProposal?.(drafted.proposal);
      return { proposal: drafted.proposal, isNew: true };
    }
    if (drafted.outcome === 'known') return existingProposal(drafted, key);
  }
}

const repeatCount = (before: number) => (before === 0 ? undefined : before + 1);

function requireNotHalted({ haltedAt }: ProposalSnapshot, kind: ProposalKind): void {
  if (isAllowedDuringHalt(kind) || haltedAt === undefined) return;
  throw new HttpProblem(403, 'policy_denied', haltedReason.text, {
    hint: 'Propose lifting the halt with "trade-agent halt --lift", then approve the proposal on your phone.',
    members: { ...haltedReason.members },
  });
}

/** Returns the requested use of mandates, if any. `approval: mandate` without an ID allows any of the mandates. */
function requestedMandateUse(request: ProposalRequest, provenance: Provenance): MandateUse | undefined {
  const asked = mandateReference(request);
  if (asked === undefined) return undefined;
  const only = asked.approval === 'mandate';
  return { mandate: asked.mandate ?? 'any', slot: asked.slot, only, needsTap: reasonsForTap(provenance) };
}

/**
 * The kinds that a client outside `ownClients` may propose. Changes to rules, access or halts are excluded, because the
 * owner could approve them out of habit. Messages need a separate scope.
 */
const FOREIGN_KINDS: readonly ProposalKind[] = ['order', 'cancel', 'replace', 'message'];

/** Requires that the client may propose this kind. @throws {HttpProblem} 403 `client_not_allowed` */
function requireKindOfClient(kind: ProposalKind, isOwn: boolean): void {
  if (isOwn || FOREIGN_KINDS.includes(kind)) return;
  throw new HttpProblem(403, 'client_not_allowed', `this client can’t propose the kind "${kind}"`, {
    hint: 'Propose it with trade-agent, or with another client in the gateway’s own_clients.',
    challenge: {},
  });
}

/** Rejects other clients if the request needs our own login client. @throws {HttpProblem} 403 `client_not_allowed` */
function requireOwnClient(own: boolean, isNeeded: boolean): void {
  if (own || !isNeeded) return;
  throw new HttpProblem(403, 'client_not_allowed', 'only the gateway’s own login client can use mandates', {
    hint: 'Propose the order without a mandate, so that its owner is asked.',
    challenge: {},
  });
}

function proposalIdentity(
  kind: ProposalKind,
  { subject, worstCase, needsCode = false, policy }: CompletedRequest<unknown>,
  {
    client,
    proposedBy,
    provenance,
    requestedBy,
  }: Pick<ProposalDraft, 'client' | 'requestedBy' | 'proposedBy'> & { readonly provenance: Provenance },
) {
  const codeEntry: CodeEntry | undefined = needsCode ? 'typed' : undefined;
  const statement = {
    kind,
    subject,
    worst_case: worstCase,
    provenance,
    requested_by: requestedBy,
    client,
    proposed_by: proposedBy,
    code_entry: codeEntry,
    policy,
  };
  return {
    id: generateProposalId(),
    kind,
    requestedBy,
    codeEntry,
    digest: proposalDigest(statement),
    nonce: generateNonce(),
  };
}

function jsonDigest(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('base64url');
}

/** Used if the proposer is not the owner, because the proposer's token contains no contact details of the owner. */
const noContactDetails = { username: undefined, email: undefined } as const;

/** Returns the name to show to the owner: the proposer's name if the owner is not the proposer, else the client's. */
function displayedAuthor({ sub, username, clientId, clientName }: ProposalCaller, owner: string): string {
  if (sub === owner) return clientName ?? clientId;
  return printableAscii(username ?? sub, MAX_CLIENT_NAME_LENGTH) || '?';
}

/** Returns our own client's name, if it has one. A client with a name does not run on the person's machine. */
function displayedClient(own: boolean, { clientName }: ProposalCaller): Readonly<Record<string, string>> {
  const name = own && clientName !== undefined ? printableAscii(clientName, MAX_CLIENT_NAME_LENGTH) : '';
  return name === '' ? {} : { Via: name };
}

/** Returns the people involved in the proposal, as the owner's and the second approver's phones show them. */
function displayedParties(
  caller: ProposalCaller,
  owner: string,
  second: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(caller.sub === owner ? {} : { 'Proposed by': displayedAuthor(caller, owner) }),
    ...(caller.sub === owner && second === undefined ? {} : { 'Account owner': owner }),
    ...(second === undefined ? {} : { Approvers: `${owner}, then ${second}` }),
  };
}

/**
 * Returns who made the request, for the phone. For another program's client, this is the name under which the person
 * authorized the client, not the name in the request, which the person may not recognize.
 */
function displayedOrigin(
  own: boolean,
  caller: ProposalCaller,
  request: ProposalRequest,
  owner: string,
): string | undefined {
  if (caller.sub !== owner) return displayedAuthor(caller, owner);
  const { clientName } = caller;
  const known = own || clientName === undefined ? '' : printableAscii(clientName, MAX_CLIENT_NAME_LENGTH);
  return known === '' ? request.requested_by : known;
}

/** Returns the existing proposal of an idempotency key. @throws {HttpProblem} 409 `idempotency_key_conflict` */
function existingProposal({ request, proposal }: KeyedProposal, key: KeyedRequest): ProposeResult {
  if (request === key.request) return { proposal, isNew: false };
  throw new HttpProblem(
    409,
    'idempotency_key_conflict',
    'this Idempotency-Key was already used for a different proposal',
    {
      hint: 'Use a new key for each proposal.',
    },
  );
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Returns four random Crockford base-32 characters, shown in both the terminal and the phone. If the code were derived
 * from the draft, its author could vary the draft until it got the code of another proposal.
 */
export function generateProposalCode(): string {
  return Array.from({ length: 4 }, () => CROCKFORD[randomInt(32)]).join('');
}

/**
 * Returns a code that no open proposal of the person has, because people tell open proposals apart by their codes.
 * @param taken the codes of all of the person's open proposals
 */
export function generateUnusedCode(taken: readonly string[]): string {
  for (;;) {
    const code = generateProposalCode();
    if (!taken.includes(code)) return code;
  }
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Returns a random proposal id: `pr_` and sixteen characters. */
export function generateProposalId(): string {
  return `pr_${Array.from({ length: 16 }, () => BASE62[randomInt(62)]).join('')}`;
}

/** Derives a 27-character id, such as a `client_order_id`, from the person, the client and the key. */
export function deriveSubjectId(sub: string, client: string, key: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([sub, client, key]))
    .digest('base64url');
  return `ta-${hash.slice(0, 24)}`;
}

/** Returns the provenance for a client that is not our own: every field comes from that client. */
function foreignProvenance(request: Readonly<Record<string, unknown>>, client: string): Provenance {
  const from = printableAscii(client, 80) || '?';
  const fields = Object.keys(request).filter((field) => /^[a-z_]{1,32}$/.test(field));
  return { fields: Object.fromEntries(fields.map((field) => [field, { source: 'other' as const, from }])) };
}

/** Returns whether every field is either a default or in the person's own words. */
function isTyped({ fields, tainted_by = [] }: Provenance): boolean {
  return (
    tainted_by.length === 0 && Object.values(fields).every(({ source }) => source === 'user' || source === 'default')
  );
}

/** Returns whether our own client says that another agent supplied every field. If so, the quota `other` applies. */
function isForwarded({ fields }: Provenance): boolean {
  const all = Object.values(fields);
  // An empty list means that the request states no sources, not that it was forwarded.
  return all.length > 0 && all.every(({ source, from }) => source === 'other' && from?.startsWith(MCP_CLIENT_PREFIX));
}

/**
 * Returns why the owner must be asked about an order that a mandate covers; empty if the mandate suffices. A mandate
 * approves orders that the owner asks for or that a named rule computes. It does not approve orders from a document, a
 * tool or the model. Text from outside sources may have influenced everything that was said after it.
 */
function reasonsForTap({ fields, tainted_by = [] }: Provenance): UncoveredReason[] {
  const others = Object.entries(fields).filter(([, { source }]) => source === 'other');
  const named = others.map(([field, { from }]) => (from === undefined ? field : `${field} (${from})`));
  return [
    ...(tainted_by.length === 0
      ? []
      : [
          {
            reason: 'PROVENANCE_TAINTED',
            text: `the conversation contains text from outside sources: ${tainted_by.join(', ')}`,
          } as const,
        ]),
    ...(named.length === 0
      ? []
      : [{ reason: 'PROVENANCE_OTHER', text: `not in the owner’s own words: ${named.join(', ')}` } as const]),
  ];
}
