import type { ClientMetadata } from 'oidc-provider';
import { TOKEN_EXCHANGE_GRANT } from '../../../oauth/oauth-names.ts';
import { type KeyClient, keyClient } from '../key-client.ts';

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
