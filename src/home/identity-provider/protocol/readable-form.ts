import type { IncomingMessage } from 'node:http';
import { createMiddleware } from 'hono/factory';

/** In front of routes that read a form: an unreadable or interrupted one is answered 400. What was read is cached. */
export const readableForm = createMiddleware(async (context, next) => {
  if (context.req.method === 'POST') {
    try {
      await context.req.parseBody();
    } catch {
      return context.text('The form can’t be read\n', 400);
    }
  }
  return next();
});

/** Whether the request itself failed (interrupted, or no HTTP), which is nothing to report here. */
export function isRequestFault(error: unknown, request: IncomingMessage | undefined): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return request?.destroyed === true || code.startsWith('HPE_') || code === 'ECONNRESET';
}
