import { condition, continueAsNew, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

/** The workflow's activities, which take only an id and return nothing. */
export interface WorkflowActivities {
  /** Resolves when the job is done or dead. Temporal retries a rejected attempt. */
  attempt(id: number): Promise<void>;
}

/** A job's time limit, heartbeat timeout and first retry delay, in seconds. The delay doubles with each retry. */
export interface JobLimits {
  readonly expireInSeconds: number;
  readonly heartbeatSeconds: number;
  readonly retrySeconds: number;
}

/**
 * Maximum number of jobs per workflow execution, because its history must stay short: Temporal replays it at each step.
 */
const MAX_JOBS_PER_EXECUTION = 50;

/**
 * Runs the jobs of one key, one at a time, in the order in which they were signaled. The workflow knows only the jobs'
 * ids, and ends when no jobs are left. Temporal replays this code, so changes must use `patched()`
 * (docs/adding/job-queue.md).
 */
export async function jobsOfKey(limits: JobLimits, waiting: readonly number[] = []): Promise<void> {
  const queue = [...waiting];
  setHandler(defineSignal<[readonly number[]]>('enqueued'), (ids) => {
    // An id may be signaled twice.
    for (const id of ids) if (!queue.includes(id)) queue.push(id);
  });
  const { attempt } = proxyActivities<WorkflowActivities>({
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
