import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { isProposalDetails } from '../../approval/details.ts';
import { CIBA_GRANT } from '../../net/oauth-names.ts';
import {
  CONNECTION_SCOPES,
  IDENTITY_SCOPES,
  MESSAGE_SCOPE,
  ORDER_SCOPE,
  SESSION_SCOPES,
} from '../../trading/scopes.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { LONGEST_REQUEST_S, readSubject } from './approval-subject.ts';
import {
  approvalTypes,
  checkApprovalClient,
  type GatewayClient,
  gatewayClient,
  loginClient,
} from './clients.ts';
import type { OidcStore } from './oidc-store.ts';
import { UnacceptableDetails } from './order-details.ts';
import { connectedAccountsUrl, LOGIN_CLIENT_ID, routes } from './protocol.ts';
import type { ProviderKeys } from './provider-keys.ts';
import type { SandboxUser } from './users.ts';

export interface OidcConfigurationOptions {
  readonly issuer: string;
  readonly store: OidcStore;
  readonly keys: ProviderKeys;
  readonly users: readonly SandboxUser[];
  readonly resource: string;
  readonly gatewayClient: GatewayClient;
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
/**
 * Requests of one client that may wait for one person. More than they could look through means that somebody is trying
 * to wear them down; counted by client, so that none shuts out another.
 */
const MOST_PENDING = 20;
/** The gateway has quotas of its own, by who proposes; this bounds memory and no more. */
const MOST_PENDING_OF_GATEWAY = 20_000;
/** Seconds that the token of an approval lives at least, so that a tap in the last moment is worth something. */
const SHORTEST_APPROVAL = MINUTE;
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
    clients: [loginClient, gatewayClient(options.gatewayClient, resource)],
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
          const left = Math.min(5 * MINUTE, secondsUntil(details.expires_at));
          // What the details say of their end holds at the gateway, however long the token lives.
          return isProposalDetails(details) ? Math.max(SHORTEST_APPROVAL, left) : left;
        }
        return 10 * MINUTE;
      },
      BackchannelAuthenticationRequest: (ctx, request) => {
        const asked = Number(ctx?.oidc.params?.requested_expiry ?? 5 * MINUTE);
        const { details, isProposal } = read(request.params?.authorization_details);
        const longest = isProposal ? LONGEST_REQUEST_S.proposal : LONGEST_REQUEST_S.other;
        return Math.min(asked, longest, secondsUntil(details.expires_at));
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
          approvalTypes.map((type) => [
            type,
            {
              validate: (ctx: KoaContextWithOIDC) => {
                const { isProposal } = read(ctx.oidc.params?.authorization_details);
                // The phone believes what a proposal says of its worst case: nobody else may write one.
                if (isProposal && ctx.oidc.client?.clientId !== options.gatewayClient.client_id) {
                  throw new errors.InvalidAuthorizationDetails('only the gateway may ask about a proposal');
                }
              },
            },
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
        verifyUserCode: (ctx, account, userCode) => {
          if (userCode !== undefined) throw new errors.InvalidRequest('user_code is not supported');
          const clientId = ctx.oidc.client?.clientId ?? '';
          const most = clientId === options.gatewayClient.client_id ? MOST_PENDING_OF_GATEWAY : MOST_PENDING;
          if (options.requests.countPending(account.accountId, clientId) >= most) {
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
          const message = ctx.oidc.params?.binding_message;
          // A message of its own making could make the person believe they approve something else.
          if ('is' in described && message !== undefined && message !== described.is) {
            throw new errors.InvalidBindingMessage(`binding_message must be "${described.is}" for this`);
          }
          if ('endsIn' in described && !String(message ?? '').endsWith(described.endsIn)) {
            throw new errors.InvalidBindingMessage(`binding_message must end in "${described.endsIn}"`);
          }
        },
        triggerAuthenticationDevice: options.askPerson,
      },
    },
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

function isIn<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}
