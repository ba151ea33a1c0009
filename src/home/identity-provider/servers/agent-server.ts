import type { ClientMetadata } from 'oidc-provider';
import { TOKEN_EXCHANGE_GRANT } from '../../../net/oauth-names.ts';

/** A server that runs the agent for people, as `home.yaml` names it. */
export interface AgentServer {
  readonly client_id: string;
  /** Its public address: the audience of sign-ins there. */
  readonly address: string;
  /** What it proves itself by: public keys (RFC 7517), or where they are. */
  readonly jwks?: { readonly keys: readonly object[] } | undefined;
  readonly jwks_uri?: string | undefined;
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
  const { client_id, jwks, jwks_uri } = server;
  return {
    client_id,
    client_name: serverName(server),
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: [TOKEN_EXCHANGE_GRANT, 'refresh_token'],
    response_types: [],
    redirect_uris: [],
    dpop_bound_access_tokens: true,
    authorization_details_types: [],
    ...(jwks === undefined
      ? {}
      : {
          jwks: { keys: jwks.keys.map((key) => ({ ...key })) as NonNullable<ClientMetadata['jwks']>['keys'] },
        }),
    ...(jwks_uri === undefined ? {} : { jwks_uri }),
  };
}
