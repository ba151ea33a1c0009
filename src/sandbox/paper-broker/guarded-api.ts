import { randomUUID } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import type { Faults } from '../../home/faults.ts';
import type { BrokerEnv } from './access.ts';
import { BrokerError } from './broker-error.ts';
import { DataError } from './data-error.ts';

/** In the form of the API that failed. */
export function answerFailures(app: Hono): void {
  app.notFound((context) => context.json({ code: 40410000, message: 'endpoint not found' }, 404));
  app.onError((error, context) => {
    if (error instanceof BrokerError) {
      return context.json({ code: error.code, message: error.message, ...error.facts }, error.status);
    }
    if (error instanceof DataError) return context.json({ message: error.message }, error.status);
    return context.json({ code: 50010000, message: 'internal server error occurred' }, 500);
  });
}

/** What answers requests of those who are let in, and not too many of them. */
export function guardedApi(
  access: MiddlewareHandler<BrokerEnv>,
  rate: MiddlewareHandler<BrokerEnv>,
  faults: Faults,
): Hono<BrokerEnv> {
  const api = new Hono<BrokerEnv>();
  for (const version of ['/v2/*', '/v1/*', '/v1beta1/*', '/v1beta3/*']) {
    api.use(version, async (context, next) => {
      context.header('X-Request-ID', randomUUID().replaceAll('-', ''));
      if (faults.take('broker_5xx')) {
        return context.json({ code: 50010000, message: 'internal server error occurred' }, 500);
      }
      return next();
    });
    // Market data of crypto is for everybody: its operations have an empty `security` in Alpaca's contract, and Alpaca's
    // SDK sends no credentials there.
    if (version !== '/v1beta3/*') api.use(version, access, rate);
  }
  return api;
}
