import {
  type Context,
  type ContextManager,
  type Meter,
  ROOT_CONTEXT,
  type SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Clock } from '../../machine/clock.ts';
import { currentLogContext, type TraceIds } from '../../machine/log-context.ts';

export interface Instruments {
  readonly meter: Meter;
  /** Undefined if spans are not exported. */
  readonly tracer: Tracer | undefined;
  readonly contexts: ContextManager;
  readonly clock: Pick<Clock, 'now'>;
}

/** Histogram boundaries in seconds, based on OpenTelemetry's semantic conventions for HTTP. */
export const DURATION_BUCKETS_S = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 120, 600,
];

export type Attributes = Readonly<Record<string, string | number>>;

export interface Measurement {
  /** The context for child spans. */
  readonly context: Context;
  /** Undefined if spans are not exported. */
  readonly trace: TraceIds | undefined;
  /** @param found the trace to which the work turned out to belong, such as the trace of a ping's proposal */
  end(attributes: Attributes, failed: boolean, found?: TraceIds): void;
}

export function beginMeasurement(
  { tracer, contexts }: Pick<Instruments, 'tracer' | 'contexts'>,
  name: string,
  kind: SpanKind,
): Measurement {
  const around = withTrace(contexts.active() ?? ROOT_CONTEXT, currentLogContext().trace);
  const startTime = Date.now();
  const begun = tracer?.startSpan(name, { kind, startTime }, around);
  return {
    context: begun === undefined ? around : trace.setSpan(around, begun),
    trace: begun?.spanContext(),
    end(attributes, failed, found) {
      // A span can't change its trace, and one that never ends is not exported.
      const isElsewhere = found !== undefined && found.traceId !== begun?.spanContext().traceId;
      const span = isElsewhere ? tracer?.startSpan(name, { kind, startTime }, withTrace(ROOT_CONTEXT, found)) : begun;
      span?.setAttributes(attributes);
      if (failed) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
    },
  };
}

/** Continues the given trace. Records all spans, even if the client's sampling flag says otherwise. */
function withTrace(active: Context, current: TraceIds | undefined): Context {
  if (current === undefined || trace.getSpanContext(active)?.traceId === current.traceId) return active;
  return trace.setSpanContext(active, { ...current, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}
