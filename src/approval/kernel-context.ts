import canonicalize from 'canonicalize';
import { errorText } from '../errors/error-text.ts';
import type { StoredProposal } from '../store/proposal-store.ts';
import { isSettledState } from '../trading/proposal.ts';
import { NO_TOKEN } from './access.ts';
import { Changes } from './changes.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Approved, Proposer } from './kind.ts';
import type { Move } from './moves.ts';
import { OutcomeNotices } from './outcome-notices.ts';

/** People whose last token is remembered; whoever was away longest is forgotten first. */
const MOST_ASKERS = 10_000;

/** What a look at a result came to: nothing more will change, it did change, or it may later. */
export type ResultLook = 'over' | 'changed' | 'same';

/** What all proposals of this process share while they are supervised and carried out. */
export class KernelContext {
  readonly parts: KernelParts;
  /** Aborts when the gateway closes. */
  readonly signal: AbortSignal;
  readonly changes: Changes;
  readonly #notices: OutcomeNotices;
  /** By person, in memory and nowhere else. */
  readonly #askers = new Map<string, Proposer>();

  constructor(parts: KernelParts, signal: AbortSignal) {
    this.parts = parts;
    this.signal = signal;
    this.changes = new Changes(parts.clock);
    this.#notices = new OutcomeNotices(parts, this.changes, signal);
  }

  /** Reports an internal error to whoever runs the gateway, unless the gateway is closing. */
  fail(error: unknown): void {
    if (this.signal.aborted) return;
    this.parts.onError(errorText(error));
  }

  /** Tells listeners, other gateways and the phone of a move, and has its audit line reach the file. */
  announce({ outcome, proposal }: Move): void {
    if (outcome !== 'moved') return;
    const { audit, others, kindOf } = this.parts;
    audit.flushSoon();
    this.changes.tell(proposal);
    others?.tell({ moved: proposal.id });
    this.#notices.tellOutcome(proposal);
    const { kind, subject, sub, state } = proposal;
    if (!isSettledState(state) || state === 'executed') return;
    // What has ended without being carried out keeps nothing ready. If the process dies first, reconciliation does it.
    kindOf(kind)
      .abandon?.(subject, sub)
      .catch((error) => this.fail(error));
  }

  /** Writes all audit lines to the file now. Returns false, and reports the error, if they can't be written. */
  async record(): Promise<boolean> {
    try {
      await this.parts.audit.flush();
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /** Tells the phone that a proposal is being sent, if that takes a moment. */
  tellSending(proposal: StoredProposal): void {
    this.#notices.tellSending(proposal);
  }

  /** Tells the phone what an earlier process died before telling. */
  async tellUntold(): Promise<void> {
    for (const proposal of await this.parts.store.untold()) this.#notices.tellOutcome(proposal);
  }

  /** Remembers with whose token a person's accounts may be asked about. */
  remember(asker: Proposer): void {
    // The gateway itself comes without a token: a session that is at hand is of more use.
    if (asker.accessToken === NO_TOKEN && this.#askers.has(asker.sub)) return;
    this.#askers.delete(asker.sub);
    this.#askers.set(asker.sub, asker);
    if (this.#askers.size > MOST_ASKERS) this.#askers.delete(this.#askers.keys().next().value ?? '');
  }

  /** Remembers an approval's token, so that the outcome can be looked up after a restart, when no session is known. */
  rememberApproval({ sub, clientId = '', accessToken }: Approved): void {
    if (accessToken !== NO_TOKEN && !this.#askers.has(sub)) this.remember({ sub, clientId, accessToken });
  }

  /** With whose token a person's accounts may be asked about; undefined if none came by since the gateway started. */
  askerOf(sub: string): Proposer | undefined {
    return this.#askers.get(sub);
  }

  /** Looks once at what an executed proposal came to, and records a change. */
  async lookAtResult(id: string, asker: Proposer): Promise<ResultLook> {
    const { store, moves, kindOf } = this.parts;
    const proposal = await store.get(id);
    if (proposal?.state !== 'executed') return 'over';
    const kind = kindOf(proposal.kind);
    const result = await kind.follow?.(proposal.subject, proposal.result, asker);
    if (result === undefined) return 'over';
    if (canonicalize(result) === canonicalize(proposal.result)) return 'same';
    // If somebody else has recorded another result meanwhile, theirs stays until the next look.
    const move = await moves.recordResult(proposal, result);
    this.announce(move);
    return move.outcome === 'moved' && kind.isOver?.(result) === true ? 'over' : 'changed';
  }

  /** Resolves when no phone is being told anything. To be called once the signal has aborted. */
  async ended(): Promise<void> {
    await this.#notices.ended();
  }
}
