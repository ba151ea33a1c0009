import type { Clock } from '../../machine/clock.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { KernelDeps } from '../kernel-deps.ts';

/** Maximum number of kept pings whose question is not stored yet, because the person approved very quickly. */
const MAX_EARLY_PINGS = 1_000;
/** Maximum length of a kept token. Our notification tokens are shorter, so longer ones are not kept. */
const MAX_NOTIFICATION_TOKEN_LENGTH = 128;
/**
 * Interval between polls that make up for lost pings, across all proposals. Without it, ten thousand open proposals
 * would keep gateway and provider busy for nothing, and thousands of long polls open.
 */
const LOST_PING_POLL_INTERVAL_MS = 400;
/** Interval between the first polls after a restart or a missed message, since pings may have been missed. */
const RESTART_POLL_INTERVAL_MS = 20;

/** Spreads out work that is requested simultaneously: gives turns at a fixed interval, in the order of requests. */
export class TurnLimiter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #apartMs: number;
  #asked = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>, apartMs: number) {
    this.#clock = clock;
    this.#apartMs = apartMs;
  }

  /** Takes the next turn. @returns milliseconds until the turn; 0 for now */
  take(): number {
    const now = this.#clock.now();
    // The clock was set back: turns that were given out by it would now be far away.
    const at = now < this.#asked ? now : Math.max(now, this.#next);
    this.#asked = now;
    this.#next = at + this.#apartMs;
    return at - now;
  }
}

/**
 * Finds the proposals that the identity provider's pings (CIBA Core §10.2) are about, and paces the polls that make up
 * for lost pings.
 */
export class ProviderPings {
  /** Turns of polls that make up for lost pings. */
  readonly uncalled: TurnLimiter;
  /** Turns of polls after a restart or a missed message. */
  readonly restarted: TurnLimiter;
  readonly #parts: KernelDeps;
  /** Notification tokens by `auth_req_id`, of pings whose question is not stored yet. The oldest are dropped first. */
  readonly #early = new Map<string, string>();

  constructor(parts: KernelDeps) {
    this.#parts = parts;
    this.uncalled = new TurnLimiter(parts.clock, LOST_PING_POLL_INTERVAL_MS);
    this.restarted = new TurnLimiter(parts.clock, RESTART_POLL_INTERVAL_MS);
  }

  /** Returns the open proposal that a ping is about; undefined if its question is not stored yet. */
  async findProposal(authReqId: string, notificationToken: string): Promise<StoredProposal | undefined> {
    const { store, notificationTokens } = this.#parts;
    let proposal = await store.byAuthReqId(authReqId);
    if (proposal === undefined) {
      this.#remember(authReqId, notificationToken);
      // The id may have been stored during that read, and nobody would look for an early ping again.
      proposal = await store.byAuthReqId(authReqId);
      if (proposal === undefined) return undefined;
      this.takeEarlyPing(proposal);
    }
    const isAsked = !isSettledState(proposal.state) && notificationTokens.isTokenFor(notificationToken, proposal);
    return isAsked ? proposal : undefined;
  }

  /** Whether a ping came before the proposal's question was stored. Returns true only once per ping. */
  takeEarlyPing(proposal: StoredProposal): boolean {
    const { authReqId = '' } = proposal;
    const notificationToken = this.#early.get(authReqId);
    this.#early.delete(authReqId);
    return notificationToken !== undefined && this.#parts.notificationTokens.isTokenFor(notificationToken, proposal);
  }

  #remember(authReqId: string, notificationToken: string): void {
    if (notificationToken.length > MAX_NOTIFICATION_TOKEN_LENGTH) return;
    if (this.#early.size >= MAX_EARLY_PINGS) this.#early.delete(this.#early.keys().next().value ?? '');
    this.#early.set(authReqId, notificationToken);
  }
}
