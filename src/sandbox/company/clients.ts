import type { Database } from 'better-sqlite3-multiple-ciphers';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { AdapterFactory, ClientMetadata } from 'oidc-provider';
import { z } from 'zod';
import { DEVICE_GRANT, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';

export interface CompanyClient {
  readonly client_id: string;
  readonly name: string;
}

/** An ES256 key's public half; a private member is refused, not dropped. */
export const clientKeySchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().max(64),
  y: z.string().max(64),
  kid: z.string().max(128).optional(),
  alg: z.literal('ES256').optional(),
  use: z.literal('sig').optional(),
});

export type CompanyClients = ReturnType<typeof companyClients>;

export function companyClients(database: Database, known: readonly CompanyClient[]) {
  const list = database.prepare<[string], { jwk: string }>(
    'SELECT jwk FROM company_client_keys WHERE client_id = ? ORDER BY rowid',
  );
  const add = database.prepare<[string, string, string]>(
    'INSERT OR IGNORE INTO company_client_keys (client_id, kid, jwk) VALUES (?, ?, ?)',
  );
  const find = (clientId: string) => known.find(({ client_id }) => client_id === clientId);
  const keys = (clientId: string) =>
    find(clientId) === undefined
      ? undefined
      : { keys: list.all(clientId).map(({ jwk }): JWK => JSON.parse(jwk)) };

  const metadataOf = (clientId: string): ClientMetadata | undefined => {
    const client = find(clientId);
    const jwks = keys(clientId);
    if (client === undefined || jwks === undefined || jwks.keys.length === 0) return undefined;
    return {
      client_id: client.client_id,
      client_name: client.name,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'ES256',
      grant_types: [DEVICE_GRANT, 'refresh_token', TOKEN_EXCHANGE_GRANT],
      response_types: [],
      redirect_uris: [],
      jwks: jwks as NonNullable<ClientMetadata['jwks']>,
    };
  };

  return {
    /** Public keys of a client, one per machine; undefined for an unknown client. */
    keys,
    /** Idempotent. @returns false for an unknown client */
    async addKey(clientId: string, { kty, crv, x, y }: z.output<typeof clientKeySchema>): Promise<boolean> {
      if (find(clientId) === undefined) return false;
      const kid = await calculateJwkThumbprint({ kty, crv, x, y });
      add.run(clientId, kid, JSON.stringify({ kty, crv, x, y, kid, alg: 'ES256', use: 'sig' }));
      return true;
    },
    among:
      (adapter: AdapterFactory): AdapterFactory =>
      (model) => {
        const store = (adapter as (model: string) => ReturnType<typeof adapter>)(model);
        return model === 'Client' ? { ...store, find: async (id) => metadataOf(id) } : store;
      },
  };
}
