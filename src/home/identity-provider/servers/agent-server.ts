import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { TOKEN_EXCHANGE_GRANT } from '../../../oauth/oauth-names.ts';
import { CONNECTION_SCOPES } from '../../../oauth/scopes.ts';
import { endOf } from '../authorization/public-client.ts';
import { type KeyClient, keyClient } from '../protocol/key-client.ts';
import { isIn } from '../protocol/protocol.ts';

/** A server that runs the agent for people, as `home.yaml` names it. */
export interface AgentServer extends KeyClient {
  /** Its public address: the audience of sign-ins there. */
  readonly address: string;
}

/** With "server at " it fits a proposal's 80 characters for who asked. */
const LONGEST_HOST = 60;

/** By RFC 8707 `resource`. */
export function serverAt(servers: readonly AgentServer[], resource: unknown): AgentServer | undefined {
  return servers.find(({ address }) => address === resource);
}

export function serverOf(servers: readonly AgentServer[], clientId: unknown): AgentServer | undefined {
  return servers.find(({ client_id }) => client_id === clientId);
}

/** One line of printable ASCII, also for the gateway's `act`. */
export function serverName({ address }: Pick<AgentServer, 'address'>): string {
  return `server at ${endOf(new URL(address).host, LONGEST_HOST)}`;
}

/** It exchanges what people bring and renews what they granted it; nobody signs in by it. */
export function serverClient(server: AgentServer): ClientMetadata {
  return {
    ...keyClient(server),
    client_name: serverName(server),
    grant_types: [TOKEN_EXCHANGE_GRANT, 'refresh_token'],
  };
}

/**
 * A sign-in at a server is for that server alone: its tokens are worth nothing at the gateway or for connected accounts.
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

/** RFC 9068 §2.2.1 `auth_time`: a server asks for a fresh sign-in as a laptop does. */
export function signedInAt(ctx: KoaContextWithOIDC): { readonly auth_time: number } | undefined {
  const { DeviceCode, RefreshToken } = ctx.oidc.entities;
  const auth_time = DeviceCode?.authTime ?? RefreshToken?.authTime;
  return auth_time === undefined ? undefined : { auth_time };
}
