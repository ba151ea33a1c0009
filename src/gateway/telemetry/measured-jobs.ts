import { DURATION_BUCKETS_S, type Instruments } from './instruments.ts';

export type JobMeasurer = <Args extends readonly unknown[]>(
  kind: string,
  work: (...args: Args) => Promise<void>,
) => (...args: Args) => Promise<void>;

/**
 * Returns a function that wraps a job so that it records `trade_agent.job.duration` with the attributes `kind` and
 * `outcome`: `done`, or `failed` (will be retried).
 */
export function createJobMeasurer({ meter }: Pick<Instruments, 'meter'>): JobMeasurer {
  const duration = meter.createHistogram('trade_agent.job.duration', {
    unit: 's',
    description: 'Duration of jobs that this process finished, successfully or not.',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  });
  return (kind, work) =>
    async (...args) => {
      const since = performance.now();
      let outcome = 'failed';
      try {
        await work(...args);
        outcome = 'done';
      } finally {
        duration.record((performance.now() - since) / 1000, { kind, outcome });
      }
    };
}
