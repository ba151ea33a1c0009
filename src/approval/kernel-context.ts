import canonicalize from 'canonicalize';
import { errorText } from '../errors/error-text.ts';
import type { StoredProposal } from '../store/proposal-store.ts';
import { isSettledState, type ProposalState } from '../trading/proposal.ts';
import { NO_TOKEN } from './access.ts';
import { ChangeNotifier } from './change-notifier.ts';
import type { Outcome } from './ciba/ciba-port.ts';
import { getApprovalRequestIds } from './ciba-request.ts';
import type { KernelDeps } from './kernel-deps.ts';
import type { Approval, Proposer } from './kind.ts';
import type { TransitionResult } from './transitions.ts';

/** Maximum number of people whose latest session is kept in memory; the least recently used one is dropped first. */
const MAX_REMEMBERED_SESSIONS = 10_000;

/** The outcome of reading a result: it can no longer change, it has changed, or it is the same but may still change. */
export type ResultCheckOutcome = 'over' | 'changed' | 'same';

/** The state that a process shares among all proposals that it supervises and executes. */
export class KernelContext {
  readonly parts: KernelDeps;
  /** Aborts when the gateway closes. */
  readonly signal: AbortSignal;
  readonly changes: ChangeNotifier;
  readonly #notices: OutcomeNotifier;
  /** The latest session of each person, in memory only. */
  readonly #sessions = new Map<string, Proposer>();

  constructor(parts: KernelDeps, signal: AbortSignal) {
    this.parts = parts;
    this.signal = signal;
    this.changes = new ChangeNotifier(parts.clock);
    this.#notices = new OutcomeNotifier(parts, this.changes, signal);
  }

  /** Reports an internal error, unless the gateway is closing. */
  fail(error: unknown): void {
    if (this.signal.aborted) return;
    this.parts.onError(errorText(error));
  }

  /**
   * Publishes a transition to listeners, other gateways and the phone, and schedules the sequencing of its audit line. If
   * the proposal ended without being executed, releases its reservation.
   */
  announce({ outcome, proposal }: TransitionResult): void {
    if (outcome !== 'moved') return;
    const { audit, others, getKind, onProposal } = this.parts;
    onProposal?.(proposal);
    audit.sequenceSoon();
    this.changes.notify(proposal);
    others?.notify({ moved: proposal.id });
    this.#notices.notifyOutcome(proposal);
    const { kind, subject, sub, state } = proposal;
    if (!isSettledState(state) || state === 'executed') return;
    // If the process dies before this, reconciliation releases the reservation.
    getKind(kind)
      .abandon?.(subject, sub)
      .catch((error) => this.fail(error));
  }

  /** Notifies the phone that a proposal is being sent, unless sending is finished within {@link SENDING_DELAY_MS}. */
  notifySending(proposal: StoredProposal): void {
    this.#notices.notifySending(proposal);
  }

  /** Sends the outcome notifications that an earlier process did not send before it ended. */
  async notifyUnnotified(): Promise<void> {
    for (const proposal of await this.parts.store.unreported()) this.#notices.notifyOutcome(proposal);
  }

