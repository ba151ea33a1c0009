import type { HttpBindings } from '@hono/node-server';
import { createMiddleware } from 'hono/factory';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { routes } from './protocol.ts';
import { type RequestLimits, tooManyBody } from './request-limits.ts';

/** Answers that are no wrong try: whoever waits for a person hears them again and again. */
const IN_ORDER = ['authorization_pending', 'slow_down', 'expired_token', 'access_denied'];

/**
 * In front of the library: who begins too many sign-ins, and who was refused too often.
 * @param passOn the home's own gateway and servers, which pass on what others bring: they are not the ones who try
 */
export function limitProtocol(limits: RequestLimits, passOn: readonly string[]) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    const address = limits.addressOf(ctx.req);
    if (ctx.path === routes.device_authorization && ctx.method === 'POST') {
      const wait = limits.deviceStarts.take(address);
      if (wait !== undefined) return tooMany(ctx, wait);
    }
    if (ctx.path === routes.authorization) {
      const wait = limits.authorizations.take(address);
      if (wait !== undefined) return tooMany(ctx, wait);
    }
    await next();
    const error = errorOf(ctx.body);
    if (ctx.status < 400 || ctx.status >= 500 || ctx.status === 429 || error === undefined) return;
    if (IN_ORDER.includes(error)) return;
    const client = provenClient(ctx, error);
    if (client !== undefined && passOn.includes(client)) return;
    // A key that no address can be.
    const wait = limits.refusals.take(client === undefined ? address : `client ${client}`);
    if (wait !== undefined) tooMany(ctx, wait);
  };
}

/** The same for the endpoints that the library does not have: 401 is what counts there. */
export function limitRefusals(limits: RequestLimits) {
  return createMiddleware<{ Bindings: HttpBindings }>(async (context, next) => {
    await next();
    if (context.res.status !== 401) return;
    const wait = limits.refusals.take(limits.addressOf(context.env.incoming));
    if (wait === undefined) return;
    context.res = Response.json(tooManyBody(wait), {
      status: 429,
      headers: { 'cache-control': 'no-store', 'retry-after': String(wait) },
    });
  });
}

function tooMany(ctx: KoaContextWithOIDC, wait: number): void {
  ctx.status = 429;
  ctx.set('retry-after', String(wait));
  ctx.set('cache-control', 'no-store');
  ctx.body = tooManyBody(wait);
}

function errorOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  return String(body.error);
}

/** The client that has proven who it is. */
function provenClient(ctx: KoaContextWithOIDC, error: string): string | undefined {
  const client = ctx.oidc?.entities?.Client;
  if (client === undefined || error === 'invalid_client' || client.tokenEndpointAuthMethod === 'none')
    return undefined;
  return client.clientId;
}
