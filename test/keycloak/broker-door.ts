import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import type { Vault } from '../../src/home/identity-provider/vault.ts';
import type { PaperBroker } from '../../src/sandbox/paper-broker/paper-broker.ts';
import { BROKER_CLIENT } from './realm.ts';

/**
 * The paper broker behind a door that takes tokens Keycloak exchanged for it, checks them, and puts the broker's own
 * in their place: a broker that trusts this Keycloak would do so itself.
 */
export function brokerDoor(options: {
  readonly issuer: string;
  readonly broker: PaperBroker;
  readonly vault: Vault;
  /** The broker's user for a token. */
  readonly userOf: (sub: string) => string | undefined;
}): { listener: RequestListener; exchanged: () => number } {
  const { issuer, broker, vault } = options;
  const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`));
  let exchanged = 0;
  const listener = getRequestListener(async (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith('/v2/')) return broker.app.fetch(request);
    const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: BROKER_CLIENT });
      const user = options.userOf(String(payload.sub)) ?? '';
      exchanged += 1;
      const headers = new Headers(request.headers);
      headers.set('authorization', `Bearer ${(await vault.accessToken(user, 'paper-broker')).accessToken}`);
      return await broker.app.fetch(new Request(request, { headers }));
    } catch {
      return Response.json({ code: 40110000, message: 'request is not authorized' }, { status: 401 });
    }
  });
  return {
    listener: (request, response) => void listener(request, response),
    exchanged: () => exchanged,
  };
}
