import { SpanKind } from '@opentelemetry/api';
import { begin, type Instruments, SECONDS } from './instruments.ts';

/**
 * Measures what is asked of others, by OpenTelemetry's semantic conventions for HTTP clients: `http.client.request.duration` by
 * host, method, and status or the kind of failure. No path: it may name an order.
 */
export function measuredFetch(instruments: Instruments, send: typeof fetch): typeof fetch {
  const duration = instruments.meter.createHistogram('http.client.request.duration', {
    unit: 's',
    description: 'How long others took to answer, until their headers were there.',
    advice: { explicitBucketBoundaries: SECONDS },
  });
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
    const asked = { 'http.request.method': method, 'server.address': url.hostname };
    const since = performance.now();
    const span = begin(instruments, `${method} ${url.hostname}`, SpanKind.CLIENT);
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
