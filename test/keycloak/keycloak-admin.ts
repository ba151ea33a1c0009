import type { JWK } from 'jose';
import { REALM } from './realm.ts';

export const ADMIN = { username: 'admin', password: 'admin-of-the-test' };

/** What a person does in Keycloak's admin console: enters a client's public keys. */
export async function setClientKeys(base: string, clientId: string, keys: readonly JWK[]): Promise<void> {
  const token = await ask<{ access_token: string }>(`${base}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...ADMIN }),
  });
  const headers = { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' };
  const clients = `${base}/admin/realms/${REALM}/clients`;
  const [client] = await ask<{ id: string; attributes: Record<string, string> }[]>(
    `${clients}?clientId=${clientId}`,
    { headers },
  );
  if (client === undefined) throw new Error(`Keycloak has no client ${clientId}`);
  const attributes = {
    ...client.attributes,
    'use.jwks.string': 'true',
    'jwks.string': JSON.stringify({ keys }),
  };
  await ask(`${clients}/${client.id}`, {
    method: 'PUT',
    headers,
    body: JSON.stringify({ ...client, attributes }),
  });
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(60_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
