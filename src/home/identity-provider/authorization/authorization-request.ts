import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { ALL_SCOPES, IDENTITY_SCOPES, MCP_SCOPES } from '../../../oauth/scopes.ts';
import { isOneOf } from '../protocol/protocol.ts';

/** Scopes that are allowed in addition to the scopes of `/mcp`. */
export const EXTRA_MCP_SCOPES = ['openid', 'offline_access'] as const;

/**
 * Validates a request at `/authorize`. Limits its scopes to those for third-party clients (RFC 6749 §3.3), because
 * several clients request every scope in the metadata. The token response lists the remaining scopes. A request that
 * names no API gets all `/mcp` scopes, because several clients request no scope and would be rejected without a reason.
 * @throws `invalid_scope`, `invalid_request`
 */
export function checkAuthorizationRequest(ctx: KoaContextWithOIDC): void {
  const { params, route } = ctx.oidc;
  if (route !== 'authorization' || params === undefined) return;
  if (params.authorization_details !== undefined) {
    throw new errors.InvalidRequest('authorization_details are only for approvals, which the gateway requests');
  }
  // In other response modes, scripts or the server log of the client's page could read the response.
  if (params.response_mode !== undefined && params.response_mode !== 'query') {
    throw new errors.InvalidRequest('response_mode must be query');
  }
  const scopes = typeof params.scope === 'string' ? params.scope.split(' ').filter(Boolean) : [];
  const granted = narrowScopes(scopes);
  if (isOfflineDropped(ctx, granted)) granted.push('offline_access');
  params.scope = granted.join(' ');
}

/** Limits scopes to those for third parties. @throws `invalid_scope` for an unknown scope, or if no API remains */
function narrowScopes(requested: readonly string[]): string[] {
  const unknown = requested.filter((scope) => !isOneOf(ALL_SCOPES, scope));
  if (unknown.length > 0) throw new errors.InvalidScope('requested scope is unknown', unknown.join(' '));
  const granted = requested.filter((scope) => isOneOf(MCP_SCOPES, scope) || isOneOf(EXTRA_MCP_SCOPES, scope));
  if (granted.some((scope) => isOneOf(MCP_SCOPES, scope))) return granted;
  const refused = requested.filter((scope) => !isOneOf(IDENTITY_SCOPES, scope));
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
  return [...granted, ...MCP_SCOPES];
}

/**
 * Returns whether the library dropped `offline_access`. oidc-provider requires `prompt=consent` for this scope (OpenID
 * Connect Core §11), which several MCP clients don't send. Here, the person is always asked, and a refresh token is
 * issued. Without the scope, a refresh that repeats the requested scopes would be rejected.
 */
function isOfflineDropped(ctx: KoaContextWithOIDC, scopes: readonly string[]): boolean {
  const { scope } = (ctx.method === 'POST' ? ctx.oidc.body : ctx.query) ?? {};
  const isAsked = typeof scope === 'string' && scope.split(' ').includes('offline_access');
  return isAsked && !scopes.includes('offline_access') && ctx.oidc.client?.grantTypeAllowed('refresh_token') === true;
}
