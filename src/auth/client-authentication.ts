import type { ClientAuth } from 'openid-client';
import { type ClientKey, importClientKey, registeredJwk } from './client-key.ts';

/** How one confidential client proves who it is at the provider. */
export type ClientCredentials =
  | {
      readonly clientId: string;
      readonly authentication: 'private_key_jwt';
      readonly key: ClientKey;
      /** False where the provider names keys itself, and would look in vain for our name. */
      readonly sendsKeyId?: boolean;
    }
  | {
      readonly clientId: string;
      readonly authentication: 'client_secret_basic' | 'client_secret_post';
      readonly secret: string;
    };

/** openid-client's form of it (RFC 7523 §2.2, RFC 6749 §2.3.1). */
export async function clientAuth(credentials: ClientCredentials): Promise<ClientAuth> {
  const { PrivateKeyJwt, ClientSecretBasic, ClientSecretPost } = await import('openid-client');
  switch (credentials.authentication) {
    case 'private_key_jwt': {
      const key = await importClientKey(credentials.key);
      if (credentials.sendsKeyId === false) return PrivateKeyJwt(key);
      // By it a provider with two keys of ours, old and new, finds the right one.
      const { kid } = await registeredJwk(credentials.key);
      return PrivateKeyJwt({ key, kid });
    }
    case 'client_secret_basic':
      return ClientSecretBasic(credentials.secret);
    case 'client_secret_post':
      return ClientSecretPost(credentials.secret);
  }
}
