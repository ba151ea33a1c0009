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
