/* Schedules of many people on a server. A sweep of a tenant reads when the schedules are due, but not their content. */

/** A schedule. The store returns all of its members unchanged, including members that this type doesn't list. */
export interface StoredSchedule {
  readonly id: string;
  readonly name: string | null;
  readonly timing: unknown;
}

/** Which scheduled times have been handled (`schedule/decide-run.ts`), in milliseconds since the epoch. */
export interface ScheduleProgress {
  /** The latest handled scheduled time. All earlier ones are handled, too. */
  readonly handled: number;
  /** A scheduled time whose run has started but not finished, and the number of attempts. Null if there is none. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

interface ScheduleTimes extends ScheduleProgress {
  /** Time when a worker will next check the schedule. Null if only a price or a person can trigger a run. */
  readonly wakeAt: number | null;
  /** Time when a person or a price requested an immediate run that has not happened yet. Null if there is none. */
  readonly askedAt: number | null;
  /** Incremented when a run begins, so that earlier runs can no longer write. */
  readonly epoch: number;
}

export interface ScheduleRow<Schedule, Run> extends ScheduleTimes {
  readonly schedule: Schedule;
  readonly last: Run | undefined;
}

/**
 * `above` and `below` compare the limit with a price in dollars. `up` and `down` compare the limit with the change
 * since the previous close, as a fraction.
 */
const conditionSides = ['above', 'below', 'up', 'down'] as const;
export type PriceConditionSide = (typeof conditionSides)[number];

/** A price limit from a schedule's rule. Numbers are decimal strings: for `down` by 5%, the limit is `-0.05`. */
export interface PriceCondition {
  readonly rule: string;
  readonly symbol: string;
  readonly side: PriceConditionSide;
  readonly limit: string;
  /** Value at which a triggered condition is armed again. */
  readonly back: string;
}

export interface NewSchedule<Schedule> {
  readonly schedule: Schedule;
  readonly key: string;
  readonly request: string;
  /** Time of creation, in milliseconds since the epoch. Scheduled times before the creation are never due. */
  readonly now: number;
  readonly wakeAt: number | null;
  /** Prices that trigger runs. Empty for a schedule that runs only at scheduled times. */
  readonly conditions: readonly PriceCondition[];
}

export type ScheduleRevision<Schedule> = Pick<NewSchedule<Schedule>, 'schedule' | 'wakeAt' | 'conditions'>;

/** `there`: the same request already added a schedule. `conflict`: the key was used for a different request. */
export type AddScheduleResult<Schedule> =
  | { readonly outcome: 'added' | 'there'; readonly schedule: Schedule }
  | { readonly outcome: 'conflict' | 'name_taken' | 'too_many' };

export interface ScheduleRunEnd<Run> extends ScheduleProgress {
  readonly run: Run;
  /** `askedAt` of the request that this run fulfilled. Undefined if the request must be retried. */
  readonly answers?: number;
  /** Time of the next attempt to handle the same scheduled time, unless `wakeAt` is earlier. */
  readonly wakeBy?: number;
  /**
   * Findings that are still open. The conditions of these findings are disarmed, and all other conditions are armed.
   * Undefined if the run could not complete its check.
   */
  readonly standing?: readonly { readonly rule: string; readonly subject: string }[];
  /** Proposals with an unknown outcome. The same transaction enqueues a `reconcile` job for each. */
  readonly unknown?: readonly string[];
}

