/* Schedules of many people at a server. A sweep of the tenant sees when they wake, and nothing of what they do. */

/** A schedule; its other members are kept as they are. */
export interface KeptSchedule {
  readonly id: string;
  readonly name: string | null;
  readonly timing: unknown;
}

/** How far a schedule has come (`schedule/due.ts`). Milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All moments up to here are handled. */
  readonly handled: number;
  /** A moment whose run was begun and not finished, and how often it was begun. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

interface ScheduleTimes extends ScheduleProgress {
  /** When it is looked at next; null if only a price or a person wakes it. */
  readonly wakeAt: number | null;
  /** Since when a person or a price has wanted it to run at once, and it has not. */
  readonly askedAt: number | null;
  /** Raised by each run that begins; writes of earlier runs are refused. */
  readonly epoch: number;
}

export interface ScheduleRow<Schedule, Run> extends ScheduleTimes {
  readonly schedule: Schedule;
  /** The latest run. */
  readonly last: Run | undefined;
}

/** `above` and `below` a price in dollars; `up` and `down` by a fraction of the close before. */
const conditionSides = ['above', 'below', 'up', 'down'] as const;
export type ConditionSide = (typeof conditionSides)[number];

/** A limit of one of a schedule's rules, as decimal strings: `down` by a twentieth is `-0.05`. */
export interface Condition {
  readonly rule: string;
  readonly symbol: string;
  readonly side: ConditionSide;
  readonly limit: string;
  /** Where it is armed again. */
  readonly back: string;
}

export interface NewSchedule<Schedule> {
  readonly schedule: Schedule;
  /** Idempotency key. */
  readonly key: string;
  /** Digest of the request under that key. */
  readonly request: string;
  /** Milliseconds since the epoch; nothing is due before it. */
  readonly now: number;
  readonly wakeAt: number | null;
  /** Empty for one that runs by the clock. */
  readonly conditions: readonly Condition[];
}

export type RevisedSchedule<Schedule> = Pick<NewSchedule<Schedule>, 'schedule' | 'wakeAt' | 'conditions'>;

/** `there`: added before by the same key and request; `conflict`: the key came with another request. */
export type Added<Schedule> =
  | { readonly outcome: 'added' | 'there'; readonly schedule: Schedule }
  | { readonly outcome: 'conflict' | 'name_taken' | 'too_many' };

/** A run's end, and the schedule's progress after it. */
export interface RunEnd<Run> extends ScheduleProgress {
  readonly run: Run;
  /** The `askedAt` that it answers; undefined if the request is to be tried again. */
  readonly answers?: number;
  /** Wakes it earlier, to try the same moment again. */
  readonly wakeBy?: number;
  /** Its open findings: conditions on these are disarmed, all others armed. Undefined if it saw nothing. */
  readonly standing?: readonly { readonly rule: string; readonly subject: string }[];
  /** Proposals of unknown outcome: a `reconcile` job each, in the same commit. */
  readonly unknown?: readonly string[];
}

/**
 * One person's schedules. Each method is one unit of work; jobs that it speaks of are of the same commit.
 */
export interface ScheduleRows<Schedule extends KeptSchedule, Run> {
  /** In the order they were made. */
  list(): Promise<ScheduleRow<Schedule, Run>[]>;
  /** By id, or by a name. */
  find(idOrName: string): Promise<ScheduleRow<Schedule, Run> | undefined>;
  /** @param most there may be after it */
  add(schedule: NewSchedule<Schedule>, most: number): Promise<Added<Schedule>>;
  /**
   * Replaces a schedule, which keeps its id, its name and its runs. Unchanged conditions stay armed or not.
   * @returns false, with nothing written, if it was changed or removed since `seen` was read
   */
  revise(seen: Schedule, to: RevisedSchedule<Schedule>): Promise<boolean>;
  /** With its runs and conditions. */
  remove(id: string): Promise<boolean>;
  /** Newest first. */
  runs(id: string, limit: number): Promise<Run[]>;
  /**
   * Enqueues a `check` job now. @param key the same key again is the same request
   * @returns since when it was requested; undefined if there is no such schedule
   */
  ask(id: string, key: string, now: number): Promise<number | undefined>;
  /**
   * Begins a run. An earlier run that never ended is recorded by `died`, and can write nothing any more.
   * @returns the run's epoch; undefined if another was begun since `seen` was read, or the schedule was removed
   */
  begin(
    id: string,
    seen: number,
    begun: ScheduleProgress & { readonly run: Run },
    died: (run: Run) => Run,
  ): Promise<number | undefined>;
  /** Nothing is due. False as for {@link end}. */
  passed(id: string, seen: number, progress: ScheduleProgress): Promise<boolean>;
  /** False, with nothing written, if another run was begun meanwhile. */
  end(id: string, epoch: number, end: RunEnd<Run>): Promise<boolean>;
}

/** What a sweep sees of a schedule. */
export interface WokenSchedule extends ScheduleProgress {
  readonly person: string;
  readonly schedule: string;
  readonly timing: unknown;
}

export interface Woken {
  readonly wakeAt: number | null;
  /** Whether it needs a `check` job. */
  readonly isDue: boolean;
}

export interface Waiting {
  /** To be looked at. */
  readonly due: number;
  /** Their job has not begun. */
  readonly queued: number;
}

/** A price to compare conditions with. */
export interface SeenValue {
  readonly symbol: string;
  readonly side: ConditionSide;
  /** A decimal string: dollars, or a fraction of the close before. */
  readonly value: string;
}

/** All schedules of a tenant: times and limits, and nothing of what they do. */
export interface TenantSchedules {
  waiting(now: number): Promise<Waiting>;
  /**
   * Takes up to `most` due schedules that no other sweep has locked, sets when each wakes next and enqueues its job: in one
   * commit, so that each moment is enqueued once. @param plan pure
   * @returns how many it took
   */
  sweep(
    now: number,
    most: number,
    plan: (woken: readonly WokenSchedule[]) => readonly Woken[],
  ): Promise<number>;
  /** Symbols with conditions. */
  watched(): Promise<string[]>;
  /** People whose schedules watch one of these symbols. */
  watchers(symbols: readonly string[], limit: number): Promise<string[]>;
  /**
   * Turns over the conditions that are armed and beyond their limit, or disarmed and far enough back, and has their schedules
   * run: each once, whoever else sees the same, and again after some minutes at the earliest.
   * @returns how many were turned over
   */
  crossed(seen: readonly SeenValue[], now: number): Promise<number>;
  /** People whose schedules follow market hours. */
  marketPeople(limit: number): Promise<string[]>;
}

/** The market calendar of a tenant (`schedule/calendar-cache.ts`). */
export interface CalendarRows<Calendar> {
  get(): Promise<Calendar | undefined>;
  put(calendar: Calendar): Promise<void>;
}

/** Leases for work that one worker at a time does, by the database's clock. */
export interface WorkerLeases {
  /** Takes or extends it; false if another worker has it. */
  hold(name: string, forMs: number): Promise<boolean>;
  all(): Promise<readonly { readonly name: string; readonly isHeld: boolean }[]>;
  /** Releases all. */
  release(): Promise<void>;
}
