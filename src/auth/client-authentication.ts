import type { ClientAuth } from 'openid-client';
import { type ClientKey, importClientKey, registeredJwk } from './client-key.ts';

/** How one confidential client proves who it is at the provider. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly authentication: 'private_key_jwt';
  readonly key: ClientKey;
  /** False where the provider names keys itself, and would look in vain for our name. */
  readonly sendsKeyId?: boolean;
}

/** openid-client's form of it (RFC 7523 §2.2). */
export async function clientAuth(credentials: ClientCredentials): Promise<ClientAuth> {
  const { PrivateKeyJwt } = await import('openid-client');
  const key = await importClientKey(credentials.key);
  if (credentials.sendsKeyId === false) return PrivateKeyJwt(key);
  // By it a provider with two keys of ours, old and new, finds the right one.
  const { kid } = await registeredJwk(credentials.key);
  return PrivateKeyJwt({ key, kid });
}
