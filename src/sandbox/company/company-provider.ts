import type { JWK } from 'jose';
import Provider, { type AdapterFactory, type Configuration } from 'oidc-provider';
import { tokenExchangeParameters } from '../../home/identity-provider/protocol/protocol.ts';
import { ID_JAG_TYPE, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import type { assertionExchange } from './assertion-exchange.ts';
import type { CompanyPeople } from './people.ts';
import type { IdTokens } from './subject.ts';

export const ID_TOKEN_S = 600;
const MINUTE = 60;
const DAY = 24 * 3600;

export const DEVICE_PATH = '/device';

const routes = {
  code_verification: DEVICE_PATH,
  device_authorization: '/device/code',
  jwks: '/jwks',
  revocation: '/revoke',
  token: '/token',
  userinfo: '/userinfo',
} as const;

interface CompanyProviderOptions {
  readonly issuer: string;
  readonly adapter: AdapterFactory;
  /** Private; the first signs. */
  readonly signingKeys: readonly JWK[];
  readonly cookieKey: string;
  readonly people: Pick<CompanyPeople, 'find'>;
  readonly exchange: ReturnType<typeof assertionExchange>;
  readonly idTokens: Pick<IdTokens, 'note'>;
}

/** A company's provider: device flow only, confidential clients only. */
export function companyProvider(options: CompanyProviderOptions): Provider {
  const provider = new Provider(options.issuer, configuration(options));
  provider.registerGrantType(TOKEN_EXCHANGE_GRANT, options.exchange, tokenExchangeParameters);
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route !== 'token') return;
    const { id_token: idToken } = (ctx.body ?? {}) as { id_token?: unknown };
    const grant = ctx.oidc.entities.Grant;
    if (typeof idToken === 'string' && grant !== undefined) options.idTokens.note(idToken, grant.jti);
  });
  return provider;
}

function configuration({ adapter, signingKeys, cookieKey, people }: CompanyProviderOptions): Configuration {
  return {
    adapter,
    jwks: { keys: [...signingKeys] } as NonNullable<Configuration['jwks']>,
    cookies: { keys: [cookieKey] },
    routes,
    discovery: { identity_chaining_requested_token_types_supported: [ID_JAG_TYPE] },
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: ['ES256'],
      dPoPSigningAlgValues: ['ES256'],
    },
    acrValues: ['pwd', 'phr'],
    responseTypes: [],
    scopes: ['openid', 'offline_access'],
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    // Names are in the ID token, as at most companies' providers.
    conformIdTokenClaims: false,
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    findAccount: (_ctx, sub) => {
      const person = people.find(sub);
      if (person === undefined) return undefined;
      const { name, username, email } = person;
      return {
        accountId: sub,
        claims: () => ({ sub, name, preferred_username: username, email, email_verified: true }),
      };
    },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: 5 * MINUTE,
      DeviceCode: 10 * MINUTE,
      Grant: 90 * DAY,
      IdToken: ID_TOKEN_S,
      RefreshToken: 30 * DAY,
      Session: 10 * MINUTE,
      Interaction: 10 * MINUTE,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      userinfo: { enabled: true },
      dPoP: { enabled: true },
      deviceFlow: { enabled: true, deviceInfo: () => ({}) },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
    },
  };
}
