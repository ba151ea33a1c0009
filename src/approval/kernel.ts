import { failpoint } from '../machine/failpoint.ts';
import type { TradingStanding } from '../store/halts.ts';
import type { ProposalKey, StoredProposal } from '../store/proposal-store.ts';
import type { ProposalRequest } from '../trading/proposal.ts';
import { Refusal } from '../trading/refusal.ts';
import { withoutToken } from './access.ts';
import { placedLate, recordExecuted } from './carry-out.ts';
import { createChanges, type News } from './changes.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Proposer } from './kind.ts';
import { createProposing, type Proposed, type ProposingCaller, type ProposingRules } from './propose.ts';
import { createSettling } from './settle.ts';
import { type Attendants, createAttendants } from './waiting/attendants.ts';
import { withOthers } from './waiting/with-others.ts';
import { type Changed, changeOf, changesOf } from './watching.ts';
import { haltTrading, withdraw, withdrawRevoked } from './withdraw.ts';

export interface KernelOptions extends KernelParts, ProposingRules {
  /** Told of what went wrong inside; never holds a token. */
  readonly onError: (message: string) => void;
}

/** Asks, waits and carries out, whether or not whoever proposed is still there. */
export interface ApprovalKernel {
  /**
   * Completes what is asked for, has its owner asked, and carries it out once they approve. `isNew` is false where the
   * same was proposed before: under the same key, or by the same client and still open.
   * @throws {Refusal} 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 `too_many_open`, `too_many_asked`,
   *   `resting`, and what completing it throws
   */
  propose(caller: ProposingCaller, request: ProposalRequest, key: string): Promise<Proposed>;
  /** One's own, and what one has proposed for others; here and below. @throws {Refusal} 404 `not_found` */
  find(sub: string, id: string): Promise<StoredProposal>;
  /** What a client proposed under a key, as long as it is kept. */
  keyed(key: ProposalKey): Promise<StoredProposal | undefined>;
  /** One's own, newest first. */
  list(
    sub: string,
    query: { readonly state: 'open' | 'all'; readonly limit: number },
  ): Promise<StoredProposal[]>;
  /** How it stands once it has changed since a version, or after `ms`. */
  awaitChange(id: string, version: number, ms: number, signal: AbortSignal): Promise<StoredProposal>;
  /** A person watches: what is open of their latest is followed, where its changes are told. */
  watched(asker: Proposer): Promise<void>;
  /** Those of a person that changed after a version, each time they do; none as a sign of life. Ends with the signal. */
  follow(sub: string, version: number | undefined, signal: AbortSignal): AsyncGenerator<Changed>;
  /** Of changes to anybody's, for as long as the gateway is there. */
  news(): News;
  /** @throws {Refusal} 404 `not_found`, 409 `proposal_executing`, `proposal_settled` */
  withdraw(sub: string, id: string): Promise<StoredProposal>;
  /** What a client, or anybody, was allowed to do for a person has ended: what it has open is withdrawn. */
  revoked(who: { readonly sub: string; readonly clientId?: string }): Promise<void>;
  /** The identity provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  called(authReqId: string, notificationToken: string): Promise<boolean>;
  /** Stops all trading of a person, and withdraws what is open. @returns since when, milliseconds since the epoch */
  halt(caller: Pick<Proposer, 'sub' | 'clientId'>): Promise<number>;
  /**
   * From now on a person's positions may only be made smaller: purchases are refused, when they are proposed and when they
   * would be carried out. A halt stays one.
   */
  reduce(caller: Pick<Proposer, 'sub' | 'clientId'>): Promise<TradingStanding>;
  /** A line of the record was noted elsewhere: it reaches the file soon. */
  noted(): void;
  /** How far a person's trading goes. */
  trading(sub: string): Promise<TradingStanding>;
  /**
   * Asks what became of one of unknown outcome, or of an open order, with the token of whoever looks. After a look at an
   * unknown one its finding stands for a second, whoever asks.
   */
  settle(proposal: StoredProposal, asker: Proposer): Promise<StoredProposal>;
  /** Takes up whatever an earlier process left open. */
  start(): void;
  /** Has those of unknown outcome that nobody supervises asked about again. */
  pursueUnknown(): Promise<void>;
  /**
   * An order of a person's was found at the broker, and the journal has it as placed: corrects the proposal that it belongs to.
   * @returns `unexplained` where no proposal accounts for it
   */
  orderFound(sub: string, subjectId: string): Promise<'accounted' | 'unexplained'>;
  /** With whose token a person's accounts may be asked about; undefined where none is known. */
  askerOf(sub: string): Proposer | undefined;
  /** Stops waiting and asking; what is being carried out is finished first. */
  close(): Promise<void>;
}

/** How many of a person's latest are followed again when they watch. */
const MOST_RESUMED = 100;
/** How long the answer to a new proposal waits for the phone to ring. */
const FIRST_WAIT_MS = 5_000;
/** Waits before what an earlier process left open is read again, where that failed, milliseconds; the last goes on. */
const START_WAITS_MS = [1_000, 5_000, 15_000] as const;

/**
 * The kernel of approvals.
 * @example
 * ```ts
 * import { createApprovalKernel, type KernelOptions } from './kernel.ts';
 * import type { ProposingCaller } from './propose.ts';
 * import type { ProposalRequest } from '../trading/proposal.ts';
 *
 * // The person is asked, and what they approve is carried out, whether or not anybody waits for it here.
 * export async function ask(options: KernelOptions, caller: ProposingCaller, request: ProposalRequest): Promise<string> {
 *   const kernel = createApprovalKernel(options);
 *   kernel.start();
 *   const { proposal } = await kernel.propose(caller, request, 'a key of its own');
 *   return `${proposal.code} is ${proposal.state}`;
 * }
 * ```
 */
