/*
 * Schedules kept at a server, for many people. What a schedule does is its person's alone; when it wakes is its tenant's, so that
 * whoever sweeps sees times and no more.
 */

/** What a schedule does; whatever else is in it is kept as it is. */
export interface KeptSchedule {
  readonly id: string;
  readonly name: string | null;
  readonly timing: unknown;
}

/** What a schedule remembers of its moments (`schedule/due.ts`). Milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All moments up to here are done with. */
  readonly handled: number;
  /** A moment whose run was begun and not brought to an end, and how often. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

/** How a schedule stands. */
interface ScheduleTimes extends ScheduleProgress {
  /** When it is looked at next: a moment of it, or earlier. Null where nothing but a price or a person wakes it. */
  readonly wakeAt: number | null;
  /** Since when, not answered yet, somebody wants it to run whatever the hour: a person, or a price. */
  readonly askedAt: number | null;
  /** Raised by each run that begins: what an earlier one writes later is refused. */
  readonly epoch: number;
}

export interface ScheduleRow<Schedule, Run> extends ScheduleTimes {
  readonly schedule: Schedule;
  /** The last one that began. */
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
  /** Where it is armed again, on the near side of the limit. */
  readonly back: string;
}

export interface NewSchedule<Schedule> {
  readonly schedule: Schedule;
  /** By which it was asked for: the same again is the same schedule. */
  readonly key: string;
  /** A digest of what was asked for under that key. */
  readonly request: string;
  /** Milliseconds since the epoch; nothing before it was ever due. */
  readonly now: number;
  readonly wakeAt: number | null;
  /** Armed with it; empty for one that goes by the hour. */
  readonly conditions: readonly Condition[];
}

/** What a schedule becomes; milliseconds since the epoch. */
export type RevisedSchedule<Schedule> = Pick<NewSchedule<Schedule>, 'schedule' | 'wakeAt' | 'conditions'>;

/** `there`: it was asked for before, by the same key and request; `conflict`: by the same key and another request. */
export type Added<Schedule> =
  | { readonly outcome: 'added' | 'there'; readonly schedule: Schedule }
  | { readonly outcome: 'conflict' | 'name_taken' | 'too_many' };

/** A run's end, and where the schedule stands after it. */
export interface RunEnd<Run> extends ScheduleProgress {
  readonly run: Run;
  /** The `askedAt` that it answers. Left out where what was asked for is to be tried again. */
  readonly answers?: number;
  /** Earlier than it would wake by itself: to try the same moment again. */
  readonly wakeBy?: number;
  /** What its rules found and still stands: conditions on these are not armed, and all others are. Left out where it saw nothing. */
  readonly standing?: readonly { readonly rule: string; readonly subject: string }[];
  /** Proposals of which nobody knows what became of them: a `reconcile` job each, in the same commit. */
  readonly unknown?: readonly string[];
}

/**
 * One person's schedules. Each method is one unit of work; jobs that it speaks of are of the same commit.
 * @example
 * ```ts
 * import type { KeptSchedule, ScheduleRows } from './schedule-rows.ts';
 *
 * // Has every schedule of a person run now.
 * export async function runAll(rows: ScheduleRows<KeptSchedule, unknown>, now: number): Promise<void> {
 *   for (const { schedule } of await rows.list()) await rows.ask(schedule.id, `all-${now}`, now);
 * }
 * ```
 */
export interface ScheduleRows<Schedule extends KeptSchedule, Run> {
  /** In the order they were made. */
  list(): Promise<ScheduleRow<Schedule, Run>[]>;
  /** By id, or by a name. */
  find(idOrName: string): Promise<ScheduleRow<Schedule, Run> | undefined>;
  /** @param most there may be after it */
  add(schedule: NewSchedule<Schedule>, most: number): Promise<Added<Schedule>>;
  /**
   * Puts another in the place of one, which keeps its id, its name and its runs. Conditions that stay as they were stay armed or not.
   * @param seen as it was read
   * @returns false, with nothing written, where it was changed or removed meanwhile
   */
  revise(seen: Schedule, to: RevisedSchedule<Schedule>): Promise<boolean>;
  /** With all that is known of it. False where there was none. */
  remove(id: string): Promise<boolean>;
  /** Newest first. */
  runs(id: string, limit: number): Promise<Run[]>;
  /**
   * Has a `check` job run it now, whatever the hour. @param key of what asks: the same again is the same asking
   * @returns since when it was asked for; undefined where there is no such schedule
   */
  ask(id: string, key: string, now: number): Promise<number | undefined>;
  /**
   * Begins a run. A run before it that never ended is recorded by `died`, and can write nothing any more.
   * @param seen the epoch that was read
   * @returns the run's own epoch; undefined where another was begun meanwhile, or the schedule was removed
   */
  begin(
    id: string,
    seen: number,
    begun: ScheduleProgress & { readonly run: Run },
    died: (run: Run) => Run,
  ): Promise<number | undefined>;
  /** Notes that nothing is due. False as for {@link end}. */
  passed(id: string, seen: number, progress: ScheduleProgress): Promise<boolean>;
  /** Ends the run of this epoch. False, and nothing is written, where another was begun meanwhile. */
  end(id: string, epoch: number, end: RunEnd<Run>): Promise<boolean>;
}

/** What a sweep sees of a schedule. */
export interface WokenSchedule extends ScheduleProgress {
  readonly person: string;
  readonly schedule: string;
  readonly timing: unknown;
}

/** What becomes of one that woke. */
export interface Woken {
  readonly wakeAt: number | null;
  /** Whether it needs a `check` job. */
  readonly isDue: boolean;
}

/** How much there is to sweep. */
export interface Waiting {
  /** To be looked at. */
  readonly due: number;
  /** Looked at, and whose job nobody has begun. */
  readonly queued: number;
}

/** A price as a condition is compared with: `value` is beyond a limit where it is more than it. */
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
   * Takes up to `most` that are to be looked at and that nobody else is at, moves each to when it wakes next and enqueues its
   * job: one commit, so each moment is enqueued once, whoever else sweeps or dies. @param plan pure
   * @returns how many it took
   */
  sweep(
    now: number,
    most: number,
    plan: (woken: readonly WokenSchedule[]) => readonly Woken[],
  ): Promise<number>;
  /** Symbols that there are conditions on. */
  watched(): Promise<string[]>;
  /** Whose schedules watch one of these symbols: who may be asked in whose name for its price. */
  watchers(symbols: readonly string[], limit: number): Promise<string[]>;
  /**
   * Compares conditions with what was seen: one that is armed and beyond its limit, and one that is not and far enough back, is
   * turned over and its schedule is to run, each once whoever sees the same, and each again after some minutes at the earliest.
   * @returns how many were turned over
   */
  crossed(seen: readonly SeenValue[], now: number): Promise<number>;
  /** People whose schedules go by the market's hours. */
  marketPeople(limit: number): Promise<string[]>;
}

/** The market's days, kept once for a tenant (`schedule/calendar-cache.ts`). */
export interface CalendarRows<Calendar> {
  get(): Promise<Calendar | undefined>;
  put(calendar: Calendar): Promise<void>;
}

/** Which worker does what only one should: by the database's clock, and no transaction stays open. */
export interface WorkerLeases {
  /** Takes or keeps it for so long. False where another worker has it. */
  hold(name: string, forMs: number): Promise<boolean>;
  /** What was ever held, and whether somebody holds it. */
  all(): Promise<readonly { readonly name: string; readonly isHeld: boolean }[]>;
  /** Gives back what is held. */
  release(): Promise<void>;
}
