import type { JWK } from 'jose';
import {
  type AccessToken,
  type AllClientMetadata,
  type ClientCredentials,
  type ClientMetadata,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { isProposalDetails } from '../../approval/details.ts';
import { CIBA_GRANT } from '../../oauth/oauth-names.ts';
import { CONNECTION_SCOPES, IDENTITY_SCOPES, MESSAGE_SCOPE, ORDER_SCOPE, SESSION_SCOPES } from '../../oauth/scopes.ts';
import type { OidcStore } from '../../store/home/oidc-store.ts';
import type { PeopleStore } from '../../store/home/people.ts';
import { safeLine } from '../../text/sanitize.ts';
import {
  type ApprovalFeatureOptions,
  cibaFeature,
  DETAILS_NOT_ALLOWED,
  parseRequestSubject,
  resourceIndicatorsFeature,
  richAuthorizationRequestsFeature,
} from './approval-features.ts';
import { MAX_REQUEST_LIFETIME_S } from './approval-subject.ts';
import { checkAuthorizationRequest } from './authorization/authorization-request.ts';
import { clientDocumentsFeature } from './authorization/client-documents.ts';
import {
  isDocumentClientId,
  isPublicClient,
  publicClientDefaults,
  restrictToPublicClient,
} from './authorization/public-client.ts';
import { checkApprovalClient, gatewayClientMetadata, loginClientMetadata } from './clients.ts';
import {
  COMPANY_TOKEN_LIFETIME_S,
  type Company,
  companyClientsMetadata,
  findCompany,
  memberClaimsByToken,
} from './companies/company.ts';
import { assertionProblem, CLOCK_TOLERANCE_S } from './protocol/client-assertion.ts';
import { ACCESS_TOKEN_LIFETIME_S, CONSENT_PATH, isOneOf, protocolRoutes } from './protocol/protocol.ts';
import {
  authTimeClaim,
  checkServerSignIn,
  findServerByAddress,
  findServerByClient,
  serverClientMetadata,
  serverDisplayName,
} from './servers/agent-server.ts';

interface OidcConfigurationOptions extends ApprovalFeatureOptions {
  /** Preregistered clients in addition to the home's own. */
  readonly knownClients?: readonly ClientMetadata[] | undefined;
  readonly companies: readonly Company[];
  readonly store: OidcStore;
  /** Private keys. Only the first is used for signing. */
  readonly signingKeys: readonly JWK[];
  readonly cookieKey: string;
  readonly people: PeopleStore;
  readonly nameOf: (grantId: string) => Promise<string | undefined>;
  readonly limits: ApprovalFeatureOptions['limits'] & Parameters<typeof clientDocumentsFeature>[0]['limits'];
  readonly clientDocuments: Pick<Parameters<typeof clientDocumentsFeature>[0], 'resolve' | 'reader'>;
  /** Called with an access token and its claims before they are signed. May change the claims. */
  readonly onAccessToken: (token: AccessToken | ClientCredentials, payload: Record<string, unknown>) => Promise<void>;
  readonly fetch: typeof fetch;
}

const DAY = 24 * 3600;
const MINUTE = 60;
/** Minimum lifetime of an approval's token in seconds, so that a last-second decision still takes effect. */
const MIN_APPROVAL_S = MINUTE;
/** The `acr` of signed approvals. It claims a passkey, because homes with live accounts allow no software keys. */
const PASSKEY_ACR = 'phr';

/** Returns oidc-provider's configuration. Sets every option whose default causes a warning from the library. */
export function createOidcConfiguration(options: OidcConfigurationOptions): Configuration {
  return {
    adapter: options.store.adapter,
    jwks: { keys: [...options.signingKeys] } as NonNullable<Configuration['jwks']>,
    cookies: { keys: [options.cookieKey], names: cookieNames(options.issuer) },
    routes: protocolRoutes,
    clients: staticClients(options),
    clientDefaults: {
      ...publicClientDefaults,
      grant_types: [...publicClientDefaults.grant_types],
      response_types: [...publicClientDefaults.response_types],
      id_token_signed_response_alg: 'ES256',
    },
    clientAuthMethods: ['none', 'private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'EdDSA', 'PS256'],
      idTokenSigningAlgValues: ['ES256'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA'],
    },
    responseTypes: ['code'],
    interactions: interactions(),
    // Consent is required even in a browser that has already given it (see `interactions`).
    loadExistingGrant: async (ctx) => {
      const { provider, result } = ctx.oidc;
      const id = result?.consent?.grantId;
      return id === undefined ? undefined : await provider.Grant.find(id);
    },
    scopes: ['openid', 'offline_access'],
    claims: {
      openid: ['sub', 'amr', 'auth_time'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    clockTolerance: CLOCK_TOLERANCE_S,
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims) => {
      const isCiba = ctx.oidc.route === 'backchannel_authentication';
      const fault = assertionProblem(claims, { issuer: options.issuer, now: options.now(), isCiba });
      if (fault !== undefined) throw new errors.InvalidClientAuth(fault);
    },
    clientBasedCORS: () => false,
    renderError,
    fetch: options.fetch,
    findAccount: async (_ctx, sub) => {
      const user = await options.people.find(sub);
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
    // A refresh token is used once. A second use ends the whole session (RFC 9700 §4.14.2).
    rotateRefreshToken,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      // Third-party programs stay signed in until they are removed, as the consent page says. The same applies to
      // sign-ins to a server, for which `offline_access` allows work while the person is away.
      (source.scopes.has('offline_access') ||
        isPublicClient(client) ||
        findServerByAddress(options.servers, source.resource) !== undefined),
    extraTokenClaims: tokenClaims(options),
    formats: { customizers: { jwt: (_ctx, token, parts) => options.onAccessToken(token, parts.payload) } },
    extraParams: {
      device_name: (ctx, value) => {
        if (value !== undefined && !/^[\x20-\x7e]{1,64}$/.test(value)) {
          throw new errors.InvalidRequest('device_name must be 1 to 64 printable ASCII characters');
        }
        checkSessionScopes(ctx);
        checkServerSignIn(ctx, options.servers);
        checkAuthorizationRequest(ctx);
      },
    },
    extraClientMetadata: {
      properties: ['software_id', 'software_version'],
      validator: (ctx, key, _value, metadata) => {
        if (key === 'software_id') checkClientMetadata(ctx, metadata);
      },
    },
    ttl: lifetimes(options),
    features: features(options),
  };
}

function features(options: OidcConfigurationOptions): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    userinfo: { enabled: true },
    dPoP: { enabled: true },
    clientIdMetadataDocument: clientDocumentsFeature({ limits: options.limits, ...options.clientDocuments }),
    deviceFlow: { enabled: true, deviceInfo: (ctx) => ({ address: options.limits.addressOf(ctx.req) }) },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    registration: { enabled: true, initialAccessToken: false, issueRegistrationAccessToken: false },
    resourceIndicators: resourceIndicatorsFeature(options),
    richAuthorizationRequests: richAuthorizationRequestsFeature(options),
    ciba: cibaFeature(options),
  };
}

function staticClients({
  gatewayClient: ours,
  resource,
  servers,
  companies,
  knownClients = [],
}: OidcConfigurationOptions): ClientMetadata[] {
  const theirs = [...servers.map(serverClientMetadata), ...companies.flatMap(companyClientsMetadata)];
  return [loginClientMetadata, gatewayClientMetadata(ours, resource), ...theirs, ...knownClients];
}

function tokenClaims(options: OidcConfigurationOptions): NonNullable<Configuration['extraTokenClaims']> {
  return async (ctx, token) => {
    const asked = ctx.oidc.entities.BackchannelAuthenticationRequest;
    const evidence = asked === undefined ? undefined : await options.requests.evidenceOf(asked.jti);
    // "Phishing-resistant" (OpenID Connect EAP ACR Values 1.0 §2): a passkey with user verification.
    if (evidence !== undefined) return { approval_evidence: evidence, acr: PASSKEY_ACR };
    const member = memberClaimsByToken.get(token);
    if (member !== undefined) return { ...member };
    const server = findServerByClient(options.servers, token.clientId);
    if (server !== undefined) return { act: { sub: server.client_id }, client_name: serverDisplayName(server) };
    if (findServerByAddress(options.servers, token.aud) !== undefined) return authTimeClaim(ctx);
    const name = 'grantId' in token && token.grantId !== undefined ? await options.nameOf(token.grantId) : undefined;
    return name === undefined ? undefined : { client_name: name };
  };
}

/**
 * Returns the names of the consent cookies. Over https, `__Secure-` prevents other hosts from setting them (RFC 6265bis
 * §4.1.3.1). `__Host-` would force one path, and concurrent requests would overwrite each other's cookies.
 */
function cookieNames(issuer: string): { interaction: string; resume: string } {
  const prefix = issuer.startsWith('https:') ? '__Secure-' : '';
  return { interaction: `${prefix}_interaction`, resume: `${prefix}_interaction_resume` };
}

function lifetimes(options: OidcConfigurationOptions): Configuration['ttl'] {
  const { resource, companies, now } = options;
  const secondsUntil = (rfc3339: string) => Math.max(1, Math.floor((Date.parse(rfc3339) - now()) / 1000));
  return {
    AccessToken: (_ctx, token) => {
      const details = 'rar' in token && Array.isArray(token.rar) ? token.rar[0] : undefined;
      if (typeof details?.expires_at === 'string') {
        const left = Math.min(5 * MINUTE, secondsUntil(details.expires_at));
        // The gateway enforces the expiry in the details, even if the token lives longer.
        return isProposalDetails(details) ? Math.max(MIN_APPROVAL_S, left) : left;
      }
      return ACCESS_TOKEN_LIFETIME_S;
    },
    BackchannelAuthenticationRequest: (ctx, request) => {
      const asked = Number(ctx?.oidc.params?.requested_expiry ?? 5 * MINUTE);
      const { details, isProposal } = parseRequestSubject(options, request.params?.authorization_details);
      const longest = isProposal ? MAX_REQUEST_LIFETIME_S.proposal : MAX_REQUEST_LIFETIME_S.other;
      return Math.min(asked, longest, secondsUntil(details.expires_at));
    },
    AuthorizationCode: MINUTE,
    DeviceCode: 10 * MINUTE,
    Grant: (_ctx, grant) => {
      if (findCompany(companies, grant.clientId) !== undefined) return COMPANY_TOKEN_LIFETIME_S;
      return [ORDER_SCOPE, MESSAGE_SCOPE].includes(grant.resources?.[resource] ?? '') ? 60 * MINUTE : 90 * DAY;
    },
    IdToken: 10 * MINUTE,
    Interaction: 10 * MINUTE,
    RefreshToken: 30 * DAY,
    // Has no effect, because sessions are not stored.
    Session: 10 * MINUTE,
  };
}

/**
 * Makes the library replace every refresh token. Rejects a wrong resource first: the library uses up the token before
 * it checks the resource, so the client's corrected request would reuse the token and end the session.
 * @throws `invalid_target`, `invalid_authorization_details`
 */
function rotateRefreshToken({ oidc: { params, entities } }: KoaContextWithOIDC): boolean {
  const { resource, authorization_details: details } = params ?? {};
  if (details !== undefined) throw new errors.InvalidAuthorizationDetails(DETAILS_NOT_ALLOWED);
  if (resource !== undefined && !entities.RefreshToken?.resourceIndicators.has(String(resource))) {
    throw new errors.InvalidTarget('this sign-in is not for that resource');
  }
  return true;
}

/** Renders errors as text at the only endpoint that browsers visit, and as JSON at all others. Ignores `Accept`. */
const renderError: Configuration['renderError'] = (ctx, out) => {
  const { path } = ctx;
  if (path !== protocolRoutes.authorization && !path.startsWith(`${protocolRoutes.authorization}/`)) {
    ctx.body = out;
    return;
  }
  ctx.type = 'text/plain; charset=utf-8';
  const reason = safeLine(String(out.error_description ?? out.error), 300);
  ctx.body = `This program can't be given access: ${reason}.\nNothing was changed. Return to the program and start again.\n`;
};

/** Rejects scopes that a session can never have, instead of silently dropping them. */
function checkSessionScopes(ctx: KoaContextWithOIDC): void {
  if (ctx.oidc.route !== 'device_authorization') return;
  const scopes = String(ctx.oidc.params?.scope ?? '')
    .split(' ')
    .filter(Boolean);
  const refused = scopes.filter(
    (scope) =>
      !isOneOf(IDENTITY_SCOPES, scope) && !isOneOf(SESSION_SCOPES, scope) && !isOneOf(CONNECTION_SCOPES, scope),
  );
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
}

/**
 * Validates a client's metadata. A client registered by a person requests approvals. A client that registers without a
 * person, or that is identified by a document, is a public client.
 * @param ctx undefined if the document is read outside a request
 * @throws `invalid_client_metadata`, `invalid_redirect_uri`, 401 `invalid_token`
 */
function checkClientMetadata(ctx: KoaContextWithOIDC | undefined, metadata: AllClientMetadata): void {
  const isRegistration = ctx?.oidc.route === 'registration';
  if (isRegistration && ctx.get('authorization') !== '') {
    checkApprovalClient(metadata);
  } else if (isDocumentClientId(metadata.client_id)) {
    restrictToPublicClient(metadata);
  } else if (isRegistration) {
    requireNoApprovals(metadata);
    restrictToPublicClient(metadata);
  }
}

function requireNoApprovals({ grant_types = [], token_endpoint_auth_method }: AllClientMetadata): void {
  if (!grant_types.includes(CIBA_GRANT) && token_endpoint_auth_method !== 'private_key_jwt') return;
  throw Object.assign(
    new errors.CustomOIDCProviderError(
      'invalid_token',
      // The description is sent in a header, so it must be plain ASCII.
      'a registration requires a token from /phone/programs',
    ),
    { status: 401, statusCode: 401 },
  );
}

const { Check, Prompt } = interactionPolicy;

/** Requires consent for every request, even if it was given before. One page handles all three kinds of prompts. */
function interactions(): NonNullable<Configuration['interactions']> {
  const policy = interactionPolicy.base();
  policy.clear();
  policy.add(new Prompt({ name: 'login', requestable: true }));
  policy.add(new Prompt({ name: 'select_account', requestable: true }));
  policy.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('each_time', 'the person is asked each time', 'consent_required', (ctx) =>
        ctx.oidc.result?.consent?.grantId === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    ),
  );
  return { policy, url: (_ctx, interaction) => `${CONSENT_PATH}/${interaction.uid}` };
}
