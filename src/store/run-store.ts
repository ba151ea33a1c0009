/**
 * `queued`: waits for a job. `running`: a job has claimed the run. `waiting`: waits for proposals and has no job.
 * `ended`: has a result.
 */
type RunState = 'queued' | 'running' | 'waiting' | 'ended';

/** A run that was requested from a server. Input and options are JSON in the server's format. */
export interface NewRun {
  readonly id: string;
  readonly thread: string;
  /** The OAuth client. Idempotency keys are unique per client. */
  readonly client: string;
  readonly idempotencyKey: string;
  /** Undefined if the run only continues a thread. */
  readonly input: unknown;
  readonly options: unknown;
  /** Scopes of the token that requested the run. They limit the run. */
  readonly scopes: readonly string[];
}

export interface StoredRun extends NewRun {
  readonly state: RunState;
  readonly stopping: boolean;
  /** Number of prompts in the thread before this run. Undefined until it first starts. */
  readonly prompts: number | undefined;
  readonly epoch: number;
  readonly events: number;
  /** IDs of the proposals for which it waits. */
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

/** The right to write to a run. Held by the job that last incremented the run's epoch. */
export interface RunClaim {
  readonly id: string;
  readonly epoch: number;
}

/** A run's wait for proposals. Times are milliseconds since the epoch. */
export interface RunWait {
  readonly proposals: readonly string[];
  readonly now: number;
  /** Time of the first poll. */
  readonly pollAt: number;
  /** Time when the run is resumed even if the proposals are not settled. */
  readonly until: number;
}

/** One person's runs. Each method is one transaction, which also enqueues a job if the run needs one. */
export interface RunStore {
  /**
   * Stores and queues a run. Returns `known` if the key was used for the same request, `other` if it was used for a
   * different request, and `full` if {@link MAX_OPEN_RUNS} runs have not ended.
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
  /**
   * Returns events, oldest first.
   * @param after number of the last event that the caller knows
   */
  eventsAfter(id: string, after: number, limit: number): Promise<RunEvent[]>;
  /** Claims a run that is queued or whose job died. Returns undefined if there is no such run to claim. */
  take(id: string): Promise<StoredRun | undefined>;
  noteStart(turn: RunClaim, prompts: number): Promise<boolean>;
  /** Returns false if another job has claimed the run. The methods below do the same. */
  append(turn: RunClaim, events: readonly unknown[]): Promise<boolean>;
  /** Sets the run to `waiting`. If it is being stopped, queues it instead. */
  wait(turn: RunClaim, wait: RunWait): Promise<boolean>;
  end(turn: RunClaim, events: readonly unknown[], now: number): Promise<boolean>;
  /**
   * Resumes the runs that wait for this proposal.
   * @returns the runs' IDs
   */
  settled(proposal: string): Promise<string[]>;
  wake(id: string): Promise<boolean>;
  /** Stops a run as if it were interrupted. Returns false if it has already ended. */
  stop(id: string): Promise<boolean>;
  /** Queues a run whose job may be lost. If the job is not lost, the second job finds nothing to do. */
  requeue(id: string): Promise<void>;
  postponePoll(id: string, at: number): Promise<void>;
  /** Removes an ended run and its events, but not its thread. */
  forget(id: string): Promise<void>;
}

/** Maximum number of runs per person that have not ended. */
export const MAX_OPEN_RUNS = 100;

export interface DueRun {
  readonly person: string;
  readonly run: string;
}

export interface DueRuns {
  /** Claims due runs for this caller, oldest first. Claimed runs become due again at `again`. */
  take(now: number, again: number, limit: number): Promise<DueRun[]>;
}

/** Notifies processes of changes to runs. A lost notification does no harm, because processes also poll. */
export interface RunAnnouncements {
  tell(run: string): void;
  /**
   * Subscribes to changes.
   * @param heard called with a run's ID, or with undefined if notifications may have been missed
   * @returns a function that unsubscribes
   */
  hear(heard: (run: string | undefined) => void): () => void;
  close(): Promise<void>;
}
