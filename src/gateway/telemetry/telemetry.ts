import type { RequestListener } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../machine/clock.ts';
import { currentLogContext, type LogContext, runInLogContext } from '../../machine/log-context.ts';
import { dispatchFetch, ownerLookup } from '../../net/dispatch-fetch.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import { type Attributes, beginMeasurement, DURATION_BUCKETS_S, type Instruments } from './instruments.ts';
import { type Backlog, measureBacklog } from './measured-backlog.ts';
import {
  createOpenProposalCounter,
  type MeasuredDatabaseOptions,
  measuredQueue,
  recordDatabaseMetrics,
} from './measured-database.ts';
import { createJobMeasurer } from './measured-jobs.ts';

const CLOSE_MS = 2_000;

interface TelemetryOptions {
  readonly version: string;
  readonly clock: Pick<Clock, 'now'>;
  /** URL for traces (OTLP over HTTP): `…/v1/traces`. If omitted, no spans are created. */
  readonly traces?: string | undefined;
}

export type Telemetry = ReturnType<typeof createTelemetry>;

/** Creates OpenTelemetry metrics and spans. They never contain a person, account, symbol, amount, id or header. */
export function createTelemetry(options: TelemetryOptions, send: typeof fetch = dispatchFetch) {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meters = new MeterProvider({ readers: [reader] });
  const tracers = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'trade-agent', 'service.version': options.version }),
    spanProcessors:
      options.traces === undefined
        ? []
        : [
            new BatchSpanProcessor({
              exporter: new OTLPTraceExporter({ url: options.traces, httpAgentOptions: { lookup: ownerLookup } }),
            }),
          ],
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
    /** A `fetch` that measures requests. It must be used for all outgoing requests. */
    fetch: measuredFetch(instruments, send),
    /** Wraps the stores so that their writes are counted. */
    stores: (stores: GatewayStores) => measuredStores(instruments, stores),
    /** Measures the database of the stores at each scrape. */
    database: (stores: GatewayStores, of: MeasuredDatabaseOptions) => recordDatabaseMetrics(instruments, stores, of),
    jobs: createJobMeasurer(instruments),
    /** @param read called at each scrape */
    backlog: (read: () => Promise<Backlog>) => measureBacklog(instruments, read),
    /** Measures how long the home's certificate is still valid. @param endsAt returns undefined if there is none yet */
    certificate(endsAt: () => number | undefined): void {
      instruments.meter
        .createObservableGauge('trade_agent.certificate.validity.seconds', {
          unit: 's',
          description: 'Time until the certificate expires.',
        })
        .addCallback((result) => {
          const at = endsAt();
          if (at !== undefined) result.observe((at - options.clock.now()) / 1000);
        });
    },
    /** @param routes patterns such as `/v1/proposals/:id`, which label requests */
    requests: (listener: RequestListener, routes: readonly string[]) => measuredRequests(instruments, listener, routes),
    /** Returns the metrics in Prometheus's text format 0.0.4. */
    async metrics(): Promise<string> {
      const { resourceMetrics, errors } = await reader.collect();
      // A gauge that can't be read is left out.
      if (errors.length > 0 && resourceMetrics.scopeMetrics.length === 0) throw errors[0];
      return serializer.serialize(resourceMetrics);
    },
    /** Exports the remaining spans, within a few seconds. Never throws. */
    close: () => (closing ??= close()),
  };
}

/**
 * Returns a `fetch` that records `http.client.request.duration`, following the OpenTelemetry semantic conventions for
 * HTTP clients, with host, method, and status or error as attributes. Leaves out the path: it may contain an order ID.
 */
function measuredFetch(instruments: Instruments, send: typeof fetch): typeof fetch {
  const duration = instruments.meter.createHistogram('http.client.request.duration', {
    unit: 's',
    description: 'Time until outgoing requests received their response headers.',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  });
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
    const asked = { 'http.request.method': method, 'server.address': url.hostname };
    const since = performance.now();
    const span = beginMeasurement(instruments, `${method} ${url.hostname}`, SpanKind.CLIENT);
    const end = (came: Record<string, string | number>, failed: boolean) => {
      const attributes = { ...asked, ...came };
      duration.record((performance.now() - since) / 1000, attributes);
      span.end(attributes, failed);
    };
    try {
      const response = await instruments.contexts.with(span.context, () => send(input, init));
      end({ 'http.response.status_code': response.status }, response.status >= 500);
      return response;
    } catch (error) {
      end({ 'error.type': error instanceof Error ? error.name : 'unknown' }, true);
      throw error;
    }
  };
}

