import {
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  type RichAuthorizationRequestsActiveConfiguration,
} from 'oidc-provider';
import { traceHeaders } from '../../net/trace-context.ts';
import { CIBA_GRANT } from '../../oauth/oauth-names.ts';
import { APPROVAL_SCOPES, CONNECTION_SCOPES, IDENTITY_SCOPES, MCP_SCOPES, SESSION_SCOPES } from '../../oauth/scopes.ts';
import { type ApprovalRequests, TooManyPendingError } from './approval-requests.ts';
import { parseApprovalSubject, UnacceptableDetailsError } from './approval-subject.ts';
import { isPublicClient } from './authorization/public-client.ts';
import { approvalDetailsTypes, type GatewayClient } from './clients.ts';
import { connectedAccountsUrl, isOneOf, jwtResourceServer, LOGIN_CLIENT_ID, mcpResource } from './protocol/protocol.ts';
import { type RequestLimits, tooManyRequestsError } from './protocol/request-limits.ts';
import { type AgentServer, findServerByAddress } from './servers/agent-server.ts';

type Features = NonNullable<Configuration['features']>;

export interface ApprovalFeatureOptions {
  readonly issuer: string;
  readonly resource: string;
  readonly gatewayIdentifier?: string | undefined;
  readonly gatewayClient: GatewayClient;
  readonly servers: readonly AgentServer[];
  readonly requests: Pick<ApprovalRequests, 'evidenceOf'>;
  /** Returns the person who registered a client, or undefined for the home's own clients. */
  readonly ownerOf: (clientId: string) => Promise<string | undefined>;
  readonly limits: Pick<RequestLimits, 'questions'>;
  readonly now: () => number;
  /**
   * Stores a request for the person's phone. Returns its code.
   * @throws {TooManyPendingError} if the client has the maximum number (`most`) of pending requests to the person
   */
  readonly askPerson: (asked: {
    readonly request: BackchannelAuthenticationRequest;
    readonly account: Account;
    readonly client: Client;
    readonly most: number;
  }) => Promise<string>;
}

type AskArguments = Parameters<NonNullable<NonNullable<Features['ciba']>['triggerAuthenticationDevice']>>;
type BackchannelAuthenticationRequest = AskArguments[1];
type Account = AskArguments[2];
type Client = AskArguments[3];

/** Returns the error for a client that must wait, and sets the response's `Retry-After`. */
function refuseFor(ctx: KoaContextWithOIDC, seconds: number) {
  ctx.set('retry-after', String(seconds));
  return tooManyRequestsError(seconds);
}

/**
 * Maximum number of pending requests from one client to one person, to prevent approval fatigue. Requests are counted
 * per client, so that no client can block another.
 */
