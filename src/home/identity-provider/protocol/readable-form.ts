import type { IncomingMessage } from 'node:http';
import { createMiddleware } from 'hono/factory';

/**
 * Middleware for routes that read a form. Responds with 400 to an unreadable or interrupted form. The parsed body is
 * cached.
 */
export const requireReadableForm = createMiddleware(async (context, next) => {
  if (context.req.method === 'POST') {
    try {
      await context.req.parseBody();
    } catch {
      return context.text('The form can’t be read\n', 400);
    }
  }
  return next();
});

/** Returns whether the request itself failed (interrupted, or not HTTP). Such errors are not reported. */
export function isRequestFault(error: unknown, request: IncomingMessage | undefined): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return request?.destroyed === true || code.startsWith('HPE_') || code === 'ECONNRESET';
}
