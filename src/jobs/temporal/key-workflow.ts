import { condition, continueAsNew, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

/** The workflow's activity: takes only an id, and returns nothing. */
export interface Activities {
  /** Resolves once the job is done or dead. A rejection is retried. */
  attempt(id: number): Promise<void>;
}

/** A job's time limit and heartbeat timeout, and the first retry delay, which doubles. Seconds. */
export interface KeyLimits {
  readonly expireInSeconds: number;
  readonly heartbeatSeconds: number;
  readonly retrySeconds: number;
}

/** Maximum number of jobs per workflow execution: its history must stay bounded, and is replayed at each step. */
const MAX_JOBS_PER_EXECUTION = 50;

/**
 * Runs the jobs of one key, one at a time and in the order in which they were signaled, knowing only their ids. Ends when
 * there are none. Temporal replays this code: changes must use `patched()` (docs/adding/job-queue.md).
 */
export async function jobsOfKey(limits: KeyLimits, waiting: readonly number[] = []): Promise<void> {
  const queue = [...waiting];
  setHandler(defineSignal<[readonly number[]]>('enqueued'), (ids) => {
    // An id may be signaled twice.
    for (const id of ids) if (!queue.includes(id)) queue.push(id);
  });
  const { attempt } = proxyActivities<Activities>({
    startToCloseTimeout: limits.expireInSeconds * 1000,
    heartbeatTimeout: limits.heartbeatSeconds * 1000,
    retry: { initialInterval: limits.retrySeconds * 1000, backoffCoefficient: 2, maximumInterval: 10_000 },
  });
  await condition(() => queue.length > 0);
  for (let done = 0; queue[0] !== undefined; done += 1) {
    if (done === MAX_JOBS_PER_EXECUTION) await continueAsNew<typeof jobsOfKey>(limits, queue);
    await attempt(queue[0]);
    queue.shift();
  }
}
