import { TOKEN_VAULT_GRANT } from '../../oauth/oauth-names.ts';
import { fitBindingMessage, type ProviderDialect } from './dialect.ts';
import { standardDialect } from './standard.ts';

/** Auth0 requires `binding_message` and allows 64 characters: "Use only alphanumeric and +-_.,:# characters". */
const BINDING_MESSAGE_CHARACTER = /[A-Za-z0-9+\-_.,:#]/;
const MAX_BINDING_MESSAGE_LENGTH = 64;

/** Above this many seconds, Auth0 sends an e-mail instead of a Guardian push notification. */
const MAX_PUSH_APPROVAL_S = 300;

/** Auth0. Custom domains are recognized by an endpoint that only Auth0 has. */
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
  // Auth0's "POST /oauth/revoke" revokes refresh tokens only. Access tokens there are valid until they expire.
  revokesAccessTokens: false,
  exchangeGrantType: TOKEN_VAULT_GRANT,
  onBehalf: {
    namesAudience: true,
    // Auth0's "On-Behalf-Of Token Exchange" issues access tokens only.
    grantsOffline: false,
    setup:
      'A Custom API client for the server’s own API (app_type resource_server), Private Key JWT, On-Behalf-Of Token Exchange to the gateway’s API.',
  },
  // Auth0's My Account API. A session gets tokens for it through a multi-resource refresh token, which must be configured there.
  connectedAccounts: ({ issuer }) => ({
    endpoint: `${withTrailingSlash(issuer)}me/v1/connected-accounts`,
    audience: { audience: `${withTrailingSlash(issuer)}me/` },
    requestedAtSignIn: false,
    finish: 'loopback',
  }),
  setup: {
    device: 'Login client: type Native, Advanced settings, Grant Types: Device Code and Refresh Token.',
    ciba: 'The client that the gateway sends approval requests with: type Regular Web, Private Key JWT, Grant Types: Client Initiated Backchannel Authentication; Guardian push on.',
    details: 'The gateway’s API, Settings, Rich Authorization Requests: register the details type.',
    dpop: 'The gateway’s API, Settings, Token Sender-Constraining: DPoP. Without it set "dpop: false" in the profile.',
    token_exchange: 'The gateway’s Custom API client, Grant Types: Token Vault.',
  },
};

/** Adds the trailing slash of Auth0's issuer, because `iss` must match the issuer exactly. */
function withTrailingSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer : `${issuer}/`;
}
