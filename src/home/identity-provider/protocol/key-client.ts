import type { ClientMetadata } from 'oidc-provider';
import { defined } from '../../../values/defined.ts';

/** A client that proves itself by a key of its own, as settings name it. */
export interface KeyClient {
  readonly client_id: string;
  /** Public keys (RFC 7517), or where they are. */
  readonly jwks?: { readonly keys: readonly object[] } | undefined;
  readonly jwks_uri?: string | undefined;
}

/** Metadata for a client that nobody signs in by and whose tokens are bound to a key; the caller adds its grant types. */
export function keyClient({ client_id, jwks, jwks_uri }: KeyClient): ClientMetadata {
  return {
    client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    response_types: [],
    redirect_uris: [],
    dpop_bound_access_tokens: true,
    authorization_details_types: [],
    ...(jwks === undefined
      ? {}
      : {
          jwks: { keys: jwks.keys.map((key) => ({ ...key })) as NonNullable<ClientMetadata['jwks']>['keys'] },
        }),
    ...defined({ jwks_uri }),
  };
}
