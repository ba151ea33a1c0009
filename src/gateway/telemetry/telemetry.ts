import type { RequestListener } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../machine/clock.ts';
import { dispatchFetch } from '../../net/dispatch-fetch.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import type { Instruments } from './instruments.ts';
import { type Backlog, measureBacklog } from './measured-backlog.ts';
import { measuredFetch } from './measured-fetch.ts';
import { type MeasuredJobs, measuredJobs } from './measured-jobs.ts';
import { measuredRequests } from './measured-requests.ts';
import { measuredStores } from './measured-stores.ts';
import { measureProcess } from './process-gauges.ts';

const CLOSE_MS = 2_000;

export interface TelemetryOptions {
  readonly version: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Where spans go (OTLP over HTTP, `…/v1/traces`); none are made where it is left out. */
  readonly traces?: string | undefined;
}

/**
 * How a gateway is doing, as OpenTelemetry has it: by number, never by whose. No metric and no span holds a person, an account,
 * a symbol, an amount, an id or a header.
 */
export interface Telemetry {
  /** For everything that the gateway asks others. */
  readonly fetch: typeof fetch;
  /** @returns the same stores; what is written to them is counted as well */
  stores(stores: GatewayStores): GatewayStores;
  /** @param routes the patterns there are (`/v1/proposals/:id`), by which requests are told apart */
  requests(listener: RequestListener, routes: readonly string[]): RequestListener;
  /** For what a worker does. */
  readonly jobs: MeasuredJobs;
  /** What waits for a worker and its like: read at each scrape. */
  backlog(read: () => Promise<Backlog>): void;
  /** All metrics, in Prometheus's text format 0.0.4. */
  metrics(): Promise<string>;
  /** Sends what spans there are; where they can't be sent within some seconds, they are lost. Never throws. */
  close(): Promise<void>;
}

/** @param send what {@link Telemetry.fetch} sends by */
export function openTelemetry(options: TelemetryOptions, send: typeof fetch = dispatchFetch): Telemetry {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meters = new MeterProvider({ readers: [reader] });
  const tracers = new TracerProvider({
    spanProcessors:
      options.traces === undefined
        ? []
        : [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: options.traces }) })],
  });
  const contexts = new AsyncLocalStorageContextManager().enable();
  const instruments: Instruments = {
    meter: meters.getMeter('trade-agent', options.version),
    tracer: options.traces === undefined ? undefined : tracers.getTracer('trade-agent', options.version),
    contexts,
    clock: options.clock,
  };
  const stopMeasuring = measureProcess(instruments);
  let closing: Promise<void> | undefined;
  const close = async () => {
    stopMeasuring();
    contexts.disable();
    const sent = Promise.allSettled([meters.shutdown(), tracers.shutdown()]);
    const late = new AbortController();
    const waited = setTimeout(CLOSE_MS, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([sent, waited]);
    late.abort();
  };
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  return {
    fetch: measuredFetch(instruments, send),
    stores: (stores) => measuredStores(instruments, stores),
    jobs: measuredJobs(instruments),
    backlog: (read) => measureBacklog(instruments, read),
    requests: (listener, routes) => measuredRequests(instruments, listener, routes),
    async metrics() {
      const { resourceMetrics, errors } = await reader.collect();
      // A gauge that could not be read is left out, and says so by that.
      if (errors.length > 0 && resourceMetrics.scopeMetrics.length === 0) throw errors[0];
      return serializer.serialize(resourceMetrics);
    },
    close: () => (closing ??= close()),
  };
}
