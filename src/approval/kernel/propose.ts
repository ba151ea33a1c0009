import { createHash, randomInt } from 'node:crypto';
import canonicalize from 'canonicalize';
import { utcSeconds } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { Draft, Keyed, KeyedRequest, Standing, StoredProposal } from '../../store/proposal-store.ts';
import { printableAscii } from '../../text/unseen.ts';
import {
  askedUnder,
  DEFAULT_TTL_S,
  PASSED_ON,
  type ProposalKind,
  type ProposalRequest,
  type Provenance,
  requestBody,
} from '../../trading/proposal.ts';
import { Refusal } from '../../trading/refusal.ts';
import { HOUR_MS } from '../../values/durations.ts';
import { actingFor, haltedReason, passesHalt, requireStanding } from '../access.ts';
import { isByRelation, noteDenied } from '../denied.ts';
import { proposalDigest } from '../details.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Completed, Outside, Proposer, UnderMandate } from '../kind.ts';
import { proposalFacts } from '../moves.ts';
import { drawNonce } from '../signature/statement.ts';
import { type Asker, type Quotas, requireQuota } from './quotas.ts';

/** As what a request may say of itself. */
const LONGEST_CLIENT_NAME = 80;

/** Who proposes, and how they are found on their phone. */
export interface ProposingCaller extends Proposer {
  /** As whom the identity provider knows the client, for people; any text. */
  readonly clientName?: string | undefined;
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
  /** @internal Four characters, instead of some at random: for codes that are to meet. */
  readonly drawCode?: () => string;
}

/** A proposal, and whether it is one that was not there before. */
export interface Proposed {
  readonly proposal: StoredProposal;
  readonly isNew: boolean;
}

/*
 * Requests come at once, and the same one twice: through a proxy that repeats what it lost, or from two of a person's
 * programs. What keeps each to one proposal, within the quotas and outside a halt:
 *
 *  1. What a new proposal is held to (quotas, a halt, an open one that asks for the same, the codes of the open ones) is read
 *     as of one moment, with the person's epoch, which any change of it makes another one. The row is written only while the
 *     epoch is still that: else it is read and decided again, and its code drawn again. So of two at the edge of a quota one
 *     comes too late, however they interleave, and no two that are open at the same time show the same code.
 *  2. The key is looked up, and written with the row, in that same transaction: one key, one proposal.
 *  3. Within this process the same request waits for the first (`arriving`, looked at and set before anything is awaited):
 *     completed twice, one could be refused where the other was taken in.
 */

/**
 * Takes a request in: completes it, and writes its row. Asks nobody yet.
 * @throws {Refusal} 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 of the quotas, and what completing throws
 */
export function createProposing(parts: KernelParts & ProposingRules) {
  /** Requests on their way into the store: a repeated one must not be completed twice. */
  const arriving = new Map<string, Promise<Proposed>>();
  return async (caller: ProposingCaller, request: ProposalRequest, key: string): Promise<Proposed> => {
    const { sub, clientId: client } = caller;
    const keyed = { sub, client, key, request: digestOf(request) };
    const flight = JSON.stringify(keyed);
    const underWay = arriving.get(flight);
    if (underWay !== undefined) return { ...(await underWay), isNew: false };
    const arrival = propose(parts, caller, request, keyed)
      .catch(async (error: unknown) => {
        await noteDenied(parts, deniedAbout(caller, request, error), error);
        throw error;
      })
      .finally(() => arriving.delete(flight));
    arriving.set(flight, arrival);
    return arrival;
  };
}

/** Who has no relation to an account writes nothing into its owner's log: it stands in their own. */
function deniedAbout({ sub, clientId: client }: ProposingCaller, request: ProposalRequest, error: unknown) {
  const owner = request.for ?? sub;
  const isStranger = error instanceof Refusal && isByRelation(error);
  const whose = { sub: isStranger ? sub : owner, owner, proposer: sub };
  return { ...whose, client, kind: request.kind, stage: 'proposal' } as const;
}

