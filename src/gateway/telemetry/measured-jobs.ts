import { SpanKind } from '@opentelemetry/api';
import { type LogContext, runInLogContext } from '../../machine/log-context.ts';
import { beginMeasurement, DURATION_BUCKETS_S, type Instruments } from './instruments.ts';

export type JobMeasurer = <Args extends readonly unknown[]>(
  kind: string,
  work: (...args: Args) => Promise<void>,
) => (...args: Args) => Promise<void>;

/**
 * Returns a function that wraps a job so that it records `trade_agent.job.duration` with the attributes `kind` and
 * `outcome`: `done`, or `failed` (will be retried). The job's span belongs to the trace that the job finds in its rows.
 */
export function createJobMeasurer({ meter, ...tracing }: Omit<Instruments, 'clock'>): JobMeasurer {
  const duration = meter.createHistogram('trade_agent.job.duration', {
    unit: 's',
    description: 'Duration of jobs that this process finished, successfully or not.',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  });
  return (kind, work) =>
    async (...args) => {
      const since = performance.now();
      const context: LogContext = {};
      const span = beginMeasurement(tracing, `job ${kind}`, SpanKind.CONSUMER);
      let outcome = 'failed';
      try {
        await tracing.contexts.with(span.context, () => runInLogContext(context, () => work(...args)));
        outcome = 'done';
      } finally {
        duration.record((performance.now() - since) / 1000, { kind, outcome });
        span.end({ kind, outcome }, outcome === 'failed', context.trace);
      }
    };
}
