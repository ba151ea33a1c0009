import { condition, continueAsNew, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

/** What is done outside of the workflow: nothing but an id goes in, and nothing comes out. */
export interface Activities {
  /** Resolves once the job is done, or dead; each time it fails it is to be tried again. */
  attempt(id: number): Promise<void>;
}

/** How long a job may take, and be silent; and how long the pause is before it is tried again, which doubles. Seconds. */
export interface KeyLimits {
  readonly expireInSeconds: number;
  readonly heartbeatSeconds: number;
  readonly retrySeconds: number;
}

/** Before its history is begun anew: an execution's may not grow for ever, and each step reads it from its start. */
const JOBS_AN_EXECUTION = 50;

/**
 * Does the jobs of one key, of which it knows the ids alone, one at a time and in the order they were made known; it ends where
 * there is none. Temporal runs it: what is here may not change under executions that are under way but by `patched()`
 * (docs/adding/job-queue.md).
 */
export async function jobsOfKey(limits: KeyLimits, waiting: readonly number[] = []): Promise<void> {
  const queue = [...waiting];
  setHandler(defineSignal<[readonly number[]]>('enqueued'), (ids) => {
    // One that was handed over twice is one.
    for (const id of ids) if (!queue.includes(id)) queue.push(id);
  });
  const { attempt } = proxyActivities<Activities>({
    startToCloseTimeout: limits.expireInSeconds * 1000,
    heartbeatTimeout: limits.heartbeatSeconds * 1000,
    retry: { initialInterval: limits.retrySeconds * 1000, backoffCoefficient: 2, maximumInterval: 10_000 },
  });
  await condition(() => queue.length > 0);
  for (let done = 0; queue[0] !== undefined; done += 1) {
    if (done === JOBS_AN_EXECUTION) await continueAsNew<typeof jobsOfKey>(limits, queue);
    await attempt(queue[0]);
    queue.shift();
  }
}
