import type { IncomingMessage } from 'node:http';
import { createMiddleware } from 'hono/factory';

/**
 * Responds with 400 if a request's form is unreadable or incomplete. Routes can read the form again, because the
 * framework caches the parsed body.
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

/** Returns whether the request was interrupted or is not valid HTTP. Such errors are not reported to the operator. */
export function isRequestFault(error: unknown, request: IncomingMessage | undefined): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return request?.destroyed === true || code.startsWith('HPE_') || code === 'ECONNRESET';
}
