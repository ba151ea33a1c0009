/** `queued`: waits for a job. `running`: a job has claimed it. `waiting`: waits for proposals without a job. `ended`: has a result. */
type RunState = 'queued' | 'running' | 'waiting' | 'ended';

/** A run requested from a server. Input and options are JSON in the server's format. */
export interface NewRun {
  readonly id: string;
  readonly thread: string;
  /** The OAuth client, which the idempotency key belongs to. */
  readonly client: string;
  readonly idempotencyKey: string;
  /** Undefined to continue a thread. */
  readonly input: unknown;
  readonly options: unknown;
  /** Scopes of the requesting token, which limit the run. */
  readonly scopes: readonly string[];
}

export interface StoredRun extends NewRun {
  readonly state: RunState;
  readonly stopping: boolean;
  /** Number of prompts in the thread before this run. Undefined until it first starts. */
  readonly prompts: number | undefined;
  readonly epoch: number;
  /** Number of events. */
  readonly events: number;
  /** Proposals for which it waits. */
  readonly waitsFor: readonly string[];
  /** Milliseconds since the epoch. */
  readonly waitsSince: number | undefined;
  readonly waitsUntil: number | undefined;
  readonly createdAt: number;
  readonly endedAt: number | undefined;
}

/** An event of a run, numbered from 1. */
export interface RunEvent {
  readonly seq: number;
  /** JSON. */
  readonly event: unknown;
}

/** The right to write to a run, held by the job that incremented its epoch last. */
export interface RunTurn {
  readonly id: string;
  readonly epoch: number;
}

/** A run's wait for proposals. Times are milliseconds since the epoch. */
export interface RunWait {
  readonly proposals: readonly string[];
  readonly now: number;
  /** Time of the first poll. */
  readonly pollAt: number;
  /** Deadline, when the run is resumed in any case. */
  readonly until: number;
}

/** One person's runs. Each method is one transaction, which also enqueues a job if the run needs one. */
export interface RunStore {
  /**
   * Stores and queues a run. Returns `known` for the same request with the same key, `other` for a different request with the
   * same key, and `full` if {@link MAX_OPEN_RUNS} runs have not ended.
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
  /** Returns events, oldest first. @param after number of the last known event */
  eventsAfter(id: string, after: number, limit: number): Promise<RunEvent[]>;
  /** Claims a run that is queued or whose job died. Returns undefined if there is nothing to do. */
  take(id: string): Promise<StoredRun | undefined>;
  noteStart(turn: RunTurn, prompts: number): Promise<boolean>;
  /** Returns false, like the methods below, if another job has claimed the run. */
  append(turn: RunTurn, events: readonly unknown[]): Promise<boolean>;
  /** Lets the run wait, or queues it if it is being stopped. */
  wait(turn: RunTurn, wait: RunWait): Promise<boolean>;
  end(turn: RunTurn, events: readonly unknown[], now: number): Promise<boolean>;
  /** Resumes the runs that wait for this proposal. @returns their IDs */
  settled(proposal: string): Promise<string[]>;
  /** Resumes a waiting run. */
  wake(id: string): Promise<boolean>;
  /** Stops a run as an interrupt would. Returns false if it has ended. */
  stop(id: string): Promise<boolean>;
  /** Queues a run whose job may be lost. If it is not lost, the second job finds nothing to do. */
  requeue(id: string): Promise<void>;
  postponePoll(id: string, at: number): Promise<void>;
  /** Removes an ended run with its events, but not its thread. */
  forget(id: string): Promise<void>;
}

/** Maximum number of unfinished runs per person. */
export const MAX_OPEN_RUNS = 100;

export interface DueRun {
  readonly person: string;
  readonly run: string;
}

/** The due runs of all people. */
export interface DueRuns {
  /** Claims due runs for this caller, oldest first. They are due again at `again`. */
  take(now: number, again: number, limit: number): Promise<DueRun[]>;
}

/** Notifies processes of changes to a run. Notifications are only hints, because processes also poll. */
export interface RunAnnouncements {
  tell(run: string): void;
  /** @param heard called with the run's ID, or with undefined if some may have been missed. @returns a function that unsubscribes */
  hear(heard: (run: string | undefined) => void): () => void;
  close(): Promise<void>;
}
