import { TOKEN_VAULT_GRANT } from '../../oauth/oauth-names.ts';
import { type Dialect, fittingMessage } from './dialect.ts';
import { standard } from './standard.ts';

/** "Use only alphanumeric and +-_.,:# characters", 64 at most: Auth0 on `binding_message`, which it requires. */
const BINDING_MESSAGE_CHARACTER = /[A-Za-z0-9+\-_.,:#]/;
const LONGEST_BINDING_MESSAGE = 64;

/** More than this, and Auth0 asks by e-mail instead of a push to Guardian. */
const LONGEST_PUSH_S = 300;

/** Auth0. Domains of one's own are known by an endpoint only Auth0 has. */
export const auth0: Dialect = {
  ...standard,
  label: 'Auth0',
  recognizes: (metadata) =>
    /\.auth0\.com$/.test(new URL(metadata.issuer).hostname) ||
    /\/mfa\/challenge$/.test(String(metadata.mfa_challenge_endpoint)),
  complete: (metadata) => ({
    ...metadata,
    backchannel_authentication_endpoint:
      metadata.backchannel_authentication_endpoint ?? new URL('bc-authorize', slashed(metadata.issuer)).href,
  }),
  audience: (audience) => ({ audience }),
  loginHint: ({ sub }, issuer) => JSON.stringify({ format: 'iss_sub', iss: slashed(issuer), sub }),
  bindingMessage: (message) => fittingMessage(message, BINDING_MESSAGE_CHARACTER, LONGEST_BINDING_MESSAGE),
  longestApproval: LONGEST_PUSH_S,
  details: 'registered',
  // "POST /oauth/revoke": a refresh token. An access token there lasts until it ends.
  revokesAccessTokens: false,
  exchangeGrantType: TOKEN_VAULT_GRANT,
  onBehalf: {
    namesAudience: true,
    // "On-Behalf-Of Token Exchange" gives access tokens alone.
    grantsOffline: false,
    setup:
      'A Custom API client of the server’s own API (app_type resource_server), Private Key JWT, On-Behalf-Of Token Exchange to the gateway’s API.',
  },
  // The My Account API. A session gets tokens for it by a multi-resource refresh token, which is a setting there.
  connectedAccounts: ({ issuer }) => ({
    endpoint: `${slashed(issuer)}me/v1/connected-accounts`,
    audience: { audience: `${slashed(issuer)}me/` },
    atSignIn: false,
    finish: 'loopback',
  }),
  setup: {
    device: 'Login client: type Native, Advanced settings, Grant Types: Device Code and Refresh Token.',
    ciba: 'The client the gateway asks by: type Regular Web, Private Key JWT, Grant Types: Client Initiated Backchannel Authentication; Guardian push on.',
    details: 'The gateway’s API, Settings, Rich Authorization Requests: register the details type.',
    dpop: 'The gateway’s API, Settings, Token Sender-Constraining: DPoP. Without it set "dpop: false" in the profile.',
    token_exchange: 'The gateway’s client of the API’s own, Grant Types: Token Vault.',
  },
};

/** Auth0's issuer ends with a slash, and its `iss` must match to the letter. */
function slashed(issuer: string): string {
  return issuer.endsWith('/') ? issuer : `${issuer}/`;
}
