import { type Dialect, fittingMessage } from './dialect.ts';
import { standard } from './standard.ts';

/** `BackchannelAuthenticationEndpoint` of Keycloak 26.4: `^[a-zA-Z0-9-._+/!?#]{1,50}$`, spaces among the refused. */
const BINDING_MESSAGE_CHARACTER = /[a-zA-Z0-9\-._+/!?#]/;
const LONGEST_BINDING_MESSAGE = 50;

/**
 * Keycloak 26. It reads no RFC 9396 details in a CIBA request, so none reach the token: the gateway asks by the binding
 * message alone there (`details: message`), on paper accounts.
 */
export const keycloak: Dialect = {
  ...standard,
  label: 'Keycloak',
  recognizes: (metadata) =>
    /\/realms\/[^/]+\/?$/.test(metadata.issuer) &&
    /\/protocol\/openid-connect\/token$/.test(String(metadata.token_endpoint)),
  // Without offline_access: measured (26.4), a token of an offline session can't be exchanged ("Invalid token"), and the
  // gateway exchanges every one. The refresh token then lasts as long as the SSO session may.
  identityScopes: ['openid', 'profile', 'email'],
  // It takes the audience from the client scopes' mappers, and ignores `resource`.
  audience: (audience) => ({ audience }),
  // Measured (26.4): a user's name or e-mail address; by `sub` it finds nobody ("invalid user").
  loginHint: ({ sub, username, email }) => username ?? email ?? sub,
  bindingMessage: (message) => fittingMessage(message, BINDING_MESSAGE_CHARACTER, LONGEST_BINDING_MESSAGE),
  details: 'never',
  onBehalf: {
    // Measured (26.4): an `audience` must be a client's id there ("Audience not found"), and takes all others out of the token; the
    // gateway's own client must stay in it, or could not exchange it for the broker's.
    namesAudience: false,
    // Measured (26.7.3), by `invalid_request` as where a sign-in has ended; 26.4 exchanges such tokens.
    refusesBound: /^Sender-constrained token exchange rejected/,
    // Standard token exchange (26.2) gives refresh tokens of the same session alone, never of an offline one.
    grantsOffline: false,
    setup:
      'Server client, Capability config: turn on "Standard Token Exchange"; an audience mapper puts it into the login client’s tokens, and the gateway into its own. Keycloak 26.7 and newer can’t be used: what is bound by DPoP is exchanged for its own client alone there.',
  },
  // Its account linking is a page of its own, and its tokens for other providers go to whoever may read them: no vault.
  connectedAccounts: () => undefined,
  setup: {
    device: 'Login client, Capability config: turn on "OAuth 2.0 Device Authorization Grant".',
    ciba: 'Gateway client, Capability config: turn on "OIDC CIBA Grant"; give the server an authentication channel.',
    details:
      'Keycloak carries no authorization details in CIBA: set "approval: {details: message}" in gateway.yaml, for paper accounts.',
    dpop: 'Use Keycloak 26.4 or newer, and turn on "Require DPoP bound tokens" for the login client.',
    token_exchange: 'Gateway client, Capability config: turn on "Standard Token Exchange".',
  },
};
