/** How long a process keeps a proposal that it claimed, in milliseconds, unless it renews the claim. */
export const CLAIM_MS = 15_000;
/**
 * Maximum time until a proposal's next step, in milliseconds. A later time was set by a clock that has since been set
 * back, so it counts as due.
 */
export const MAX_STEP_DELAY_MS = 600_000;
/** How long a new proposal is reserved for the process that drafted it, in milliseconds. */
export const DRAFT_CLAIM_MS = 5_000;
/** Time from a proposal's end to the check that the phone was notified, in milliseconds. `markReported` cancels it. */
export const NOTIFY_CHECK_MS = 60_000;

/**
 * The proposals as a queue: the row of each open proposal has the time of its next step, so that a proposal that waits
 * for a decision takes no memory. A process claims a proposal before it works on it, and releases it afterwards. If the
 * process dies, its claim ends after {@link CLAIM_MS}, and the proposal is due. Claims only keep a person from being
 * asked twice. The journal, and the version check on each change, ensure that only one order is sent.
 *
 * `now` is in milliseconds since the epoch. A database that several processes share ignores it and uses its own clock.
 */
export interface ProposalQueue {
  /** Makes all unclaimed open proposals due, because pings may have been missed. */
  makeAllDue(now: number): Promise<void>;
  /**
   * Claims at most `limit` due proposals, the longest overdue first.
   * @returns their IDs, and the milliseconds until the next proposal is due; undefined if no step is planned
   */
  claimDue(limit: number, now: number): Promise<{ readonly ids: readonly string[]; readonly nextMs?: number }>;
  /**
   * Claims a proposal, whether or not it is due. Returns false if another live process has claimed it. If `isPing`, the
   * proposal is then due as soon as that process releases it.
   */
  claim(id: string, isPing: boolean): Promise<boolean>;
  /**
   * Ends this process's claim. Does nothing if another process has since claimed the proposal.
   * @param ms milliseconds until the next step of an open proposal; undefined if no step is planned
   * @returns whether the proposal is due at once
   */
  release(id: string, ms: number | undefined, now: number): Promise<boolean>;
  /** Returns how many milliseconds ago the longest overdue proposal became due; 0 if none is due. */
  overdueMs(now: number): Promise<number>;
  /** Renews this process's claims. Returns the IDs of the proposals whose claims this process has lost. */
  renew(ids: readonly string[]): Promise<string[]>;
}