  /** Remembers a session, so that the person's accounts can be looked up with it. */
  remember(session: Proposer): void {
    // A session with a token is not replaced by one without, such as the gateway's own.
    if (session.accessToken === NO_TOKEN && this.#sessions.has(session.sub)) return;
    this.#sessions.delete(session.sub);
    this.#sessions.set(session.sub, session);
    if (this.#sessions.size > MAX_REMEMBERED_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value ?? '');
  }

  /** If there is no session, such as after a restart, remembers an approval's token, to look up the outcome with it. */
  rememberApproval({ sub, clientId = '', accessToken }: Approval): void {
    if (accessToken !== NO_TOKEN && !this.#sessions.has(sub)) this.remember({ sub, clientId, accessToken });
  }

  /**
   * Returns the session with which a person's accounts can be looked up; undefined if none of the person's clients has
   * called since the gateway started.
   */
  latestSession(sub: string): Proposer | undefined {
    return this.#sessions.get(sub);
  }

  /** Reads the result of an executed proposal once, and records it if it has changed. */
  async checkResult(id: string, session: Proposer): Promise<ResultCheckOutcome> {
    const { store, moves, getKind } = this.parts;
    const proposal = await store.get(id);
    if (proposal?.state !== 'executed') return 'over';
    const kind = getKind(proposal.kind);
    const result = await kind.follow?.(proposal.subject, proposal.result, session);
    if (result === undefined) return 'over';
    if (canonicalize(result) === canonicalize(proposal.result)) return 'same';
    // If another process has recorded a different result meanwhile, that result stays until the next check.
    const move = await moves.recordResult(proposal, result);
    this.announce(move);
    return move.outcome === 'moved' && kind.isOver?.(result) === true ? 'over' : 'changed';
  }

  /** Resolves when no notification is in progress. Call it after the signal has aborted. */
  async ended(): Promise<void> {
    await this.#notices.ended();
  }
}

/** Delays between attempts to notify the phone, in milliseconds; the last one repeats. */
const NOTIFY_RETRY_DELAYS_MS = [1_000, 5_000, 30_000, 300_000] as const;

/**
 * How long the notification "sending" is delayed, in milliseconds. If the proposal is finished by then, only its
 * outcome is reported, and the notification takes no processor time from the execution.
 */
const SENDING_DELAY_MS = 100;

/** The states that are reported to the phone. The phone already shows denials and new requests. */
const notifiedStates: readonly string[] = ['executed', 'cancelled', 'expired', 'blocked', 'unknown'];

class OutcomeNotifier {
  readonly #parts: KernelDeps;
  readonly #changes: ChangeNotifier;
  readonly #signal: AbortSignal;
  /**
   * Notifications in progress, by approval request. Each waits for the previous one, so that the last state is reported
   * last. A newer state cancels an older one that is still waiting to be sent.
   */
  readonly #notifications = new Map<string, { readonly done: Promise<void>; readonly overtaken: AbortController }>();

  /** @param signal aborts when the gateway closes */
  constructor(parts: KernelDeps, changes: ChangeNotifier, signal: AbortSignal) {
    this.#parts = parts;
    this.#changes = changes;
    this.#signal = signal;
  }

  /** Reports that a proposal is being sent, unless a later state supersedes it first. */
  notifySending(proposal: StoredProposal): void {
    const { clock, asking } = this.#parts;
    for (const authReqId of getApprovalRequestIds(proposal)) {
      this.#inOrder(authReqId, async (overtaken) => {
        await clock.sleep(SENDING_DELAY_MS, overtaken).catch(() => undefined);
        if (!overtaken.aborted) await asking.reportOutcome(authReqId, { state: 'executing', text: 'sending' });
      });
    }
  }

  /**
   * Reports the outcome until the provider accepts it or a later outcome supersedes it. After a crash, the gateway
   * resumes the reports when it starts again.
   */
  notifyOutcome(proposal: StoredProposal): void {
    const { asking, getKind } = this.#parts;
    const { authReqId, ownerAuthReqId, state, kind, subject, result, reason } = proposal;
    if (state === 'denied' && ownerAuthReqId !== undefined) {
      // The second approver has denied the proposal, but the owner's phone still shows it as approved. The phone on
      // which it was denied needs no report.
      const outcome = { state: 'blocked', text: reason?.text ?? state } as const;
      this.#inOrder(ownerAuthReqId, async () => void (await asking.reportOutcome(ownerAuthReqId, outcome)));
    }
    if (authReqId === undefined || !isNotifiedState(state)) return;
    const came = state === 'executed' ? getKind(kind).resultText(result, subject) : (reason?.text ?? state);
    const isLate = state === 'executed' && reason?.code === 'placed_late';
    const text = isLate ? `${came}; it had been reported as not placed, but reached the broker later` : came;
    const untold = new Set(getApprovalRequestIds(proposal));
    for (const asked of untold) {
      this.#inOrder(asked, async () => {
        if (!(await this.#reportUntilAccepted(asked, proposal, { state, text }))) return;
        untold.delete(asked);
        if (untold.size === 0) await this.#parts.store.markReported(proposal.id, proposal.version);
      });
    }
  }

  async ended(): Promise<void> {
    await Promise.allSettled([...this.#notifications.values()].map(({ done }) => done));
  }

  /** Repeats the report until it is accepted. Returns false if the gateway closes or the proposal changes first. */
  async #reportUntilAccepted(authReqId: string, { id, version }: StoredProposal, outcome: Outcome): Promise<boolean> {
    const { asking, store } = this.#parts;
    const news = this.#changes.listen({ proposal: id });
    try {
      for (let tries = 0; !(await asking.reportOutcome(authReqId, outcome)); tries++) {
        await news.next(NOTIFY_RETRY_DELAYS_MS[Math.min(tries, NOTIFY_RETRY_DELAYS_MS.length - 1)] ?? 0, [
          this.#signal,
        ]);
        news.forget();
        if (this.#signal.aborted || (await store.get(id))?.version !== version) return false;
      }
      return true;
    } finally {
      news.end();
    }
  }

  #inOrder(authReqId: string, work: (overtaken: AbortSignal) => Promise<void>): void {
    const before = this.#notifications.get(authReqId);
    before?.overtaken.abort();
    const overtaken = new AbortController();
    const done = (before?.done ?? Promise.resolve())
      .then(() => work(overtaken.signal))
      .catch((error) => {
        if (!this.#signal.aborted) this.#parts.onError(errorText(error));
      })
      .finally(() => {
        if (this.#notifications.get(authReqId)?.done === done) this.#notifications.delete(authReqId);
      });
    this.#notifications.set(authReqId, { done, overtaken });
  }
}

function isNotifiedState(state: ProposalState): state is Outcome['state'] {
  return notifiedStates.includes(state);
}
