import type { JWK } from 'jose';

export const REALM = 'brokerage';
export const LOGIN_CLIENT = 'trade-agent-login';
export const GATEWAY_CLIENT = 'trade-agent-gateway';
export const BROKER_CLIENT = 'paper-broker';
/** What people sign in by at a server of agents, and the server itself. */
export const SERVER_LOGIN_CLIENT = 'agents-login';
export const SERVER_CLIENT = 'agents';

const SESSION_SCOPES = [
  'market:read',
  'portfolio:read',
  'orders:read',
  'orders:cancel',
  'orders:mandate',
  'watchlist:write',
  'orders:propose',
  'messages:propose',
];
/** In the token of one approval alone. */
const APPROVAL_SCOPES = ['orders:write', 'messages:write'];

export interface RealmOptions {
  /** The gateway's URL: the audience of its tokens. */
  readonly gateway: string;
  readonly gatewayKey: JWK;
  /** Its address, which is the audience of its tokens, and the public half of its key. */
  readonly server: { readonly address: string; readonly jwk: JWK };
  readonly users: readonly { username: string; password: string }[];
}

/**
 * The realm as docs/operate/providers/keycloak.md has a person set it up by hand: one client for the agent, one for the
 * gateway, one that stands for the broker; and two for a server of agents.
 */
export function realm(options: RealmOptions): Record<string, unknown> {
  const scopes = [...SESSION_SCOPES, ...APPROVAL_SCOPES];
  return {
    realm: REALM,
    enabled: true,
    accessTokenLifespan: 300,
    // Each refresh token is good for one use (RFC 9700 §4.14.2).
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    attributes: {
      cibaBackchannelTokenDeliveryMode: 'poll',
      cibaExpiresIn: '300',
      cibaInterval: '1',
      cibaAuthRequestedUserHint: 'login_hint',
      oauth2DevicePollingInterval: '1',
    },
    users: options.users.map(({ username, password }) => ({
      username,
      enabled: true,
      email: `${username}@example.com`,
      emailVerified: true,
      firstName: username,
      lastName: 'Example',
      credentials: [{ type: 'password', value: password, temporary: false }],
      realmRoles: ['offline_access'],
    })),
    roles: { realm: [{ name: 'offline_access' }] },
    // Without it a client whose scope is not "full" may not ask for offline tokens.
    scopeMappings: [{ clientScope: 'offline_access', roles: ['offline_access'] }],
    clientScopes: [
      ...builtinScopes,
      ...scopes.map((name) => ({
        name,
        protocol: 'openid-connect',
        attributes: { 'include.in.token.scope': 'true' },
      })),
      // Standard token exchange: only who is in a token's audience may exchange it.
      audienceScope('to-gateway', { address: options.gateway, client: GATEWAY_CLIENT }),
      audienceScope('to-server', { address: options.server.address, client: SERVER_CLIENT }),
      audienceScope('broker', { client: BROKER_CLIENT }),
    ],
    defaultDefaultClientScopes: [],
    defaultOptionalClientScopes: [],
    clients: [
      {
        ...client(LOGIN_CLIENT),
        publicClient: true,
        attributes: {
          ...rfc9068,
          'dpop.bound.access.tokens': 'true',
          'oauth2.device.authorization.grant.enabled': 'true',
        },
        defaultClientScopes: ['basic', 'profile', 'email', 'to-gateway'],
        optionalClientScopes: [...SESSION_SCOPES, 'offline_access'],
      },
      {
        ...client(GATEWAY_CLIENT),
        ...signedJwt(options.gatewayKey),
        attributes: {
          ...rfc9068,
          ...signedJwt(options.gatewayKey).attributes,
          'standard.token.exchange.enabled': 'true',
          'oidc.ciba.grant.enabled': 'true',
          'ciba.backchannel.token.delivery.mode': 'poll',
        },
        defaultClientScopes: ['basic', 'to-gateway', 'broker'],
        optionalClientScopes: APPROVAL_SCOPES,
      },
      {
        ...client(SERVER_LOGIN_CLIENT),
        publicClient: true,
        attributes: {
          ...rfc9068,
          'dpop.bound.access.tokens': 'true',
          'oauth2.device.authorization.grant.enabled': 'true',
        },
        defaultClientScopes: ['basic', 'profile', 'email', 'to-server'],
        optionalClientScopes: SESSION_SCOPES,
      },
      {
        ...client(SERVER_CLIENT),
        ...signedJwt(options.server.jwk),
        attributes: {
          ...rfc9068,
          ...signedJwt(options.server.jwk).attributes,
          'dpop.bound.access.tokens': 'true',
          'standard.token.exchange.enabled': 'true',
        },
        defaultClientScopes: ['basic', 'profile', 'email', 'to-gateway'],
        optionalClientScopes: SESSION_SCOPES,
      },
      { ...client(BROKER_CLIENT), bearerOnly: true },
    ],
  };
}

