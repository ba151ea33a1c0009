/**
 * `queued`: a job is to take it up. `running`: one has. `waiting`: it stands at proposals that a person decides about, and no
 * process stands behind it. `ended`: it has told its result.
 */
type RunState = 'queued' | 'running' | 'waiting' | 'ended';

/** A run that somebody asked a server for. What it is asked and how is JSON, whose shape is the server's to know. */
export interface NewRun {
  readonly id: string;
  readonly thread: string;
  /** The OAuth client that asked, whose own the key is. */
  readonly client: string;
  readonly idempotencyKey: string;
  /** Undefined where a thread is gone on with. */
  readonly input: unknown;
  readonly options: unknown;
  /** The scopes of the token that asked for it: what is done for it goes no further. */
  readonly scopes: readonly string[];
}

export interface StoredRun extends NewRun {
  readonly state: RunState;
  /** Its person, or somebody of theirs, wants it to end. */
  readonly stopping: boolean;
  /** How many prompts its thread had before it; undefined until it is first begun. */
  readonly prompts: number | undefined;
  readonly epoch: number;
  /** How many events it has told. */
  readonly events: number;
  /** Ids of proposals. */
  readonly waitsFor: readonly string[];
  /** Since and until when it waits, milliseconds since the epoch. */
  readonly waitsSince: number | undefined;
  readonly waitsUntil: number | undefined;
  readonly createdAt: number;
  readonly endedAt: number | undefined;
}

/** One thing that a run told, numbered from 1. */
export interface RunEvent {
  readonly seq: number;
  /** As it was appended, which is JSON. */
  readonly event: unknown;
}

/** Who may write about a run: the job that raised its epoch last. */
export interface RunTurn {
  readonly id: string;
  readonly epoch: number;
}

/** Until when a run waits, and for which proposals; times in milliseconds since the epoch. */
export interface RunWait {
  readonly proposals: readonly string[];
  readonly now: number;
  /** When to look at them first. */
  readonly lookAt: number;
  /** When it is to be taken up again, whatever became of them. */
  readonly until: number;
}

/**
 * One person's runs. Each method is one unit of work; where a job is to take a run up, the job is enqueued in the same. Nobody's
 * runs but theirs are found, whatever id is asked for.
 *
 * @example
 * ```ts
 * import type { RunStore } from './run-store.ts';
 *
 * // What one job does: take it up, tell something, end it. Of two that took it the later one's word holds.
 * export async function answer(runs: RunStore, id: string, now: number): Promise<boolean> {
 *   const run = await runs.take(id);
 *   if (run === undefined) return false;
 *   return await runs.end(run, [{ type: 'result' }], now);
 * }
 * ```
 */
export interface RunStore {
  /**
   * Keeps it, and has it taken up; the same key again is the first one, `other` where it asked for something else; `full` where
   * {@link MOST_OPEN_RUNS} of the person's have not ended.
   */
  begin(
    run: NewRun,
    now: number,
  ): Promise<
    | { readonly outcome: 'full' }
    | { readonly outcome: 'begun' | 'known'; readonly run: StoredRun }
    | { readonly outcome: 'other'; readonly run: StoredRun }
  >;
  find(id: string): Promise<StoredRun | undefined>;
  /** Oldest first. @param after the number of the last event that is known */
  eventsAfter(id: string, after: number, limit: number): Promise<RunEvent[]>;
  /** Takes a run up that is queued, or whose last job died. Undefined where there is nothing to do. */
  take(id: string): Promise<StoredRun | undefined>;
  /** Notes how many prompts the thread has before this run says its own. */
  noteStart(turn: RunTurn, prompts: number): Promise<boolean>;
  /** Tells. False where the turn is over: another job has it. */
  append(turn: RunTurn, events: readonly unknown[]): Promise<boolean>;
  /** Has it wait; where it was to be stopped meanwhile it is queued instead. False where the turn is over. */
  wait(turn: RunTurn, wait: RunWait): Promise<boolean>;
  /** Tells the last of it. False where the turn is over. */
  end(turn: RunTurn, events: readonly unknown[], now: number): Promise<boolean>;
  /** Has those that wait for a proposal taken up. @returns their ids */
  settled(proposal: string): Promise<string[]>;
  /** Has a run taken up that waits; nothing where it does not. */
  wake(id: string): Promise<boolean>;
  /** Has it end as an interrupt would. False where there is none that has not ended. */
  stop(id: string): Promise<boolean>;
  /** Has a run taken up whose job may be lost: one that is done twice finds nothing to do. */
  requeue(id: string): Promise<void>;
  /** When somebody is to look at it next. */
  lookAgain(id: string, at: number): Promise<void>;
  /** Removes what has ended, with all that it told; its thread stays. */
  forget(id: string): Promise<void>;
}

/** So many of one person's at once: a chat has one, a script some. */
export const MOST_OPEN_RUNS = 100;

/** Which run of whose is to be looked at. */
export interface DueRun {
  readonly person: string;
  readonly run: string;
}

/** What is due among all people's runs. */
export interface DueRuns {
  /**
   * Those that are due, the longest first, each for one asker alone: they are due again at `again`, unless somebody says
   * otherwise first.
   */
  take(now: number, again: number, limit: number): Promise<DueRun[]>;
}

/** What happens to a run, told to the processes that wait for it. Each is a hint: who waits looks again by itself. */
export interface RunNews {
  tell(run: string): void;
  /** @param heard the run's id; undefined where some may have been missed. @returns stops it */
  hear(heard: (run: string | undefined) => void): () => void;
  close(): Promise<void>;
}
