import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { CONNECTION_SCOPES } from '../../../oauth/scopes.ts';
import { isIn } from '../protocol.ts';
import { type AgentServer, serverAt } from './agent-server.ts';

/**
 * A sign-in at a server is for that server alone: its tokens are worth nothing at the gateway, nor with a person's accounts
 * elsewhere, so that a laptop can do only what the server lets it.
 * @throws `invalid_target`, `invalid_scope`
 */
export function checkServerSignIn(ctx: KoaContextWithOIDC, servers: readonly AgentServer[]): void {
  const { params, route } = ctx.oidc;
  if (route !== 'device_authorization' || params === undefined) return;
  const resources = [params.resource].flat();
  if (!resources.some((resource) => serverAt(servers, resource) !== undefined)) return;
  if (resources.length > 1) throw new errors.InvalidTarget('a sign-in at a server is for nothing else');
  const refused = String(params.scope ?? '')
    .split(' ')
    .filter((scope) => isIn(CONNECTION_SCOPES, scope));
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
}

/** When the person signed in (RFC 9068 §2.2.1 `auth_time`): a server asks for a fresh sign-in as a laptop does. */
export function signedInAt(ctx: KoaContextWithOIDC): { readonly auth_time: number } | undefined {
  const { DeviceCode, RefreshToken } = ctx.oidc.entities;
  const auth_time = DeviceCode?.authTime ?? RefreshToken?.authTime;
  return auth_time === undefined ? undefined : { auth_time };
}
