/* Schedules of many people on a server. A tenant's sweep sees their wake times but not their content. */

/** A schedule. The store keeps members other than these unchanged. */
export interface StoredSchedule {
  readonly id: string;
  readonly name: string | null;
  readonly timing: unknown;
}

/** Which of a schedule's times were handled (`schedule/decide-run.ts`). Times are milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All scheduled times up to and including this one are handled. */
  readonly handled: number;
  /** A scheduled time whose run was started but has not finished, and the number of attempts so far. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

interface ScheduleTimes extends ScheduleProgress {
  /** Time of the next review. Null if only a price or a person can trigger a run. */
  readonly wakeAt: number | null;
  /** When a person or a price requested an immediate run that has not happened yet. Null if there is none. */
  readonly askedAt: number | null;
  /** Incremented when a run begins. Writes by earlier runs are then rejected. */
  readonly epoch: number;
}

export interface ScheduleRow<Schedule, Run> extends ScheduleTimes {
  readonly schedule: Schedule;
  readonly last: Run | undefined;
}

/**
 * `above` and `below` are compared with a price in dollars; `up` and `down`, with the change since the previous close,
 * as a fraction.
 */
const conditionSides = ['above', 'below', 'up', 'down'] as const;
export type ConditionSide = (typeof conditionSides)[number];

/** A limit in one of a schedule's rules. Numbers are decimal strings: `down` by 5 % is `-0.05`. */
export interface Condition {
  readonly rule: string;
  readonly symbol: string;
  readonly side: ConditionSide;
  readonly limit: string;
  /** Value at which the condition is armed again. */
  readonly back: string;
}

export interface NewSchedule<Schedule> {
  readonly schedule: Schedule;
  /** The client's idempotency key. */
  readonly key: string;
  /** Digest of the request that was sent with the key. */
  readonly request: string;
  /** Time of creation, in milliseconds since the epoch. Scheduled times before it are never due. */
  readonly now: number;
  readonly wakeAt: number | null;
  /** Empty for a schedule that only runs at set times. */
  readonly conditions: readonly Condition[];
}

export type ScheduleRevision<Schedule> = Pick<NewSchedule<Schedule>, 'schedule' | 'wakeAt' | 'conditions'>;

/** `there`: the same request was already added with this key. `conflict`: the key was used for a different request. */
export type AddScheduleResult<Schedule> =
  | { readonly outcome: 'added' | 'there'; readonly schedule: Schedule }
  | { readonly outcome: 'conflict' | 'name_taken' | 'too_many' };

/** How a run ended, and the schedule's progress after it. */
export interface RunEnd<Run> extends ScheduleProgress {
  readonly run: Run;
  /** The `askedAt` of the request that this run answers. Undefined if the request must be retried. */
  readonly answers?: number;
  /** A time before the planned `wakeAt`, at which the same scheduled time is tried again. */
  readonly wakeBy?: number;
  /**
   * Findings that are open. Their conditions are disarmed, and all other conditions are armed. Undefined if the run
   * could not check.
   */
  readonly standing?: readonly { readonly rule: string; readonly subject: string }[];
  /** Proposals with an unknown outcome. For each, a `reconcile` job is enqueued in the same transaction. */
  readonly unknown?: readonly string[];
}

/** One person's schedules. Each method is one transaction, which also enqueues the jobs. */
export interface ScheduleRows<Schedule extends StoredSchedule, Run> {
  /** In the order in which they were created. */
  list(): Promise<ScheduleRow<Schedule, Run>[]>;
  /** Finds a schedule by ID or name. */
  find(idOrName: string): Promise<ScheduleRow<Schedule, Run> | undefined>;
  /** @param most the maximum number of schedules */
  add(schedule: NewSchedule<Schedule>, most: number): Promise<AddScheduleResult<Schedule>>;
  /**
   * Replaces a schedule's content, but keeps its ID, name and runs. Unchanged conditions stay armed or disarmed.
   * @returns false, with nothing written, if the schedule was changed or removed since `seen` was read
   */
  revise(seen: Schedule, to: ScheduleRevision<Schedule>): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  /** Newest first. */
  runs(id: string, limit: number): Promise<Run[]>;
  /**
   * Enqueues a `check` job that runs immediately.
   * @param key idempotency key
   * @returns the time of the request; undefined if there is no such schedule
   */
  ask(id: string, key: string, now: number): Promise<number | undefined>;
  /**
   * Begins a run. If an earlier run never ended, it is recorded with `died` and can no longer write.
   * @returns the run's epoch; undefined if another run began since `seen` was read, or if the schedule was removed
   */
  begin(
    id: string,
    seen: number,
    begun: ScheduleProgress & { readonly run: Run },
    died: (run: Run) => Run,
  ): Promise<number | undefined>;
  /** Records the progress when no run is due. Returns false if `end` would. */
  passed(id: string, seen: number, progress: ScheduleProgress): Promise<boolean>;
  /** Ends a run. Returns false, with nothing written, if another run has begun meanwhile. */
  end(id: string, epoch: number, end: RunEnd<Run>): Promise<boolean>;
}

/** The part of a schedule that a sweep reads. */
export interface DueSchedule extends ScheduleProgress {
  readonly person: string;
  readonly schedule: string;
  readonly timing: unknown;
}

export interface WakePlan {
  readonly wakeAt: number | null;
  /** Whether the schedule needs a `check` job. */
  readonly isDue: boolean;
}

export interface ScheduleBacklog {
  /** Number of schedules that need a review. */
  readonly due: number;
  /** Number of schedules whose job has not started. */
  readonly queued: number;
}

/** A price or price change with which conditions are compared. */
export interface ObservedValue {
  readonly symbol: string;
  readonly side: ConditionSide;
  /** Dollars, or a fraction of the previous close, as a decimal string. */
  readonly value: string;
}

/** The schedules of all people of a tenant, with their times and limits but without their content. */
export interface TenantSchedules {
  waiting(now: number): Promise<ScheduleBacklog>;
  /**
   * Takes up to `most` due schedules, except those that another sweep has locked, sets their next wake times and
   * enqueues their jobs. This is one transaction, so that each scheduled time is enqueued once.
   * @param plan a pure function
   * @returns the number of schedules taken
   */
  sweep(now: number, most: number, plan: (woken: readonly DueSchedule[]) => readonly WakePlan[]): Promise<number>;
  watched(): Promise<string[]>;
  watchers(symbols: readonly string[], limit: number): Promise<string[]>;
  /**
   * Toggles conditions that are armed and crossed, or disarmed and far enough back, and enqueues jobs for their
   * schedules. If several workers see the same value, a condition is toggled only once, and not again for some minutes.
   * @returns the number of toggled conditions
   */
  crossed(seen: readonly ObservedValue[], now: number): Promise<number>;
  /** Returns the people whose schedules follow market hours. */
  marketPeople(limit: number): Promise<string[]>;
}

/** The market calendar of a tenant (`schedule/calendar-cache.ts`). */
export interface CalendarRows<Calendar> {
  get(): Promise<Calendar | undefined>;
  put(calendar: Calendar): Promise<void>;
}

/** Leases for work that only one worker at a time may do. Their expiry is checked by the database's clock. */
export interface WorkerLeases {
  /** Takes or extends a lease. Returns false if another worker holds it. */
  hold(name: string, forMs: number): Promise<boolean>;
  all(): Promise<readonly { readonly name: string; readonly isHeld: boolean }[]>;
  /** Releases all leases of this worker. */
  release(): Promise<void>;
}
