import type { TraceIds } from '../machine/log-context.ts';

/**
 * `queued`: the run waits for a job to claim it. `running`: a job has claimed the run. `waiting`: the run waits for
 * proposals and has no job. `ended`: the run has a result.
 */
type RunState = 'queued' | 'running' | 'waiting' | 'ended';

/** A run that a client requested from a server. Input and options are JSON in the server's format. */
export interface NewRun {
  readonly id: string;
  readonly thread: string;
  /** The OAuth client that requested the run. Idempotency keys are unique per client. */
  readonly client: string;
  readonly idempotencyKey: string;
  /** The person's request. Undefined if the run only continues a thread. */
  readonly input: unknown;
  readonly options: unknown;
  /** Scopes of the token that requested the run. They limit what the run can do. */
  readonly scopes: readonly string[];
  /** The trace of the request, which the run continues. */
  readonly trace?: TraceIds | undefined;
}

export interface StoredRun extends NewRun {
  readonly state: RunState;
  readonly stopping: boolean;
  /** Number of prompts in the thread before this run. Undefined until the run starts for the first time. */
  readonly prompts: number | undefined;
  readonly epoch: number;
  readonly events: number;
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
  readonly event: unknown;
}

/** A job's claim on a run. Only the job whose claim has the run's current epoch may write to the run. */
export interface RunClaim {
  readonly id: string;
  readonly epoch: number;
}

/** The proposals that a run waits for. Times are milliseconds since the epoch. */
export interface RunWait {
  readonly proposals: readonly string[];
  readonly now: number;
  readonly pollAt: number;
  /** Time when the run is resumed even if some of the proposals are not settled. */
  readonly until: number;
}

/** One person's runs. Each method is one transaction, which also enqueues a job if the run then needs one. */
export interface RunStore {
  /**
   * Stores and queues a run. Returns `known` if the idempotency key was already used for the same request, `other` if
   * it was used for a different request, and `full` if {@link MAX_OPEN_RUNS} of the person's runs have not ended.
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
  /** Returns a run's events, oldest first. @param after number of the last event that the caller has */
  eventsAfter(id: string, after: number, limit: number): Promise<RunEvent[]>;
  /** Claims a run that is queued or whose job died. Returns undefined if the run does not exist or can't be claimed. */
  claim(id: string): Promise<StoredRun | undefined>;
  noteStart(turn: RunClaim, prompts: number): Promise<boolean>;
  /** Appends events to a run. Like `wait` and `end`, returns false if another job has claimed the run. */
  append(turn: RunClaim, events: readonly unknown[]): Promise<boolean>;
  /** Sets the run to `waiting`, or queues the run if a stop was requested. */
  wait(turn: RunClaim, wait: RunWait): Promise<boolean>;
  end(turn: RunClaim, events: readonly unknown[], now: number): Promise<boolean>;
  /** Resumes the runs that wait for this proposal. @returns the runs' IDs */
  settled(proposal: string): Promise<string[]>;
  wake(id: string): Promise<boolean>;
  /** Stops a run as if the person had interrupted it. Returns false if the run has already ended. */
  stop(id: string): Promise<boolean>;
  /** Queues a run whose job may be lost. If the job is not lost after all, the second job finds nothing to do. */
  requeue(id: string): Promise<void>;
  postponePoll(id: string, at: number): Promise<void>;
  /** Removes an ended run and its events, but not the run's thread. */
  forget(id: string): Promise<void>;
}

/** Maximum number of runs per person that have not ended. */
export const MAX_OPEN_RUNS = 100;

export interface DueRun {
  readonly person: string;
  readonly run: string;
}

export interface DueRuns {
  /** Claims due runs for the caller, oldest first. A claimed run is due again at the time `again`. */
  claim(now: number, again: number, limit: number): Promise<DueRun[]>;
}

/** Notifies processes of changes to runs. If a notification is lost, processes notice the change at their next poll. */
export interface RunAnnouncements {
  announce(run: string): void;
  /**
   * Subscribes to changes.
   * @param heard called with a run's ID, or with undefined if notifications may have been missed
   * @returns a function that unsubscribes
   */
  subscribe(heard: (run: string | undefined) => void): () => void;
  close(): Promise<void>;
}
