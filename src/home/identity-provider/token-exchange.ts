import type { JWTVerifyGetKey } from 'jose';
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import { ACCESS_TOKEN_TYPE, REFRESH_TOKEN_TYPE } from '../../oauth/oauth-names.ts';
import { type ExchangeParameters, mcpResource, temporarilyUnavailable } from './protocol/protocol.ts';
import { type AgentServer, serverOf } from './servers/agent-server.ts';
import {
  createServerExchange,
  invalid,
  type ServerExchangeOptions,
  verifiedSubject,
} from './servers/server-exchange.ts';
import { VaultError } from './third-party.ts';
import type { Vault } from './vault.ts';

type Context = TokenEndpointGrantContext<ExchangeParameters>;

interface TokenExchangeOptions extends ServerExchangeOptions {
  readonly gatewayClientId: string;
  readonly servers: readonly AgentServer[];
  readonly verificationKey: JWTVerifyGetKey;
  readonly vault: Vault;
}

/**
 * RFC 8693. The gateway exchanges what it was called with for the user's access at the broker, and a server of the home's for
 * access at the gateway.
 */
export function createTokenExchange(options: TokenExchangeOptions) {
  const forServers = createServerExchange(options);
  const forGateway = brokerExchange(options);
  return async function tokenExchange(ctx: Context): Promise<void> {
    const { client, params } = ctx.oidc;
    const server = serverOf(options.servers, client.clientId);
    if (server === undefined && client.clientId !== options.gatewayClientId) {
      throw new errors.UnauthorizedClient('only the gateway and its servers may exchange tokens');
    }
    if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
      throw new errors.InvalidRequest('actor_token is not supported');
    }
    if (params.subject_token_type !== ACCESS_TOKEN_TYPE) {
      throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN_TYPE}`);
    }
    const issued = server === undefined ? [ACCESS_TOKEN_TYPE] : [ACCESS_TOKEN_TYPE, REFRESH_TOKEN_TYPE];
    if (params.requested_token_type !== undefined && !issued.includes(params.requested_token_type)) {
      throw new errors.InvalidRequest(`requested_token_type must be ${issued.join(' or ')}`);
    }
    return server === undefined ? await forGateway(ctx) : await forServers(ctx, server);
  };
}

/** Gives the gateway the user's access token at the broker, for one that was meant for the gateway or its MCP endpoint. */
function brokerExchange(options: TokenExchangeOptions) {
  return async (ctx: Context): Promise<void> => {
    const { params } = ctx.oidc;
    if (typeof params.audience !== 'string' || params.audience === '') {
      throw new errors.InvalidTarget('audience must name one connection');
    }
    const user = await subject(params.subject_token);
    const token = await options.vault.accessToken(user, params.audience).catch((error: unknown) => {
      throw refusal(error);
    });
    ctx.body = {
      access_token: token.accessToken,
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: 'Bearer',
      expires_in: token.expiresIn,
    };
  };

  async function subject(token: unknown): Promise<string> {
    const audience = [options.resource, mcpResource(options.resource)];
    const { sub, jti } = await verifiedSubject(token, options, { audience });
    if (options.grants.liveGrant(jti) === undefined) throw invalid('was revoked');
    return sub;
  }
}

function refusal(error: unknown): unknown {
  if (!(error instanceof VaultError)) return error;
  return error.refusal === 'broker_unreachable'
    ? temporarilyUnavailable(error.message)
    : new errors.InvalidTarget(error.message);
}
