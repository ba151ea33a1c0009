import { TradeAgentError } from '../../errors/errors.ts';
import { utcSeconds } from '../../machine/clock.ts';
import type { AuthorizedClient } from '../../store/home/authorized-clients.ts';
import type { App } from '../app.ts';
import { withHome } from './open-home.ts';

/** Another agent that a person has let in. */
export interface ListedMcpClient {
  readonly user: string;
  /** By which it is revoked. */
  readonly client_id: string;
  /** As it calls itself; nobody has verified it. */
  readonly name: string;
  readonly host: string;
  readonly redirect_uri: string;
  readonly since: string;
  /** When it was last given a token. */
  readonly last_used_at: string | null;
}

/** @param user everybody's where it is left out */
export async function listMcpClients(
  app: Pick<App, 'clock'>,
  folder: string,
  user: string | undefined,
): Promise<ListedMcpClient[]> {
  return await withHome(app, folder, async ({ authorized }) => authorized.list(user).map(listed));
}

/**
 * Ends all that a client was given: its tokens at once; its open proposals and streams too where the home is served, and
 * else before anything else happens there.
 * @param id its id, the beginning of it that no other has, or its name
 * @throws {TradeAgentError} `not_found`, `usage` for what stands for several
 */
export async function revokeMcpClient(
  app: Pick<App, 'clock'>,
  folder: string,
  { user, id }: { readonly user: string | undefined; readonly id: string },
): Promise<ListedMcpClient> {
  return await withHome(app, folder, async ({ authorized }) => {
    const all = authorized.list(user);
    const exact = all.filter(({ clientId }) => clientId === id);
    const found =
      exact.length > 0 ? exact : all.filter(({ clientId, name }) => clientId.startsWith(id) || name === id);
    const [client, ...more] = found;
    if (client === undefined || more.length > 0) {
      throw new TradeAgentError(
        client === undefined ? 'not_found' : 'usage',
        client === undefined
          ? `no MCP client "${id}" is let in`
          : `"${id}" stands for ${found.length} MCP clients`,
        {
          hint: 'See "trade-agent mcp clients list": its id, or as much of it as no other begins with; --user says whose.',
        },
      );
    }
    authorized.end(client.user, client.clientId);
    return listed(client);
  });
}

function listed({
  user,
  clientId,
  name,
  host,
  redirectUri,
  since,
  usedAt,
}: AuthorizedClient): ListedMcpClient {
  return {
    user,
    client_id: clientId,
    name,
    host,
    redirect_uri: redirectUri,
    since: utcSeconds(since),
    last_used_at: usedAt === undefined ? null : utcSeconds(usedAt),
  };
}