/** One person's schedules. Each method is one transaction, which also enqueues the jobs that the change requires. */
export interface ScheduleRows<Schedule extends StoredSchedule, Run> {
  /** Returns the schedules in the order in which they were created. */
  list(): Promise<ScheduleRow<Schedule, Run>[]>;
  find(idOrName: string): Promise<ScheduleRow<Schedule, Run> | undefined>;
  /** Adds a schedule. @param most maximum number of schedules per person */
  add(schedule: NewSchedule<Schedule>, most: number): Promise<AddScheduleResult<Schedule>>;
  /**
   * Replaces a schedule's content, but keeps its ID, name and runs. Conditions that are in both the old and the
   * new content stay armed or disarmed.
   * @returns false, with nothing written, if the schedule was changed or removed since `seen` was read
   */
  revise(seen: Schedule, to: ScheduleRevision<Schedule>): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  /** Returns a schedule's runs, newest first. */
  runs(id: string, limit: number): Promise<Run[]>;
  /**
   * Enqueues a `check` job that runs immediately.
   * @param key idempotency key
   * @returns the time of the request, or undefined if there is no such schedule
   */
  requestRun(id: string, key: string, now: number): Promise<number | undefined>;
  /**
   * Begins a run. An earlier run that never ended is recorded with the result of `died`, and can no longer write.
   * @returns the new run's epoch, or undefined if the schedule was removed, or another run began after `seen` was read
   */
  begin(
    id: string,
    seen: number,
    begun: ScheduleProgress & { readonly run: Run },
    died: (run: Run) => Run,
  ): Promise<number | undefined>;
  /** Records the progress if no run is due. Returns false if a run has begun after the epoch `seen` was read. */
  recordProgress(id: string, seen: number, progress: ScheduleProgress): Promise<boolean>;
  /** Ends a run. Returns false, with nothing written, if another run has begun in the meantime. */
  end(id: string, epoch: number, end: ScheduleRunEnd<Run>): Promise<boolean>;
}

/** The part of a schedule that a sweep of the tenant reads. */
export interface DueSchedule extends ScheduleProgress {
  readonly person: string;
  readonly schedule: string;
  readonly timing: unknown;
}

export interface WakePlan {
  readonly wakeAt: number | null;
  /** Whether to enqueue a `check` job now. */
  readonly isDue: boolean;
}

export interface ScheduleBacklog {
  /** Number of schedules whose wake time has passed. */
  readonly due: number;
  /** Number of schedules whose enqueued job has not started. */
  readonly queued: number;
}

/** A symbol's current price, or its change since the previous close. */
export interface ObservedValue {
  readonly symbol: string;
  readonly side: PriceConditionSide;
  /** A price in dollars, or a change as a fraction of the previous close. A decimal string. */
  readonly value: string;
}

/** The schedules of all users of a tenant: their times and price limits, but not their content. */
export interface TenantSchedules {
  /** Counts at most `MAX_COUNTED` schedules of each kind. */
  waiting(now: number): Promise<ScheduleBacklog>;
  /**
   * Takes up to `most` due schedules that no other sweep has locked, sets their next wake times, and enqueues their
   * jobs. All of this is one transaction, so that a job is enqueued only once for each scheduled time.
   * @param plan a pure function
   * @returns the number of schedules taken
   */
  sweep(now: number, most: number, plan: (woken: readonly DueSchedule[]) => readonly WakePlan[]): Promise<number>;
  watched(): Promise<string[]>;
  watchers(symbols: readonly string[], limit: number): Promise<string[]>;
  /**
   * Triggers armed conditions whose limit was crossed, and re-arms triggered conditions whose value is back in range.
   * Enqueues a job for each affected schedule. If several workers observe the same value, a condition is changed only
   * once, and not again for some minutes.
   * @returns the number of changed conditions
   */
  applyObserved(seen: readonly ObservedValue[], now: number): Promise<number>;
  /** Returns the people who have a schedule that follows market hours. */
  marketPeople(limit: number): Promise<string[]>;
}

export interface CalendarRows<Calendar> {
  get(): Promise<Calendar | undefined>;
  put(calendar: Calendar): Promise<void>;
}

/** Leases on tasks that only one worker at a time may do. The database's clock decides whether a lease has expired. */
export interface WorkerLeases {
  /** Takes or extends a lease. Returns false if another worker holds it. */
  hold(name: string, forMs: number): Promise<boolean>;
  all(): Promise<readonly { readonly name: string; readonly isHeld: boolean }[]>;
  release(): Promise<void>;
}
