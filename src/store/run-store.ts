/** `queued`: a job is to take it. `running`: one has. `waiting`: for proposals, and no process runs it. `ended`: it has reported its result. */
type RunState = 'queued' | 'running' | 'waiting' | 'ended';

/** A run requested of a server. Input and options are JSON of the server's own shape. */
export interface NewRun {
  readonly id: string;
  readonly thread: string;
  /** The OAuth client, to which the key belongs. */
  readonly client: string;
  readonly idempotencyKey: string;
  /** Undefined to continue a thread. */
  readonly input: unknown;
  readonly options: unknown;
  /** Of the requesting token: the run may do no more. */
  readonly scopes: readonly string[];
}

export interface StoredRun extends NewRun {
  readonly state: RunState;
  readonly stopping: boolean;
  /** Prompts in its thread before it; undefined until it is first begun. */
  readonly prompts: number | undefined;
  readonly epoch: number;
  /** Number of its events. */
  readonly events: number;
  /** Proposals. */
  readonly waitsFor: readonly string[];
  /** Milliseconds since the epoch. */
  readonly waitsSince: number | undefined;
  readonly waitsUntil: number | undefined;
  readonly createdAt: number;
  readonly endedAt: number | undefined;
}

/** Numbered from 1. */
export interface RunEvent {
  readonly seq: number;
  /** JSON. */
  readonly event: unknown;
}

/** The right to write about a run: the job's that raised its epoch last. */
export interface RunTurn {
  readonly id: string;
  readonly epoch: number;
}

/** Times are milliseconds since the epoch. */
export interface RunWait {
  readonly proposals: readonly string[];
  readonly now: number;
  /** When to look at the proposals first. */
  readonly lookAt: number;
  /** When it is resumed at the latest. */
  readonly until: number;
}

/** One person's runs. Each method is one transaction, in which it also enqueues the job that is to take a run. */
export interface RunStore {
  /**
   * Stores and queues it. `known`: the same request under the same key; `other`: another request under it; `full`:
   * {@link MOST_OPEN_RUNS} have not ended.
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
  /** Oldest first. @param after number of the last known event */
  eventsAfter(id: string, after: number, limit: number): Promise<RunEvent[]>;
  /** Takes a run that is queued, or whose job died; undefined if there is nothing to do. */
  take(id: string): Promise<StoredRun | undefined>;
  noteStart(turn: RunTurn, prompts: number): Promise<boolean>;
  /** False, here and below, if another job has taken the run. */
  append(turn: RunTurn, events: readonly unknown[]): Promise<boolean>;
  /** Queues it instead if it is being stopped. */
  wait(turn: RunTurn, wait: RunWait): Promise<boolean>;
  end(turn: RunTurn, events: readonly unknown[], now: number): Promise<boolean>;
  /** Resumes the runs that wait for this proposal. @returns their ids */
  settled(proposal: string): Promise<string[]>;
  /** Resumes a waiting run. */
  wake(id: string): Promise<boolean>;
  /** Ends it as an interrupt would; false if it has ended. */
  stop(id: string): Promise<boolean>;
  /** Queues a run whose job may be lost; a second job finds nothing to do. */
  requeue(id: string): Promise<void>;
  lookAgain(id: string, at: number): Promise<void>;
  /** Removes an ended run with its events; its thread stays. */
  forget(id: string): Promise<void>;
}

/** Per person. */
export const MOST_OPEN_RUNS = 100;

export interface DueRun {
  readonly person: string;
  readonly run: string;
}

/** The due runs of all people. */
export interface DueRuns {
  /** Takes those that are due, oldest first, for this caller alone; they are due again at `again`. */
  take(now: number, again: number, limit: number): Promise<DueRun[]>;
}

/** Notifies the processes that wait for a run of its changes: a hint, since each also looks again by itself. */
export interface RunNews {
  tell(run: string): void;
  /** @param heard gets the run's id, or undefined if some may have been missed. @returns stops it */
  hear(heard: (run: string | undefined) => void): () => void;
  close(): Promise<void>;
}
