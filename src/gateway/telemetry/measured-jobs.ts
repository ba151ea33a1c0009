import { type Instruments, SECONDS } from './instruments.ts';

/** What a worker does, as something that is done again and again. */
export type MeasuredJobs = <Args extends readonly unknown[]>(
  kind: string,
  work: (...args: Args) => Promise<void>,
) => (...args: Args) => Promise<void>;

/** Measures the jobs of a worker: `trade_agent.job.duration` by `kind` and `outcome`, `done` or `failed` (to be tried again). */
export function measuredJobs({ meter }: Pick<Instruments, 'meter'>): MeasuredJobs {
  const duration = meter.createHistogram('trade_agent.job.duration', {
    unit: 's',
    description: 'How long jobs took that were done here, or given up.',
    advice: { explicitBucketBoundaries: SECONDS },
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
