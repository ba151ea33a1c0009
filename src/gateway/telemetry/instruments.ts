import {
  type Context,
  type ContextManager,
  type Meter,
  ROOT_CONTEXT,
  type SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Clock } from '../../machine/clock.ts';

/** By what a gateway is measured. */
export interface Instruments {
  readonly meter: Meter;
  /** Undefined where no spans are wanted. */
  readonly tracer: Tracer | undefined;
  /** Of which span's doing something is: kept along with what waits. */
  readonly contexts: ContextManager;
  readonly clock: Pick<Clock, 'now'>;
}

/** Bounds of a histogram of seconds, as OpenTelemetry's semantic conventions for HTTP give them. */
export const SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 120, 600,
];

export type Attributes = Readonly<Record<string, string | number>>;

/** A piece of work that is measured: ended once, with what came of it. */
export interface Measured {
  /** In which it is done, so that what it asks others is told to be its own. */
  readonly context: Context;
  end(attributes: Attributes, failed: boolean): void;
}

/** Begins a span, where spans are wanted. */
export function begin(
  { tracer, contexts }: Instruments,
  name: string,
  kind: SpanKind.SERVER | SpanKind.CLIENT,
): Measured {
  const around = contexts.active() ?? ROOT_CONTEXT;
  const span = tracer?.startSpan(name, { kind }, around);
  return {
    context: span === undefined ? around : trace.setSpan(around, span),
    end(attributes, failed) {
      span?.setAttributes(attributes);
      if (failed) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
    },
  };
}