/** Measures the process, following OpenTelemetry's conventions for Node.js. @returns a function that stops measuring */
function measureProcess({ meter }: Pick<Instruments, 'meter'>): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  meter
    .createObservableGauge('nodejs.eventloop.delay.p99', {
      unit: 's',
      description: 'Event loop delay, 99th percentile since the last scrape.',
    })
    .addCallback((result) => {
      result.observe(delay.percentile(99) / 1e9);
      delay.reset();
    });
  meter
    .createObservableGauge('process.memory.usage', { unit: 'By', description: 'Resident memory.' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableCounter('process.cpu.time', { unit: 's', description: 'CPU time used.' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / 1e6, { 'cpu.mode': 'user' });
      result.observe(system / 1e6, { 'cpu.mode': 'system' });
    });
  return () => delay.disable();
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Returns a listener that records `http.server.request.duration`, following the OpenTelemetry semantic conventions for
 * HTTP servers, with route, method and status as attributes. Unknown paths share one route label, so that clients can't
 * create new labels.
 */
function measuredRequests(
  instruments: Instruments,
  listener: RequestListener,
  routes: readonly string[],
): RequestListener {
  const duration = instruments.meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'Time until requests were answered or aborted, excluding event streams.',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  });
  const routeOf = routeFinder(routes);
  return (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const route = routeOf(path);
    const method = METHODS.includes(request.method ?? '') ? (request.method ?? '') : '_OTHER';
    const since = performance.now();
    const span = beginMeasurement(instruments, `${method} ${route}`, SpanKind.SERVER);
    response.once('close', () => {
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': response.statusCode,
      };
      // Does not record the duration of a stream, because it says nothing about speed.
      const isStream = String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
      if (!isStream) duration.record((performance.now() - since) / 1000, attributes);
      span.end(attributes, response.statusCode >= 500, context.trace);
    });
    const context: LogContext = { ...currentLogContext(), ...defined({ trace: span.trace }) };
    instruments.contexts.with(span.context, () => runInLogContext(context, () => listener(request, response)));
  };
}

/** @returns a function that finds the route pattern for a path; `other` if there is none */
function routeFinder(patterns: readonly string[]): (path: string) => string {
  const known = patterns
    .filter((pattern) => !pattern.includes('*'))
    .map((pattern) => ({ pattern, parts: pattern.split('/') }));
  const fits = (parts: readonly string[]) => (one: { readonly parts: readonly string[] }) =>
    one.parts.length === parts.length &&
    one.parts.every((part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''));
  return (path) => {
    const parts = path.split('/');
    // Looks for a literal pattern first, because `/v1/orders/check` also matches `/v1/orders/:id`.
    const exact = known.find(({ pattern }) => pattern === path);
    return (exact ?? known.find(fits(parts)))?.pattern ?? 'other';
  };
}

/**
 * Wraps the stores so that they record these metrics:
 * - `trade_agent.proposals`: number of proposals that changed state, by kind and new state
 * - `trade_agent.proposal.state.duration`: seconds in a state, by kind, state and next state
 * - `trade_agent.proposals.open`: number of unsettled proposals, including `unknown` ones ({@link createOpenProposalCounter})
 * - `trade_agent.proposals.claimed`: {@link measuredQueue}
 * - `trade_agent.orders`: number of orders, by `outcome`: `claimed`, `known`, `approval_used`, `denied`; then `placed`,
 *   `rejected`, `unknown`
 */
function measuredStores({ meter, clock }: Instruments, stores: GatewayStores): GatewayStores {
  const moves = meter.createCounter('trade_agent.proposals', {
    description: 'Proposals by the state that they entered.',
  });
  const stayed = meter.createHistogram('trade_agent.proposal.state.duration', {
    unit: 's',
    description: 'Time that proposals spent in a state before the next one.',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS_S },
  });
  const outcomes = meter.createCounter('trade_agent.orders', {
    description: 'Orders by the outcome of claiming and of sending them.',
  });
  const open = meter.createObservableGauge('trade_agent.proposals.open', {
    description: 'Proposals that are not settled.',
  });
  const { proposals, orders } = stores;
  const openCount = createOpenProposalCounter(() => proposals.openCount());
  open.addCallback(async (result) => result.observe(await openCount.read()));
  const count = (outcome: string) => outcomes.add(1, { outcome });
  const counting =
    <Args extends readonly unknown[], Result>(outcome: string, write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const result = await write(...args);
      count(outcome);
      return result;
    };
  return {
    ...stores,
    queue: measuredQueue({ meter }, stores),
    proposals: {
      ...proposals,
      async draft(draft, ...rest) {
        const drafted = await proposals.draft(draft, ...rest);
        if (drafted.outcome !== 'drafted') return drafted;
        moves.add(1, { kind: draft.kind, state: 'drafted' });
        openCount.moved(undefined, 'drafted');
        return drafted;
      },
      async change(seen, change, ...rest) {
        const before = stateBefore(seen);
        const changed = await proposals.change(seen, change, ...rest);
        const { kind, state } = changed.proposal;
        if (changed.outcome !== 'moved' || before?.state === state) return changed;
        moves.add(1, { kind, state });
        if (before !== undefined) {
          openCount.moved(before.state, state);
          const attributes: Attributes = { kind, state: before.state, next: state };
          stayed.record(Math.max(0, clock.now() - before.since) / 1000, attributes);
        }
        return changed;
      },
    },
    orders: {
      ...orders,
      async claim(...args) {
        const outcome = await orders.claim(...args);
        count(outcome);
        return outcome;
      },
      place: counting('placed', orders.place),
      reject: counting('rejected', orders.reject),
      markUnknown: counting('unknown', orders.markUnknown),
      async refuse(...args) {
        const outcome = await orders.refuse(...args);
        if (outcome === 'rejected') count(outcome);
        return outcome;
      },
    },
  };
}

/** Returns the proposal's state before the change. The kernel always passes whole proposals as `seen`. */
function stateBefore(seen: object): { readonly state: ProposalState; readonly since: number } | undefined {
  const { state, updatedAt } = seen as { state?: ProposalState; updatedAt?: unknown };
  return typeof state === 'string' && typeof updatedAt === 'number' ? { state, since: updatedAt } : undefined;
}
