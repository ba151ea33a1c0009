import { randomBytes } from 'node:crypto';
import { currentLogContext, runInLogContext, type TraceIds } from '../machine/log-context.ts';

/**
 * The `traceparent` header (https://www.w3.org/TR/trace-context/): version, trace ID, span ID and flags. Later versions
 * may add more.
 */
const PATTERN = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/**
 * Parses the header. Returns undefined if the header is invalid. Ignores the flags, because clients don't decide
 * whether spans are recorded.
 */
export function parseTraceparent(header: unknown): TraceIds | undefined {
  const [, version, traceId, spanId, more] = (typeof header === 'string' && PATTERN.exec(header)) || [];
  if (traceId === undefined || spanId === undefined || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId };
}

export const createTrace = (): TraceIds => ({
  traceId: randomBytes(16).toString('hex'),
  spanId: randomBytes(8).toString('hex'),
});

/** Calls `work` in the given trace, the current trace or a new trace, in this order of preference. */
export function runInTrace<T>(work: () => T, given?: TraceIds): T {
  const context = currentLogContext();
  return runInLogContext({ ...context, trace: given ?? context.trace ?? createTrace() }, work);
}

/** Returns the header for the current trace, if any. Its flag says that the trace is recorded, even if only in logs. */
export function traceHeaders(): Record<string, string> {
  const { trace } = currentLogContext();
  return trace === undefined ? {} : { traceparent: `00-${trace.traceId}-${trace.spanId}-01` };
}

/** Returns a `fetch` that sends the current trace. Use only for servers that may see which requests belong together. */
export function tracedFetch(send: typeof fetch): typeof fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
    return send(input, { ...init, headers });
  };
}
