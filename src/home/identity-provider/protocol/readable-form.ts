import type { IncomingMessage } from 'node:http';
import { createMiddleware } from 'hono/factory';

/**
 * In front of routes that read a form: one that can't be read, or that broke off, is the sender's fault. What was read is
 * kept with the request, and not read again.
 */
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

/** Whether it went wrong since the request broke off, or was none: nothing that is to be looked into here. */
export function isRequestFault(error: unknown, request: IncomingMessage | undefined): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return request?.destroyed === true || code.startsWith('HPE_') || code === 'ECONNRESET';
}
