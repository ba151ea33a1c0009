import { TOKEN_VAULT_GRANT } from '../../oauth/oauth-names.ts';
import { fitBindingMessage, type ProviderDialect } from './dialect.ts';
import { standardDialect } from './standard.ts';

/** Auth0 requires `binding_message` and allows 64 characters: "Use only alphanumeric and +-_.,:# characters". */
const BINDING_MESSAGE_CHARACTER = /[A-Za-z0-9+\-_.,:#]/;
const MAX_BINDING_MESSAGE_LENGTH = 64;

/**
 * Maximum lifetime, in seconds, of an approval request that Auth0 sends as a Guardian push notification. Auth0 sends
 * requests with a longer lifetime by e-mail.
 */
const MAX_PUSH_APPROVAL_S = 300;

/** The dialect of Auth0. A custom domain is recognized by an endpoint that only Auth0 has. */
export const auth0Dialect: ProviderDialect = {
  ...standardDialect,
  label: 'Auth0',
  recognizes: (metadata) =>
    /\.auth0\.com$/.test(new URL(metadata.issuer).hostname) ||
    /\/mfa\/challenge$/.test(String(metadata.mfa_challenge_endpoint)),
  complete: (metadata) => ({
    ...metadata,
    backchannel_authentication_endpoint:
      metadata.backchannel_authentication_endpoint ?? new URL('bc-authorize', withTrailingSlash(metadata.issuer)).href,
  }),
  audience: (audience) => ({ audience }),
  loginHint: ({ sub }, issuer) => JSON.stringify({ format: 'iss_sub', iss: withTrailingSlash(issuer), sub }),
  bindingMessage: (message) => fitBindingMessage(message, BINDING_MESSAGE_CHARACTER, MAX_BINDING_MESSAGE_LENGTH),
  maxApprovalTtl: MAX_PUSH_APPROVAL_S,
  details: 'registered',
  // Auth0's "POST /oauth/revoke" revokes only refresh tokens. Access tokens from Auth0 are valid until they expire.
  revokesAccessTokens: false,
  exchangeGrantType: TOKEN_VAULT_GRANT,
  onBehalf: {
    namesAudience: true,
    // Auth0's "On-Behalf-Of Token Exchange" issues access tokens only.
    grantsOffline: false,
    setup:
      'Create a Custom API client for the server’s own API (app_type resource_server), with Private Key JWT and with On-Behalf-Of Token Exchange for the gateway’s API.',
  },
  // Auth0's My Account API. A session gets tokens for this API through a multi-resource refresh token, which must be
  // configured at Auth0.
  connectedAccounts: ({ issuer }) => ({
    endpoint: `${withTrailingSlash(issuer)}me/v1/connected-accounts`,
    audience: { audience: `${withTrailingSlash(issuer)}me/` },
    requestedAtSignIn: false,
    finish: 'loopback',
  }),
  setup: {
    device:
      'In the login client (type Native), turn on Device Code and Refresh Token under Advanced settings, Grant Types.',
    ciba: 'Create a client for the gateway’s approval requests: type Regular Web, Private Key JWT, grant type Client Initiated Backchannel Authentication. Turn on push notifications with Guardian.',
    details: 'In the gateway’s API, register the details type under Settings, Rich Authorization Requests.',
    dpop: 'In the gateway’s API, set Settings, Token Sender-Constraining to DPoP, or set "dpop: false" in the profile.',
    token_exchange: 'In the gateway’s Custom API client, turn on Token Vault under Grant Types.',
  },
};

/** Adds the trailing slash of Auth0's issuer, because `iss` must match the issuer exactly. */
function withTrailingSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer : `${issuer}/`;
}
