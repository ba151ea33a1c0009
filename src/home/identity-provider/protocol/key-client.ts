import type { ClientMetadata } from 'oidc-provider';
import { defined } from '../../../values/defined.ts';

/** A client that authenticates with its own key, as configured in the settings. */
export interface KeyClient {
  readonly client_id: string;
  /** The client's public keys (RFC 7517), if they are not at `jwks_uri`. */
  readonly jwks?: { readonly keys: readonly object[] } | undefined;
  readonly jwks_uri?: string | undefined;
}

/** Returns metadata for a client with key-bound tokens and no sign-in flow. The caller adds the grant types. */
export function keyClientMetadata({ client_id, jwks, jwks_uri }: KeyClient): ClientMetadata {
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
