/* Schedules of many people on a server. A tenant's sweep sees their wake times but not their content. */

/** A schedule. Its other members are stored unchanged. */
export interface StoredSchedule {
  readonly id: string;
  readonly name: string | null;
  readonly timing: unknown;
}

/** A schedule's progress (`schedule/decide-run.ts`). Times are milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All scheduled times up to this one are handled. */
  readonly handled: number;
  /** A scheduled time whose run was started but not finished, and the number of attempts. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

interface ScheduleTimes extends ScheduleProgress {
  /** Time of the next review. Null if only a price or a person wakes it. */
  readonly wakeAt: number | null;
  /** Time of an unanswered request by a person or a price to run immediately. */
  readonly askedAt: number | null;
  /** Incremented by each run that begins. Writes of earlier runs are rejected. */
  readonly epoch: number;
}

export interface ScheduleRow<Schedule, Run> extends ScheduleTimes {
  readonly schedule: Schedule;
  /** The latest run. */
  readonly last: Run | undefined;
}

/** `above` and `below` compare with a price in dollars, `up` and `down` with a fraction of the previous close. */
const conditionSides = ['above', 'below', 'up', 'down'] as const;
export type ConditionSide = (typeof conditionSides)[number];

/** A limit of one of a schedule's rules, as decimal strings. `down` by 5 % is `-0.05`. */
export interface Condition {
  readonly rule: string;
  readonly symbol: string;
  readonly side: ConditionSide;
  readonly limit: string;
  /** Value at which it is armed again. */
  readonly back: string;
}

export interface NewSchedule<Schedule> {
  readonly schedule: Schedule;
  /** Idempotency key. */
  readonly key: string;
  /** Digest of the request with that key. */
  readonly request: string;
  /** Creation time in milliseconds since the epoch. Earlier times are never due. */
  readonly now: number;
  readonly wakeAt: number | null;
  /** Empty for a schedule that runs only by time. */
  readonly conditions: readonly Condition[];
}

export type RevisedSchedule<Schedule> = Pick<NewSchedule<Schedule>, 'schedule' | 'wakeAt' | 'conditions'>;

/** `there`: added before with the same key and request. `conflict`: the key was used for another request. */
export type AddedSchedule<Schedule> =
  | { readonly outcome: 'added' | 'there'; readonly schedule: Schedule }
  | { readonly outcome: 'conflict' | 'name_taken' | 'too_many' };

/** The end of a run, and the schedule's progress after it. */
export interface RunEnd<Run> extends ScheduleProgress {
  readonly run: Run;
  /** The `askedAt` that it answers. Undefined if the request must be retried. */
  readonly answers?: number;
  /** An earlier wake time, to retry the same scheduled time. */
  readonly wakeBy?: number;
  /** Open findings. Conditions on these are disarmed, and all others armed. Undefined if the run could not check. */
  readonly standing?: readonly { readonly rule: string; readonly subject: string }[];
  /** Proposals with unknown outcome. Each gets a `reconcile` job in the same transaction. */
  readonly unknown?: readonly string[];
}

/** One person's schedules. Each method is one transaction, which also enqueues the jobs. */
export interface ScheduleRows<Schedule extends StoredSchedule, Run> {
  /** Sorted by creation. */
  list(): Promise<ScheduleRow<Schedule, Run>[]>;
  /** Finds a schedule by ID or name. */
  find(idOrName: string): Promise<ScheduleRow<Schedule, Run> | undefined>;
  /** @param most the maximum number of schedules */
  add(schedule: NewSchedule<Schedule>, most: number): Promise<AddedSchedule<Schedule>>;
  /**
   * Replaces a schedule, which keeps its ID, name and runs. Unchanged conditions keep their armed state.
   * @returns false, with nothing written, if it was changed or removed since `seen` was read
   */
  revise(seen: Schedule, to: RevisedSchedule<Schedule>): Promise<boolean>;
  /** Removes a schedule with its runs and conditions. */
  remove(id: string): Promise<boolean>;
  /** Newest first. */
  runs(id: string, limit: number): Promise<Run[]>;
  /**
   * Enqueues a `check` job now. @param key idempotency key
   * @returns the time of the request; undefined if there is no such schedule
   */
  ask(id: string, key: string, now: number): Promise<number | undefined>;
  /**
   * Begins a run. An earlier run that never ended is recorded with `died`, and can't write anymore.
   * @returns the run's epoch; undefined if another run began since `seen` was read, or the schedule was removed
   */
  begin(
    id: string,
    seen: number,
    begun: ScheduleProgress & { readonly run: Run },
    died: (run: Run) => Run,
  ): Promise<number | undefined>;
  /** Notes that nothing is due. Returns false as {@link end} does. */
  passed(id: string, seen: number, progress: ScheduleProgress): Promise<boolean>;
  /** Ends a run. Returns false, with nothing written, if another run began meanwhile. */
  end(id: string, epoch: number, end: RunEnd<Run>): Promise<boolean>;
}

/** The part of a schedule that a sweep sees. */
export interface DueSchedule extends ScheduleProgress {
  readonly person: string;
  readonly schedule: string;
  readonly timing: unknown;
}

export interface WakePlan {
  readonly wakeAt: number | null;
  /** Whether it needs a `check` job. */
  readonly isDue: boolean;
}

export interface ScheduleBacklog {
  /** Schedules that need a review. */
  readonly due: number;
  /** Schedules whose job has not started. */
  readonly queued: number;
}

/** A price to compare conditions with. */
export interface SeenValue {
  readonly symbol: string;
  readonly side: ConditionSide;
  /** Decimal string: dollars, or a fraction of the previous close. */
  readonly value: string;
}

/** All schedules of a tenant, with their times and limits but without their content. */
export interface TenantSchedules {
  waiting(now: number): Promise<ScheduleBacklog>;
  /**
   * Takes up to `most` due schedules that no other sweep has locked, sets their next wake times and enqueues their jobs, in
   * one transaction, so that each scheduled time is enqueued once. @param plan a pure function
   * @returns the number of schedules taken
   */
  sweep(now: number, most: number, plan: (woken: readonly DueSchedule[]) => readonly WakePlan[]): Promise<number>;
  /** Returns symbols with conditions. */
  watched(): Promise<string[]>;
  /** Returns people whose schedules have conditions on these symbols. */
  watchers(symbols: readonly string[], limit: number): Promise<string[]>;
  /**
   * Toggles conditions that are armed and crossed, or disarmed and far enough back, and enqueues their schedules. Each is
   * toggled once, even if several workers see the same value, and not again within some minutes.
   * @returns the number of toggled conditions
   */
  crossed(seen: readonly SeenValue[], now: number): Promise<number>;
  /** Returns people whose schedules follow market hours. */
  marketPeople(limit: number): Promise<string[]>;
}

/** The market calendar of a tenant (`schedule/calendar-cache.ts`). */
export interface CalendarRows<Calendar> {
  get(): Promise<Calendar | undefined>;
  put(calendar: Calendar): Promise<void>;
}

/** Leases for work that only one worker may do at a time, by the database's clock. */
export interface WorkerLeases {
  /** Takes or extends a lease. Returns false if another worker has it. */
  hold(name: string, forMs: number): Promise<boolean>;
  all(): Promise<readonly { readonly name: string; readonly isHeld: boolean }[]>;
  /** Releases all leases of this worker. */
  release(): Promise<void>;
}