export function createApprovalKernel(options: KernelOptions): ApprovalKernel {
  const { store, halts, audit, clock } = options;
  const closing = new AbortController();
  const changes = createChanges(clock);
  const watching = { store, clock, changes };
  const attendants = createAttendants({ ...options, changes, signal: closing.signal });
  const parts = { ...options, attendants };
  const takeIn = createProposing(options);
  const settle = createSettling(parts, closing.signal);
  let started = Promise.resolve();

  const kernel: ApprovalKernel = {
    async propose(caller, request, key) {
      attendants.seen(caller);
      const proposed = await takeIn(caller, request, key);
      const { proposal, isNew } = proposed;
      if (!isNew) {
        // Its first request may have been cut off right after the row was written.
        if (proposal.state === 'drafted') attendants.begin(proposal.id, 'drafted');
        return proposed;
      }
      failpoint('proposal.drafted');
      attendants.moved({ outcome: 'moved', proposal });
      attendants.begin(proposal.id, 'drafted');
      return { proposal: await changeOf(watching, proposal, FIRST_WAIT_MS, [closing.signal]), isNew };
    },

    async find(sub, id) {
      const found = await store.get(id);
      if (found !== undefined && isParty(found, sub)) return found;
      throw new Refusal(404, 'not_found', 'there is no such proposal of yours', {
        hint: 'List them with "trade-agent approvals".',
      });
    },

    keyed: async (key) => (await store.keyed(key))?.proposal,
    list: (sub, { state, limit }) => store.list({ party: sub, state, limit }),
    awaitChange: (id, version, ms, signal) =>
      changeOf(watching, { id, version }, ms, [signal, closing.signal]),
    async watched(asker) {
      attendants.seen(asker);
      const latest = await store.list({ party: asker.sub, state: 'all', limit: MOST_RESUMED });
      for (const { id, sub, state } of latest)
        if (state === 'executed' && sub === asker.sub) attendants.resume(id);
    },
    follow: (sub, version, signal) => changesOf(watching, sub, version, [signal, closing.signal]),
    news: () => changes.listen('anybody'),
    withdraw: async (sub, id) => withdraw(parts, await kernel.find(sub, id)),
    revoked: async (who) => {
      await withdrawRevoked(parts, who);
      audit.flushSoon();
    },
    called: attendants.called,

    async halt(caller) {
      const since = await haltTrading(parts, caller);
      audit.flushSoon();
      return since;
    },

    async reduce({ sub, clientId }) {
      const standing = await halts.reduce(sub, clientId, undefined, clock.now());
      audit.flushSoon();
      return standing;
    },

    noted: () => audit.flushSoon(),
    trading: (sub) => halts.standing(sub, clock.now()),
    settle,

    start() {
      const { others } = options;
      started =
        others === undefined
          ? takeUp(parts, closing.signal)
          : withOthers({ ...parts, others, changes }, closing.signal);
    },

    async pursueUnknown() {
      for (const id of await store.openIds('unknown')) attendants.begin(id, 'found');
    },
    orderFound: (sub, subjectId) => orderFound(parts, sub, subjectId),
    askerOf: attendants.askerOf,

    async close() {
      closing.abort();
      await started;
      await attendants.ended();
      await audit.flush().catch(() => {
        // It stays noted in the store.
      });
    },
  };
  return kernel;
}

type Parts = KernelOptions & { readonly attendants: Attendants };

/** Also where it can't be read at first: an open proposal is not left alone. */
async function takeUp(
  { store, audit, clock, attendants, onError }: Parts,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      for (const id of await store.openIds()) attendants.begin(id, 'found');
      await attendants.tellUntold();
      audit.flushSoon();
      return;
    } catch (error) {
      onError(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown');
      const wait = START_WAITS_MS[Math.min(failures, START_WAITS_MS.length - 1)] ?? 0;
      await clock.sleep(wait, signal).catch(() => undefined);
    }
  }
}

/** What a proposal came to is asked for again, and proof corrects what was reported. */
async function orderFound(
  parts: Parts,
  sub: string,
  subjectId: string,
): Promise<'accounted' | 'unexplained'> {
  const { store, kindOf, moves, attendants } = parts;
  const proposal = await store.ofSubject(sub, subjectId);
  if (proposal === undefined) return 'unexplained';
  const { id, kind, state, subject, result } = proposal;
  if (state === 'unknown' || state === 'executing') {
    attendants.begin(id, 'found');
    return 'accounted';
  }
  if (state !== 'expired' && state !== 'executed') return 'unexplained';
  const { isCorrected } = kindOf(kind);
  if (state === 'executed' && isCorrected === undefined) return 'accounted';
  const asker = attendants.askerOf(sub) ?? withoutToken(sub);
  const found = await kindOf(kind).settle(subject, asker);
  if (found?.outcome !== 'executed') return 'accounted';
  if (state === 'expired') {
    await recordExecuted({ ...parts, moved: attendants.moved }, proposal, found.result);
    return 'accounted';
  }
  // Of a batch some lines may have been placed before: what its result says of the others is corrected.
  if (isCorrected?.(result, found.result) !== true) return 'accounted';
  attendants.moved(await moves.recordResult(proposal, found.result, await placedLate(parts, proposal)));
  return 'accounted';
}

/** The owner's, or of who proposed it. */
function isParty({ sub, proposedBy }: StoredProposal, who: string): boolean {
  return sub === who || proposedBy === who;
}
