import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { MCP_SCOPES } from '../../../oauth/scopes.ts';
import { isOneOf } from '../protocol/protocol.ts';

/** Scopes that are allowed in addition to those of `/mcp`. */
export const EXTRA_MCP_SCOPES = ['openid', 'offline_access'] as const;

/**
 * Validates a request at `/authorize`. A request without any `/mcp` scope gets all of them: several clients request no
 * scope, and would otherwise be rejected without an explanation.
 * @throws `invalid_scope`, `invalid_request`
 */
export function checkAuthorizationRequest(ctx: KoaContextWithOIDC): void {
  const { params, route } = ctx.oidc;
  if (route !== 'authorization' || params === undefined) return;
  if (params.authorization_details !== undefined) {
    throw new errors.InvalidRequest('authorization_details are only for approvals, which the gateway requests');
  }
  // Other response modes put the response where scripts or the server log of the client's page can read it.
  if (params.response_mode !== undefined && params.response_mode !== 'query') {
    throw new errors.InvalidRequest('response_mode must be query');
  }
  const scopes = typeof params.scope === 'string' ? params.scope.split(' ').filter(Boolean) : [];
  const refused = scopes.filter((scope) => !isOneOf(MCP_SCOPES, scope) && !isOneOf(EXTRA_MCP_SCOPES, scope));
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
  if (!scopes.some((scope) => isOneOf(MCP_SCOPES, scope))) scopes.push(...MCP_SCOPES);
  if (isOfflineDropped(ctx, scopes)) scopes.push('offline_access');
  params.scope = scopes.join(' ');
}

/**
 * Returns whether the library dropped `offline_access`. oidc-provider requires `prompt=consent` for it (OpenID Connect
 * Core §11), which several MCP clients don't send. Here the person is always asked, and a refresh token is issued.
 * Without the scope, a refresh that repeats the requested scopes would be rejected.
 */
function isOfflineDropped(ctx: KoaContextWithOIDC, scopes: readonly string[]): boolean {
  const { scope } = (ctx.method === 'POST' ? ctx.oidc.body : ctx.query) ?? {};
  const isAsked = typeof scope === 'string' && scope.split(' ').includes('offline_access');
  return isAsked && !scopes.includes('offline_access') && ctx.oidc.client?.grantTypeAllowed('refresh_token') === true;
}
