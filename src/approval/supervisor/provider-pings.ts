import { createHash } from 'node:crypto';
import type { Clock } from '../../machine/clock.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { KernelDeps } from '../kernel-deps.ts';

/**
 * Minimum interval, in milliseconds, between the polls that make up for lost pings, across all proposals of this
 * process. Otherwise, a restart could make all of them due at once, and delay pings about proposals that were just
 * approved.
 */
const LOST_PING_POLL_INTERVAL_MS = 10;

/**
 * Limits the rate of work that is requested simultaneously: grants turns at a fixed interval, first come, first served.
 */
export class TurnLimiter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #apartMs: number;
  #asked = Number.NEGATIVE_INFINITY;
  #next = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>, apartMs: number) {
    this.#clock = clock;
    this.#apartMs = apartMs;
  }

  /** Takes the next turn. @returns milliseconds until the turn; 0 if it is now */
  take(): number {
    const now = this.#clock.now();
    // If the clock was set back, the turns that were given out before would now be far away.
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
  readonly turns: TurnLimiter;
  readonly #parts: KernelDeps;

  constructor(parts: KernelDeps) {
    this.#parts = parts;
    this.turns = new TurnLimiter(parts.clock, LOST_PING_POLL_INTERVAL_MS);
  }

  /** Returns the open proposal that a ping is about; undefined if its `authReqId` or the token is unknown. */
  async findProposal(authReqId: string, notificationToken: string): Promise<StoredProposal | undefined> {
    const { store, notificationTokens, earlyPings, clock } = this.#parts;
    let proposal = await store.byAuthReqId(authReqId);
    if (proposal === undefined) {
      // Only tokens that a gateway made are stored. Otherwise anybody could fill the database.
      if (!notificationTokens.isOwn(notificationToken)) return undefined;
      await earlyPings.add(pingDigest(authReqId, notificationToken), clock.now());
      // The gateway that stores the question finds this ping afterwards, unless the question is already stored by now.
      proposal = await store.byAuthReqId(authReqId);
    }
    if (proposal === undefined || isSettledState(proposal.state)) return undefined;
    return notificationTokens.isTokenFor(notificationToken, proposal) ? proposal : undefined;
  }

  /** Returns whether a ping arrived before the proposal's `auth_req_id` was stored; true only once per ping. */
  async takeEarlyPing(proposal: StoredProposal): Promise<boolean> {
    const { notificationTokens, earlyPings } = this.#parts;
    const { authReqId = '' } = proposal;
    return await earlyPings.take(notificationTokens.all(proposal).map((token) => pingDigest(authReqId, token)));
  }
}

/** Returns the hash that is stored for an early ping, so that the store never contains the ping's token. */
function pingDigest(authReqId: string, notificationToken: string): string {
  return createHash('sha256').update(`${authReqId} ${notificationToken}`).digest('base64url');
}