const MAX_PENDING = 20;
const PENDING_WAIT_S = 60;
/** Maximum number of the gateway's pending requests. Only limits memory: the gateway has quotas per proposer. */
const MAX_GATEWAY_PENDING = 20_000;
/** Allows only characters that look the same on every phone and can't fake a second line. */
const BINDING_MESSAGE = /^[A-Za-z0-9 +\-_.,:#]{1,64}$/;

export const DETAILS_NOT_ALLOWED = 'only approvals can have authorization details';

/** Parses the subject of a request from its authorization details. @throws `invalid_authorization_details` */
export function parseRequestSubject(
  { resource, gatewayIdentifier, now }: Pick<ApprovalFeatureOptions, 'resource' | 'gatewayIdentifier' | 'now'>,
  details: unknown,
) {
  try {
    return parseApprovalSubject(details, { resource, gatewayIdentifier, now: now() });
  } catch (error) {
    if (error instanceof UnacceptableDetailsError) throw new errors.InvalidAuthorizationDetails(error.message);
    throw error;
  }
}

/** Configures which client may get tokens for which resource (RFC 8707). */
export function resourceIndicatorsFeature({
  issuer,
  resource,
  servers,
}: ApprovalFeatureOptions): Features['resourceIndicators'] {
  const connectedAccounts = connectedAccountsUrl(issuer);
  return {
    enabled: true,
    defaultResource: (_ctx, client) => (isPublicClient(client) ? mcpResource(resource) : resource),
    // A token with only identity scopes is for the userinfo endpoint. Every other token is for the gateway.
    useGrantedResource: (ctx) => {
      if (ctx.oidc.client !== undefined && isPublicClient(ctx.oidc.client)) return true;
      const asked = ctx.oidc.params?.scope;
      return typeof asked !== 'string' || !asked.split(' ').every((scope) => isOneOf(IDENTITY_SCOPES, scope));
    },
    getResourceServerInfo: (_ctx, indicator, client) => {
      const isLogin = client.clientId === LOGIN_CLIENT_ID;
      if (indicator === connectedAccounts && isLogin) return jwtResourceServer(indicator, CONNECTION_SCOPES);
      if (indicator === mcpResource(resource) && !client.grantTypeAllowed(CIBA_GRANT)) {
        return jwtResourceServer(indicator, MCP_SCOPES);
      }
      // Third-party programs get no tokens for `/v1`, which is only for our own clients.
      if (isPublicClient(client)) throw new errors.InvalidTarget(`the only resource here is ${mcpResource(resource)}`);
      if (isLogin && findServerByAddress(servers, indicator) !== undefined)
        return jwtResourceServer(indicator, SESSION_SCOPES);
      if (indicator !== resource) throw new errors.InvalidTarget('the only resource here is the order gateway');
      return jwtResourceServer(resource, client.grantTypeAllowed(CIBA_GRANT) ? APPROVAL_SCOPES : SESSION_SCOPES);
    },
  };
}

/** Configures which client may request approval of which details, and which tokens contain the details (RFC 9396). */
export function richAuthorizationRequestsFeature(
  options: ApprovalFeatureOptions,
): RichAuthorizationRequestsActiveConfiguration {
  return {
    enabled: true,
    types: Object.fromEntries(
      approvalDetailsTypes.map((type) => [
        type,
        {
          validate: (ctx: KoaContextWithOIDC) => {
            const { isProposal } = parseRequestSubject(options, ctx.oidc.params?.authorization_details);
            // The phone trusts a proposal's worst case, so only the gateway may send proposals.
            if (isProposal && ctx.oidc.client?.clientId !== options.gatewayClient.client_id) {
              throw new errors.InvalidAuthorizationDetails('only the gateway may request approval of a proposal');
            }
          },
        },
      ]),
    ),
    authorizationDetailsForGrantSource: () => undefined,
    authorizationDetailsForAccessToken: (ctx, _token, source, grantType) => {
      if (grantType !== CIBA_GRANT || ctx.oidc.params?.authorization_details !== undefined) {
        throw new errors.InvalidAuthorizationDetails(DETAILS_NOT_ALLOWED);
      }
      return source?.rar;
    },
    authorizationDetailsForIntrospection: () => undefined,
  };
}

export function cibaFeature(options: ApprovalFeatureOptions): Features['ciba'] {
  return {
    enabled: true,
    deliveryModes: ['poll', 'ping'],
    processLoginHint: (_ctx, hint) => hint,
    processLoginHintToken: () => {
      throw new errors.InvalidRequest('login_hint_token is not supported: use login_hint');
    },
    verifyUserCode: async (ctx, account, userCode) => {
      if (userCode !== undefined) throw new errors.InvalidRequest('user_code is not supported');
      const clientId = ctx.oidc.client?.clientId ?? '';
      const isGateway = clientId === options.gatewayClient.client_id;
      // A client may send requests only to its owner, and must not learn which other people use this home.
      if (!isGateway && (await options.ownerOf(clientId)) !== account.accountId) {
        throw new errors.UnknownUserId('this client may not send requests to a user with this name');
      }
      const wait = isGateway ? undefined : options.limits.questions.take(clientId);
      if (wait !== undefined) throw refuseFor(ctx, wait);
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
      // Stores the trace ID with the request, so that the decision and the ping belong to the same trace.
      Object.assign(ctx.oidc.params ?? {}, traceHeaders());
      const { scope, bindingMessage: described } = parseRequestSubject(options, ctx.oidc.params?.authorization_details);
      if (scopes.join(' ') !== ['openid', scope].sort().join(' ')) {
        throw new errors.InvalidScope(`this approval requires the scope "openid ${scope}"`, scopes.join(' '));
      }
      const message = ctx.oidc.params?.binding_message;
      // With a message of its own choice, a client could mislead the person about what they approve.
      if ('is' in described && message !== undefined && message !== described.is) {
        throw new errors.InvalidBindingMessage(`binding_message must be "${described.is}" for this`);
      }
      if ('endsIn' in described && !String(message ?? '').endsWith(described.endsIn)) {
        throw new errors.InvalidBindingMessage(`binding_message must end in "${described.endsIn}"`);
      }
    },
    triggerAuthenticationDevice: async (ctx, request, account, client) => {
      const most = client.clientId === options.gatewayClient.client_id ? MAX_GATEWAY_PENDING : MAX_PENDING;
      // Added to the response, because the client must show the code.
      ctx.state.approvalCode = await options
        .askPerson({ request, account, client, most })
        .catch(async (error: unknown) => {
          if (!(error instanceof TooManyPendingError)) throw error;
          await request.destroy();
          throw refuseFor(ctx, PENDING_WAIT_S);
        });
    },
  };
}
