import type { RequestListener } from 'node:http';
import { SpanKind } from '@opentelemetry/api';
import { begin, type Instruments, SECONDS } from './instruments.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Measures what is asked of the gateway, by OpenTelemetry's semantic conventions for HTTP servers:
 * `http.server.request.duration` by route, method and status. Who asks for what there isn't can't make new ones up.
 */
export function measuredRequests(
  instruments: Instruments,
  listener: RequestListener,
  routes: readonly string[],
): RequestListener {
  const duration = instruments.meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'How long requests took, until they were answered or given up. Event streams are left out.',
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const routeOf = routeFinder(routes);
  return (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const route = routeOf(path);
    const method = METHODS.includes(request.method ?? '') ? (request.method ?? '') : '_OTHER';
    const since = performance.now();
    const span = begin(instruments, `${method} ${route}`, SpanKind.SERVER);
    response.once('close', () => {
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': response.statusCode,
      };
      // Open for as long as somebody watches: that says nothing of how quick anything is.
      const isStream = String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
      if (!isStream) duration.record((performance.now() - since) / 1000, attributes);
      span.end(attributes, response.statusCode >= 500);
    });
    instruments.contexts.with(span.context, () => listener(request, response));
  };
}

/** @returns which pattern a path is of; `other` where it is of none */
export function routeFinder(patterns: readonly string[]): (path: string) => string {
  const known = patterns
    .filter((pattern) => !pattern.includes('*'))
    .map((pattern) => ({ pattern, parts: pattern.split('/') }));
  const fits = (parts: readonly string[]) => (one: { readonly parts: readonly string[] }) =>
    one.parts.length === parts.length &&
    one.parts.every((part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''));
  return (path) => {
    const parts = path.split('/');
    // What is spelled out goes before what anything fits (`/v1/orders/check`, `/v1/orders/:id`).
    const exact = known.find(({ pattern }) => pattern === path);
    return (exact ?? known.find(fits(parts)))?.pattern ?? 'other';
  };
}
