import type { JobKind } from './job.ts';
import type { JobHandler, JobQueue } from './job-queue.ts';

/** What a process does, by kind: how, and how many at once. */
export type Handlers = {
  readonly [K in JobKind]?: { readonly handler: JobHandler; readonly concurrency?: number };
};

/**
 * Does jobs until the signal aborts, and then lets what is under way end.
 * @param options.drainMs see `JobQueue.close`
 */
export async function runWorkers(
  jobs: JobQueue,
  handlers: Handlers,
  { signal, drainMs }: { readonly signal: AbortSignal; readonly drainMs?: number },
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    for (const [kind, { handler, concurrency }] of Object.entries(handlers))
      await jobs.work(kind as JobKind, handler, concurrency === undefined ? {} : { concurrency });
    await stopped;
  } finally {
    await jobs.close(drainMs === undefined ? {} : { drainMs });
  }
}
