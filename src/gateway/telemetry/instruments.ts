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

export interface RequestMeasurement {
  /** The context for child spans. */
  readonly context: Context;
  /** Undefined if spans are not exported. */
  readonly trace: TraceIds | undefined;
  end(attributes: Attributes, failed: boolean): void;
}

export function beginRequestMeasurement(
  { tracer, contexts }: Instruments,
  name: string,
  kind: SpanKind.SERVER | SpanKind.CLIENT,
): RequestMeasurement {
  const around = withCurrentTrace(contexts.active() ?? ROOT_CONTEXT);
  const span = tracer?.startSpan(name, { kind }, around);
  return {
    context: span === undefined ? around : trace.setSpan(around, span),
    trace: span?.spanContext(),
    end(attributes, failed) {
      span?.setAttributes(attributes);
      if (failed) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
    },
  };
}

/** Continues the request's trace. Records all spans, even if the client's sampling flag says otherwise. */
function withCurrentTrace(active: Context): Context {
  const { trace: current } = currentLogContext();
  if (current === undefined || trace.getSpanContext(active)?.traceId === current.traceId) return active;
  return trace.setSpanContext(active, { ...current, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}
