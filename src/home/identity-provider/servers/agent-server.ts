import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { TOKEN_EXCHANGE_GRANT } from '../../../oauth/oauth-names.ts';
import { CONNECTION_SCOPES } from '../../../oauth/scopes.ts';
import { type KeyClient, keyClient } from '../protocol/key-client.ts';
import { isIn } from '../protocol/protocol.ts';

/** A server that runs the agent for people, as `home.yaml` names it. */
export interface AgentServer extends KeyClient {
  /** Its public address: the audience of sign-ins there. */
  readonly address: string;
}

/** With what stands before it, it fits what a proposal says of who asked: 80 characters. */
const LONGEST_HOST = 60;

/** The server at an address, as a request names it (RFC 8707 `resource`). */
export function serverAt(servers: readonly AgentServer[], resource: unknown): AgentServer | undefined {
  return servers.find(({ address }) => address === resource);
}

/** The server whose client it is. */
export function serverOf(servers: readonly AgentServer[], clientId: unknown): AgentServer | undefined {
  return servers.find(({ client_id }) => client_id === clientId);
}

/** For people, and as the gateway is told who acts: one line of printable ASCII. */
export function serverName({ address }: Pick<AgentServer, 'address'>): string {
  const { host } = new URL(address);
  // Whose a host is stands at its end.
  return `server at ${host.length <= LONGEST_HOST ? host : `..${host.slice(2 - LONGEST_HOST)}`}`;
}

/** It exchanges what people bring, and renews what they granted it; nobody signs in by it. */
export function serverClient(server: AgentServer): ClientMetadata {
  return {
    ...keyClient(server),
    client_name: serverName(server),
    grant_types: [TOKEN_EXCHANGE_GRANT, 'refresh_token'],
  };
}

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