async function propose(
  parts: KernelParts & ProposingRules,
  caller: ProposingCaller,
  request: ProposalRequest,
  key: KeyedRequest,
): Promise<Proposed> {
  const { store, clock, kindOf, quotas, maxTtlSeconds, ownClients, access } = parts;
  const earlier = await store.keyed(key);
  if (earlier !== undefined) return known(earlier, key);
  const { sub, clientId: client } = caller;
  const owner = request.for ?? sub;
  await requireStanding(access, { kind: request.kind, owner, proposer: sub });
  // Whoever proposes for somebody else is to them what any program is: none of it is the owner's own words.
  const own = ownClients.has(client) && owner === sub;
  const body = requestBody(request);
  const provenance =
    own && request.provenance ? request.provenance : foreignProvenance(body, namedAs(caller, owner));
  const proposedBy = owner === sub ? undefined : sub;
  const asker = {
    sub: owner,
    proposedBy,
    client,
    own: own && !isPassedOn(provenance),
    typed: own && isTyped(provenance),
  };
  const under = underOf(request, provenance);
  requireOwn(own, under !== undefined || request.kind === 'mandate');
  // Before the broker is asked anything; all of it is looked at again with the row.
  const standing = await store.standing(asker, clock.now() - HOUR_MS);
  requireNotHalted(standing, request.kind);
  requireQuota(standing, quotas, asker, clock.now());
  const ttl = Math.min(request.ttl ?? DEFAULT_TTL_S, maxTtlSeconds);
  const expiresAt = utcSeconds(clock.now() + ttl * 1000);
  const kind = kindOf(request.kind);
  const completed = await kind.complete(body, {
    proposer: actingFor(caller, owner),
    subjectId: subjectIdOf(sub, client, key.key),
    expiresAt,
    under,
  });
  const { needsSecond = false, ...subject } = completed;
  const second = needsSecond ? await access.second(owner, [owner, sub]) : undefined;
  failpoint('proposal.completed');
  const draft = {
    ...subject,
    ...identityOf(request.kind, completed, {
      client,
      proposedBy,
      provenance,
      requestedBy: askedBy(own, caller, request, owner) ?? null,
    }),
    shows: { ...throughShown(own, caller), ...partiesShown(caller, owner, second), ...completed.shows },
    sub: owner,
    proposedBy,
    second,
    client,
    membership: caller.membership,
    ...(proposedBy === undefined ? { username: caller.username, email: caller.email } : nobodyElse),
    fingerprint: digestOf([request.kind, kind.fingerprint(completed.subject)]),
    provenance,
    typed: asker.typed,
    deadline: Date.parse(expiresAt),
  };
  return await write(parts, draft, key, asker);
}

/** Writes the row, or finds that there is one already. */
async function write(
  parts: KernelParts & ProposingRules,
  draft: Omit<Draft, 'again' | 'code'>,
  key: KeyedRequest,
  asker: Asker,
): Promise<Proposed> {
  const { store, clock, quotas, drawCode } = parts;
  const { fingerprint } = draft;
  for (;;) {
    const earlier = await store.keyed(key);
    if (earlier !== undefined) return known(earlier, key);
    const now = clock.now();
    const standing = await store.standing({ ...asker, fingerprint }, now - HOUR_MS);
    requireNotHalted(standing, draft.kind);
    const { sameOpen, sameLately } = standing;
    if (sameOpen !== undefined) {
      const kept = await store.alias(key, sameOpen.id, standing);
      if (kept.outcome === 'stale') continue;
      return kept.outcome === 'known' ? known(kept, key) : { proposal: sameOpen, isNew: false };
    }
    requireQuota(standing, quotas, asker, now);
    const code = drawFreeCode(standing.openCodes, drawCode);
    const numbered: Draft = { ...draft, code, again: timesAsked(sameLately) };
    const note = { event: 'proposed', facts: proposalFacts({ ...numbered, state: 'drafted' }) } as const;
    const drafted = await store.draft(numbered, key, standing, note, now);
    if (drafted.outcome === 'drafted') return { proposal: drafted.proposal, isNew: true };
    if (drafted.outcome === 'known') return known(drafted, key);
  }
}

const timesAsked = (before: number) => (before === 0 ? undefined : before + 1);

function requireNotHalted({ haltedAt }: Standing, kind: ProposalKind): void {
  if (passesHalt(kind) || haltedAt === undefined) return;
  throw new Refusal(403, 'policy_denied', haltedReason.text, {
    hint: 'End the halt with "trade-agent halt --lift", and approve that on your phone.',
    members: { ...haltedReason.members },
  });
}

/** Under which mandate it is to be, where it says so: "never ask" alone means whichever covers it. */
function underOf(request: ProposalRequest, provenance: Provenance): UnderMandate | undefined {
  const asked = askedUnder(request);
  if (asked === undefined) return undefined;
  const only = asked.approval === 'mandate';
  return { mandate: asked.mandate ?? 'any', slot: asked.slot, only, needsTap: needsTap(provenance) };
}

/** @throws {Refusal} 403 `client_not_allowed`: nobody else's program asks for mandates, or goes by one */
function requireOwn(own: boolean, isNeeded: boolean): void {
  if (own || !isNeeded) return;
  throw new Refusal(403, 'client_not_allowed', 'mandates are for the gateway’s own login client alone', {
    hint: 'Propose the order without a mandate: its owner is asked.',
    challenge: {},
  });
}

/** What a proposal goes by: its id, and the digest of all that the person approves. */
function identityOf(
  kind: ProposalKind,
  { subject, worstCase }: Completed<unknown>,
  {
    client,
    proposedBy,
    provenance,
    requestedBy,
  }: Pick<Draft, 'client' | 'requestedBy' | 'proposedBy'> & { readonly provenance: Provenance },
) {
  const statement = {
    kind,
    subject,
    worst_case: worstCase,
    provenance,
    requested_by: requestedBy,
    client,
    proposed_by: proposedBy,
  };
  return {
    id: drawProposalId(),
    kind,
    requestedBy,
    digest: proposalDigest(statement),
    nonce: drawNonce(),
  };
}

function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('base64url');
}

/** Of an owner who did not propose it, their token has told nothing else. */
const nobodyElse = { username: undefined, email: undefined } as const;

