import type { Clock } from '../../machine/clock.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { KernelParts } from '../kernel-parts.ts';

/** Calls remembered that came before their question's answer was in its row: a quick thumb. */
const MOST_EARLY_CALLS = 1_000;
/** Longer than any notification token of ours: it is no call to remember. */
const LONGEST_NOTIFICATION_TOKEN = 128;
/**
 * Between polls for calls that may have got lost, of all proposals together: with ten thousand open they would otherwise
 * keep gateway and provider busy with nothing, and one that holds its polls would hold thousands.
 */
const UNCALLED_APART_MS = 400;
/** Between the first polls after a restart, or after news were missed: a call may have come while nobody listened. */
const RESTARTED_APART_MS = 20;

/** Spreads out what many would do at once: turns that are so many milliseconds apart, in the order of asking. */
export class Pacer {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #apartMs: number;
  #asked = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>, apartMs: number) {
    this.#clock = clock;
    this.#apartMs = apartMs;
  }

  /** Takes the next turn. @returns milliseconds until then; 0 where it is at once */
  take(): number {
    const now = this.#clock.now();
    // A clock that was set back: the turns given out by it would now be far away.
    const at = now < this.#asked ? now : Math.max(now, this.#next);
    this.#asked = now;
    this.#next = at + this.#apartMs;
    return at - now;
  }
}

/** The identity provider's calls back (CIBA Core §10.2), and when to poll for those that may have got lost. */
export class ProviderCalls {
  /** Turns of polls for calls that may have got lost. */
  readonly uncalled: Pacer;
  /** Turns of polls for calls that came while nobody listened. */
  readonly restarted: Pacer;
  readonly #parts: KernelParts;
  /** Notification tokens by `auth_req_id`, of calls for questions that no row has yet; the oldest are forgotten. */
  readonly #early = new Map<string, string>();

  constructor(parts: KernelParts) {
    this.#parts = parts;
    this.uncalled = new Pacer(parts.clock, UNCALLED_APART_MS);
    this.restarted = new Pacer(parts.clock, RESTARTED_APART_MS);
  }

  /** Which open proposal the provider calls about; undefined for none, as far as is known yet. */
  async proposalOf(authReqId: string, notificationToken: string): Promise<StoredProposal | undefined> {
    const { store, notificationTokens } = this.#parts;
    let proposal = await store.byAuthReqId(authReqId);
    if (proposal === undefined) {
      this.#remember(authReqId, notificationToken);
      // Its answer may have come into the row while that was read, and nobody would look for an early call again.
      proposal = await store.byAuthReqId(authReqId);
      if (proposal === undefined) return undefined;
      this.cameFor(proposal);
    }
    const isAsked = !isSettledState(proposal.state) && notificationTokens.isOf(notificationToken, proposal);
    return isAsked ? proposal : undefined;
  }

  /** Whether a call came before the proposal's question was in its row; says so once. */
  cameFor(proposal: StoredProposal): boolean {
    const { authReqId = '' } = proposal;
    const notificationToken = this.#early.get(authReqId);
    this.#early.delete(authReqId);
    return (
      notificationToken !== undefined && this.#parts.notificationTokens.isOf(notificationToken, proposal)
    );
  }

  #remember(authReqId: string, notificationToken: string): void {
    if (notificationToken.length > LONGEST_NOTIFICATION_TOKEN) return;
    if (this.#early.size >= MOST_EARLY_CALLS) this.#early.delete(this.#early.keys().next().value ?? '');
    this.#early.set(authReqId, notificationToken);
  }
}