/** `typ: at+jwt` in the header, as RFC 9068 has it; Keycloak says JWT unless told. */
const rfc9068 = { 'access.token.header.type.rfc9068': 'true' };

const client = (clientId: string) => ({
  clientId,
  name: clientId,
  enabled: true,
  protocol: 'openid-connect',
  standardFlowEnabled: false,
  implicitFlowEnabled: false,
  directAccessGrantsEnabled: false,
  serviceAccountsEnabled: false,
  fullScopeAllowed: false,
});

function signedJwt(key: JWK) {
  return {
    publicClient: false,
    clientAuthenticatorType: 'client-jwt',
    attributes: {
      'use.jwks.string': 'true',
      'jwks.string': JSON.stringify({ keys: [key] }),
      'token.endpoint.auth.signing.alg': 'ES256',
    },
  };
}

/** A client scope that says whom its clients' tokens are for, and does nothing else. */
const audienceScope = (name: string, { address, client }: { address?: string; client: string }) => ({
  name,
  protocol: 'openid-connect',
  attributes: { 'include.in.token.scope': 'false' },
  protocolMappers: [
    ...(address === undefined ? [] : [audienceMapper('address', { 'included.custom.audience': address })]),
    audienceMapper('client', { 'included.client.audience': client }),
  ],
});

const audienceMapper = (name: string, config: Record<string, string>) => ({
  name: `audience-${name}`,
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
  config: { 'access.token.claim': 'true', 'id.token.claim': 'false', ...config },
});

/** A realm file that lists client scopes gets none of Keycloak's own: those needed are written out. */
const builtinScopes = [
  {
    name: 'basic',
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'false' },
    protocolMappers: [
      {
        name: 'sub',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-sub-mapper',
        config: { 'access.token.claim': 'true', 'introspection.token.claim': 'true' },
      },
      {
        name: 'auth_time',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-usersessionmodel-note-mapper',
        config: {
          'user.session.note': 'AUTH_TIME',
          'id.token.claim': 'true',
          'access.token.claim': 'true',
          'claim.name': 'auth_time',
          'jsonType.label': 'long',
        },
      },
    ],
  },
  {
    name: 'profile',
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true' },
    protocolMappers: [
      {
        name: 'username',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-usermodel-attribute-mapper',
        config: {
          'user.attribute': 'username',
          'access.token.claim': 'true',
          'claim.name': 'preferred_username',
          'id.token.claim': 'true',
          'userinfo.token.claim': 'true',
          'jsonType.label': 'String',
        },
      },
      {
        name: 'full name',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-full-name-mapper',
        config: { 'id.token.claim': 'true', 'userinfo.token.claim': 'true' },
      },
    ],
  },
  {
    name: 'email',
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true' },
    protocolMappers: [
      {
        name: 'email',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-usermodel-attribute-mapper',
        config: {
          'user.attribute': 'email',
          'access.token.claim': 'true',
          'claim.name': 'email',
          'id.token.claim': 'true',
          'userinfo.token.claim': 'true',
          'jsonType.label': 'String',
        },
      },
    ],
  },
  {
    name: 'offline_access',
    protocol: 'openid-connect',
    attributes: { 'consent.screen.text': 'stay signed in', 'display.on.consent.screen': 'true' },
  },
];
