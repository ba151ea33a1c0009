import { fitBindingMessage, type ProviderDialect } from './dialect.ts';
import { standardDialect } from './standard.ts';

/** Keycloak 26.4's `BackchannelAuthenticationEndpoint` accepts `^[a-zA-Z0-9-._+/!?#]{1,50}$`, which excludes spaces. */
const BINDING_MESSAGE_CHARACTER = /[a-zA-Z0-9\-._+/!?#]/;
const MAX_BINDING_MESSAGE_LENGTH = 50;

/**
 * The dialect of Keycloak 26. Keycloak ignores RFC 9396 details in a CIBA request, so the details never reach the
 * token. The gateway therefore sends only the binding message (`details: message`), and only for paper accounts.
 */
export const keycloakDialect: ProviderDialect = {
  ...standardDialect,
  label: 'Keycloak',
  recognizes: (metadata) =>
    /\/realms\/[^/]+\/?$/.test(metadata.issuer) &&
    /\/protocol\/openid-connect\/token$/.test(String(metadata.token_endpoint)),
  // No offline_access: in Keycloak 26.4, a token from an offline session can't be exchanged ("Invalid token"), and the
  // gateway exchanges every token. The refresh token then lasts as long as the SSO session.
  identityScopes: ['openid', 'profile', 'email'],
  // Keycloak takes the audience from the client scopes' mappers and ignores `resource`.
  audience: (audience) => ({ audience }),
  // Keycloak 26.4 finds users by name or e-mail address, not by `sub` ("invalid user").
  loginHint: ({ sub, username, email }) => username ?? email ?? sub,
  bindingMessage: (message) => fitBindingMessage(message, BINDING_MESSAGE_CHARACTER, MAX_BINDING_MESSAGE_LENGTH),
  details: 'never',
  onBehalf: {
    // In Keycloak 26.4, `audience` must be a client ID ("Audience not found"), and naming one removes all other
    // audiences from the token. The gateway's own client must remain an audience, because the gateway exchanges this
    // token for the broker's token.
    namesAudience: false,
    // For a token bound to another client's key, Keycloak 26.7.3 responds with `invalid_request`, the same error code
    // as for an ended session. Keycloak 26.4 exchanges such a token.
    boundTokenError: /^Sender-constrained token exchange rejected/,
    // Standard token exchange (26.2) issues a refresh token only for the same session, never for an offline session.
    grantsOffline: false,
    setup:
      'In the server client’s Capability config, turn on "Standard Token Exchange". Add audience mappers, so that the login client’s tokens have the server as an audience, and the server client’s tokens have the gateway. Keycloak 26.7 and newer can’t be used: they exchange DPoP-bound tokens only for the client that they were issued to.',
  },
  // Keycloak has no token vault: people link accounts on a separate page, and anyone with read access gets the tokens.
  connectedAccounts: () => undefined,
  setup: {
    device: 'In the login client’s Capability config, turn on "OAuth 2.0 Device Authorization Grant".',
    ciba: 'In the gateway client’s Capability config, turn on "OIDC CIBA Grant". Configure an authentication channel in Keycloak.',
    details:
      'Keycloak does not support authorization details in CIBA. Set "approval: {details: message}" in gateway.yaml (paper accounts only).',
    dpop: 'Use Keycloak 26.4 or newer, and turn on "Require DPoP bound tokens" for the login client.',
    token_exchange: 'In the gateway client’s Capability config, turn on "Standard Token Exchange".',
  },
};