/** Whose words a request is, to its owner: somebody else's name, or the client's. */
function namedAs({ sub, username, clientId, clientName }: ProposingCaller, owner: string): string {
  if (sub === owner) return clientName ?? clientId;
  return printableAscii(username ?? sub, LONGEST_CLIENT_NAME) || '?';
}

/** A client of our own that runs somewhere else than at the person's: their phone says where. */
function throughShown(own: boolean, { clientName }: ProposingCaller): Readonly<Record<string, string>> {
  const name = own && clientName !== undefined ? printableAscii(clientName, LONGEST_CLIENT_NAME) : '';
  return name === '' ? {} : { Through: name };
}

/** What both phones show of who has a part in it. */
function partiesShown(
  caller: ProposingCaller,
  owner: string,
  second: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(caller.sub === owner ? {} : { 'Proposed by': namedAs(caller, owner) }),
    ...(caller.sub === owner && second === undefined ? {} : { 'Account of': owner }),
    ...(second === undefined ? {} : { 'Takes two': `${owner}, then ${second}` }),
  };
}

/**
 * Who a request says that it came from; of a client that is not our own, who the person has let in: whatever else it calls
 * itself, they would look for that name.
 */
function askedBy(
  own: boolean,
  caller: ProposingCaller,
  request: ProposalRequest,
  owner: string,
): string | undefined {
  if (caller.sub !== owner) return namedAs(caller, owner);
  const { clientName } = caller;
  const known = own || clientName === undefined ? '' : printableAscii(clientName, LONGEST_CLIENT_NAME);
  return known === '' ? request.requested_by : known;
}

/** What a key stands for already. @throws {Refusal} 409 `idempotency_key_conflict` */
function known({ request, proposal }: Keyed, key: KeyedRequest): Proposed {
  if (request === key.request) return { proposal, isNew: false };
  throw new Refusal(
    409,
    'idempotency_key_conflict',
    'this Idempotency-Key came with another proposal before',
    {
      hint: 'Use a key of its own for each proposal.',
    },
  );
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Four Crockford base-32 characters, shown alike on terminal and phone. Drawn here, at random: a code that followed
 * from the draft could be ground by whoever writes the draft.
 */
export function drawCode(): string {
  return Array.from({ length: 4 }, () => CROCKFORD[randomInt(32)]).join('');
}

/**
 * A code that none of these has. Of what waits at the same time each has a code of its own: by it the person tells one from
 * the other.
 * @param taken the codes of all that is open of the person
 */
export function drawFreeCode(taken: readonly string[], draw: () => string = drawCode): string {
  for (;;) {
    const code = draw();
    if (!taken.includes(code)) return code;
  }
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `pr_` and sixteen random characters. */
export function drawProposalId(): string {
  return `pr_${Array.from({ length: 16 }, () => BASE62[randomInt(62)]).join('')}`;
}

/** `client_order_id` and the like, 27 characters: the same for the same person, client and key, and nobody else's. */
export function subjectIdOf(sub: string, client: string, key: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([sub, client, key]))
    .digest('base64url');
  return `ta-${hash.slice(0, 24)}`;
}

/** Of a client that nobody here can vouch for: every field is its own idea. */
function foreignProvenance(request: Readonly<Record<string, unknown>>, client: string): Provenance {
  const from = printableAscii(client, 80) || '?';
  const fields = Object.keys(request).filter((field) => /^[a-z_]{1,32}$/.test(field));
  return { fields: Object.fromEntries(fields.map((field) => [field, { source: 'other' as const, from }])) };
}

/** Whether everything in it is the person's own words, or what follows where they said nothing. */
function isTyped({ fields, tainted_by = [] }: Provenance): boolean {
  return (
    tainted_by.length === 0 &&
    Object.values(fields).every(({ source }) => source === 'user' || source === 'default')
  );
}

/** Whether our own client says itself that all of it is somebody else's agent's: that one is held to what any other is. */
function isPassedOn({ fields }: Provenance): boolean {
  return Object.values(fields).every(({ source, from }) => source === 'other' && from?.startsWith(PASSED_ON));
}

/**
 * Why an order takes its owner's eyes though a mandate covers it; empty where it does not. A mandate is a yes beforehand to
 * what they ask for, or what a named rule computes. What a document, a tool or the model thought of has nobody's word behind
 * it, and where text from outside is in the conversation it may be behind anything that was said in it.
 */
function needsTap({ fields, tainted_by = [] }: Provenance): Outside[] {
  const others = Object.entries(fields).filter(([, { source }]) => source === 'other');
  const named = others.map(([field, { from }]) => (from === undefined ? field : `${field} (${from})`));
  return [
    ...(tainted_by.length === 0
      ? []
      : [
          {
            reason: 'PROVENANCE_TAINTED',
            text: `text from outside is in the conversation: ${tainted_by.join(', ')}`,
          } as const,
        ]),
    ...(named.length === 0
      ? []
      : [{ reason: 'PROVENANCE_OTHER', text: `not in its owner’s words: ${named.join(', ')}` } as const]),
  ];
}
