import { type ClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { TOKEN_EXCHANGE_GRANT } from '../../../oauth/oauth-names.ts';
import { CONNECTION_SCOPES } from '../../../oauth/scopes.ts';
import { shortenHost } from '../authorization/public-client.ts';
import { type KeyClient, keyClientMetadata } from '../protocol/key-client.ts';
import { isOneOf } from '../protocol/protocol.ts';

/** A server that runs the agent for people, as configured in `home.yaml`. */
export interface AgentServer extends KeyClient {
  /** The server's public address, which is also the audience of sign-ins to the server. */
  readonly address: string;
}

/** Maximum length of a host in characters. With "server at ", it fits into the 80 characters of a requester's name. */
const MAX_HOST_LENGTH = 60;

/** Finds a server by `resource` (RFC 8707). */
export function findServerByAddress(servers: readonly AgentServer[], resource: unknown): AgentServer | undefined {
  return servers.find(({ address }) => address === resource);
}

export function findServerByClient(servers: readonly AgentServer[], clientId: unknown): AgentServer | undefined {
  return servers.find(({ client_id }) => client_id === clientId);
}

/** Returns the server's display name, one line of printable ASCII, which the gateway also uses in `act`. */
export function serverDisplayName({ address }: Pick<AgentServer, 'address'>): string {
  return `server at ${shortenHost(new URL(address).host, MAX_HOST_LENGTH)}`;
}

/**
 * Returns a server's OAuth client metadata. As a client, the server exchanges people's tokens and renews grants. People
 * don't sign in with this client.
 */
export function serverClientMetadata(server: AgentServer): ClientMetadata {
  return {
    ...keyClientMetadata(server),
    client_name: serverDisplayName(server),
    grant_types: [TOKEN_EXCHANGE_GRANT, 'refresh_token'],
  };
}

/**
 * Checks a sign-in to a server. The sign-in's tokens work only at that server. They can't be used at the gateway or for
 * connected accounts.
 * @throws `invalid_target`, `invalid_scope`
 */
export function checkServerSignIn(ctx: KoaContextWithOIDC, servers: readonly AgentServer[]): void {
  const { params, route } = ctx.oidc;
  if (route !== 'device_authorization' || params === undefined) return;
  const resources = [params.resource].flat();
  if (!resources.some((resource) => findServerByAddress(servers, resource) !== undefined)) return;
  if (resources.length > 1) throw new errors.InvalidTarget('a sign-in to a server can have no other resource');
  const refused = String(params.scope ?? '')
    .split(' ')
    .filter((scope) => isOneOf(CONNECTION_SCOPES, scope));
  if (refused.length > 0) throw new errors.InvalidScope('requested scope is not allowed', refused.join(' '));
}

/** Returns the claim `auth_time` (RFC 9068 §2.2.1), with which a server checks that the sign-in is recent. */
export function authTimeClaim(ctx: KoaContextWithOIDC): { readonly auth_time: number } | undefined {
  const { DeviceCode, RefreshToken } = ctx.oidc.entities;
  const auth_time = DeviceCode?.authTime ?? RefreshToken?.authTime;
  return auth_time === undefined ? undefined : { auth_time };
}
