import { type AllClientMetadata, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { TRADE_ORDER_TYPE } from '../../trading/approval-details.ts';
import { MESSAGE_SEND_TYPE } from '../../trading/message-details.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { readSubject } from './approval-subject.ts';
import type { OidcStore } from './oidc-store.ts';
import { UnacceptableDetails } from './order-details.ts';
import {
  CIBA_GRANT,
  CONNECTION_SCOPES,
  connectedAccountsUrl,
  DEVICE_GRANT,
  IDENTITY_SCOPES,
  LOGIN_CLIENT_ID,
  MESSAGE_SCOPE,
  ORDER_SCOPE,
  routes,
  SESSION_SCOPES,
  TOKEN_EXCHANGE_GRANT,
} from './protocol.ts';
import type { ProviderKeys } from './provider-keys.ts';
import type { SandboxUser } from './users.ts';

export interface OidcConfigurationOptions {
  readonly issuer: string;
  readonly store: OidcStore;
  readonly keys: ProviderKeys;
  readonly users: readonly SandboxUser[];
  readonly resource: string;
  readonly gatewayClient: { readonly client_id: string; readonly jwks: { readonly keys: readonly object[] } };
  readonly requests: ApprovalRequests;
  readonly now: () => number;
  /** Shows a CIBA request on the person's phone. */
  readonly askPerson: NonNullable<
    NonNullable<NonNullable<Configuration['features']>['ciba']>['triggerAuthenticationDevice']
  >;
  /** The last word on an access token's claims before it is signed. */
  readonly onAccessToken: (payload: Record<string, unknown>) => void;
  /** Sends CIBA pings. */
  readonly fetch: typeof fetch;
}

const DAY = 24 * 3600;
const MINUTE = 60;
/** More than a person could look through means somebody is trying to wear them down. */
const MOST_PENDING = 20;
/** Characters that read the same on every phone and can't forge a second line. */
const BINDING_MESSAGE = /^[A-Za-z0-9 +\-_.,:#]{1,64}$/;

/** How oidc-provider is set up; every default it warns about is decided here. */
export function oidcConfiguration(options: OidcConfigurationOptions): Configuration {
  const { resource, now } = options;
  const connectedAccounts = connectedAccountsUrl(options.issuer);
  const read = (text: unknown) => {
    try {
      return readSubject(text, { resource, now: now() });
    } catch (error) {
      if (error instanceof UnacceptableDetails) throw new errors.InvalidAuthorizationDetails(error.message);
      throw error;
    }
  };
  const secondsUntil = (rfc3339: string) => Math.max(1, Math.floor((Date.parse(rfc3339) - now()) / 1000));

  return {
    adapter: options.store.adapter,
    jwks: { keys: [options.keys.signing] },
    cookies: { keys: [options.keys.cookie] },
    routes,
    clients: [loginClient, gatewayClient(options.gatewayClient)],
    clientDefaults: {
      grant_types: [CIBA_GRANT],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
    },
    clientAuthMethods: ['none', 'private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'EdDSA', 'PS256'],
      idTokenSigningAlgValues: ['ES256'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA'],
    },
    responseTypes: [],
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    clockTolerance: 5,
    clientBasedCORS: () => false,
    fetch: options.fetch,
    findAccount: (_ctx, sub) => {
      const user = options.users.find(({ username }) => username === sub);
      if (user === undefined) return undefined;
      return {
        accountId: sub,
        claims: () => ({
          sub,
          name: user.name,
          preferred_username: user.username,
          email: user.email,
          email_verified: true,
        }),
      };
    },
    // A used refresh token is worth nothing, and its second use ends the whole session (RFC 9700 §4.14.2).
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
    extraTokenClaims: () => undefined,
    formats: { customizers: { jwt: (_ctx, _token, parts) => options.onAccessToken(parts.payload) } },
    extraParams: {
      device_name: (ctx, value) => {
        if (value !== undefined && !/^[\x20-\x7e]{1,64}$/.test(value)) {
          throw new errors.InvalidRequest('device_name must be 1 to 64 printable ASCII characters');
        }
        checkSessionScopes(ctx);
      },
    },
    extraClientMetadata: {
      properties: ['software_id', 'software_version'],
      validator: (ctx, key, _value, metadata) => {
        if (key === 'software_id' && ctx?.oidc.route === 'registration') checkApprovalClient(metadata);
      },
    },
    ttl: {
      AccessToken: (_ctx, token) => {
        const details = 'rar' in token && Array.isArray(token.rar) ? token.rar[0] : undefined;
        if (typeof details?.expires_at === 'string') {
          return Math.min(5 * MINUTE, secondsUntil(details.expires_at));
        }
        return 10 * MINUTE;
      },
      BackchannelAuthenticationRequest: (ctx, request) => {
        const asked = Number(ctx?.oidc.params?.requested_expiry ?? 5 * MINUTE);
        const { details } = read(request.params?.authorization_details);
        return Math.min(asked, 60 * MINUTE, secondsUntil(details.expires_at));
      },
      DeviceCode: 10 * MINUTE,
      Grant: (_ctx, grant) =>
        [ORDER_SCOPE, MESSAGE_SCOPE].includes(grant.resources?.[resource] ?? '') ? 60 * MINUTE : 90 * DAY,
      IdToken: 10 * MINUTE,
      RefreshToken: 30 * DAY,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      userinfo: { enabled: true },
      dPoP: { enabled: true },
      deviceFlow: { enabled: true, deviceInfo: () => ({}) },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      registration: { enabled: true, initialAccessToken: false, issueRegistrationAccessToken: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        // A token for nothing but identity scopes is for the userinfo endpoint; any other is for the gateway.
        useGrantedResource: (ctx) => {
          const asked = ctx.oidc.params?.scope;
          return (
            typeof asked !== 'string' || !asked.split(' ').every((scope) => isIn(IDENTITY_SCOPES, scope))
          );
        },
        getResourceServerInfo: (_ctx, indicator, client) => {
          if (indicator === connectedAccounts && client.clientId === LOGIN_CLIENT_ID) {
            return {
              scope: CONNECTION_SCOPES.join(' '),
              audience: connectedAccounts,
              accessTokenFormat: 'jwt',
              jwt: { sign: { alg: 'ES256' } },
            };
          }
          if (indicator !== resource)
            throw new errors.InvalidTarget('the only resource here is the order gateway');
          return {
            scope: client.grantTypeAllowed(CIBA_GRANT)
              ? `${ORDER_SCOPE} ${MESSAGE_SCOPE}`
              : SESSION_SCOPES.join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
      richAuthorizationRequests: {
        enabled: true,
        types: Object.fromEntries(
          [TRADE_ORDER_TYPE, MESSAGE_SEND_TYPE].map((type) => [
            type,
            { validate: (ctx: KoaContextWithOIDC) => void read(ctx.oidc.params?.authorization_details) },
          ]),
        ),
        authorizationDetailsForGrantSource: () => undefined,
        authorizationDetailsForAccessToken: (ctx, _token, source, grantType) => {
          if (grantType !== CIBA_GRANT || ctx.oidc.params?.authorization_details !== undefined) {
            throw new errors.InvalidAuthorizationDetails('only an approval carries authorization details');
          }
          return source?.rar;
        },
        authorizationDetailsForIntrospection: () => undefined,
      },
      ciba: {
        enabled: true,
        deliveryModes: ['poll', 'ping'],
        processLoginHint: (_ctx, hint) => hint,
        processLoginHintToken: () => {
          throw new errors.InvalidRequest('login_hint_token is not supported: use login_hint');
        },
        verifyUserCode: (_ctx, account, userCode) => {
          if (userCode !== undefined) throw new errors.InvalidRequest('user_code is not supported');
          if (options.requests.pending(account.accountId).length >= MOST_PENDING) {
            throw new errors.AccessDenied('too many requests are waiting for this person');
          }
        },
        validateBindingMessage: (_ctx, message) => {
          if (message !== undefined && !BINDING_MESSAGE.test(message)) {
            throw new errors.InvalidBindingMessage(
              'binding_message must have 1 to 64 characters of A-Z a-z 0-9 space + - _ . , : #',
            );
          }
        },
        validateRequestContext: (ctx, context) => {
          if (context !== undefined) throw new errors.InvalidRequest('request_context is not supported');
          const scopes = String(ctx.oidc.params?.scope ?? '')
            .split(' ')
            .sort();
          const { scope, bindingMessage: described } = read(ctx.oidc.params?.authorization_details);
          if (scopes.join(' ') !== ['openid', scope].sort().join(' ')) {
            throw new errors.InvalidScope(
              `this approval is asked for with scope "openid ${scope}"`,
              scopes.join(' '),
            );
          }
          // A message of its own making could make the person believe they approve something else.
          if (![undefined, described].includes(ctx.oidc.params?.binding_message as string | undefined)) {
            throw new errors.InvalidBindingMessage(`binding_message must be "${described}" for this`);
          }
        },
        triggerAuthenticationDevice: options.askPerson,
      },
    },
  };
}

const loginClient: AllClientMetadata & { client_id: string } = {
  client_id: LOGIN_CLIENT_ID,
  client_name: 'trade-agent',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: [DEVICE_GRANT, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
  scope: IDENTITY_SCOPES.join(' '),
  dpop_bound_access_tokens: true,
  authorization_details_types: [],
};

function gatewayClient(
  client: OidcConfigurationOptions['gatewayClient'],
): AllClientMetadata & { client_id: string } {
  return {
    client_id: client.client_id,
    client_name: 'order gateway',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: [TOKEN_EXCHANGE_GRANT, CIBA_GRANT],
    backchannel_token_delivery_mode: 'poll',
    response_types: [],
    redirect_uris: [],
    jwks: {
      keys: client.jwks.keys.map((key) => ({ ...key })) as NonNullable<AllClientMetadata['jwks']>['keys'],
    },
    authorization_details_types: [TRADE_ORDER_TYPE, MESSAGE_SEND_TYPE],
  };
}

/** Refuses, rather than silently drops, a scope that a session never gets. */
function checkSessionScopes(ctx: KoaContextWithOIDC): void {
  if (ctx.oidc.route !== 'device_authorization') return;
  const scopes = String(ctx.oidc.params?.scope ?? '')
    .split(' ')
    .filter(Boolean);
  const refused = scopes.filter(
    (scope) =>
      !isIn(IDENTITY_SCOPES, scope) && !isIn(SESSION_SCOPES, scope) && !isIn(CONNECTION_SCOPES, scope),
  );
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
}

/** Anyone may register (RFC 7591), but only as what asks for approvals: a confidential CIBA client with its own key. */
function checkApprovalClient(metadata: AllClientMetadata): void {
  const refuse = (reason: string) => {
    throw new errors.InvalidClientMetadata(reason);
  };
  if (String(metadata.grant_types) !== CIBA_GRANT) refuse(`grant_types must be ["${CIBA_GRANT}"]`);
  if (metadata.token_endpoint_auth_method !== 'private_key_jwt') {
    refuse('token_endpoint_auth_method must be private_key_jwt');
  }
  if (metadata.jwks === undefined || metadata.jwks_uri !== undefined)
    refuse('the public key must be given in jwks');
  if ((metadata.response_types ?? []).length > 0) refuse('response_types must be empty');
  if ((metadata.redirect_uris ?? []).length > 0) refuse('redirect_uris must be empty');
  if (metadata.dpop_bound_access_tokens !== true) refuse('dpop_bound_access_tokens must be true');
  if (metadata.client_name !== undefined && !/^[\x20-\x7e]{1,80}$/.test(String(metadata.client_name))) {
    refuse('client_name must be 1 to 80 printable ASCII characters');
  }
}

function isIn<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}
