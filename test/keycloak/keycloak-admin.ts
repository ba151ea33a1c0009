import type { JWK } from 'jose';
import { REALM } from './realm.ts';

export const ADMIN = { username: 'admin', password: 'admin-of-the-test' };

/** Asks Keycloak's admin API, as a person does by its console. @param path below the realm's own */
export type Admin = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/** Its token lasts for a minute: each request has one of its own. @param base Keycloak's own address */
export function adminOf(base: string): Admin {
  return async (method, path, body) => {
    const token = await ask<{ access_token: string }>(`${base}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...ADMIN }),
    });
    return await ask(`${base}/admin/realms/${REALM}${path}`, {
      method,
      headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
}

/** Enters a client's public keys. */
export async function setClientKeys(base: string, clientId: string, keys: readonly JWK[]): Promise<void> {
  const admin = adminOf(base);
  const [client] = await admin<{ id: string; attributes: Record<string, string> }[]>(
    'GET',
    `/clients?clientId=${clientId}`,
  );
  if (client === undefined) throw new Error(`Keycloak has no client ${clientId}`);
  const attributes = {
    ...client.attributes,
    'use.jwks.string': 'true',
    'jwks.string': JSON.stringify({ keys }),
  };
  await admin('PUT', `/clients/${client.id}`, { ...client, attributes });
}

export async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
