import type Provider from 'oidc-provider';
import {
  CONNECTION_SCOPES,
  IDENTITY_SCOPES,
  MCP_SCOPES,
  ORDER_SCOPE,
  SESSION_SCOPES,
} from '../../oauth/scopes.ts';
import type { Grants } from './grants.ts';
import { type Authentication, connectedAccountsUrl, mcpResource } from './protocol/protocol.ts';
import { type AgentServer, serverAt } from './servers/agent-server.ts';

/** A device that waits for its sign-in (RFC 8628), as the person who decides sees it. */
export interface DeviceRequest {
  readonly userCode: string;
  readonly clientName: string;
  /** What the device calls itself; unverified. */
  readonly deviceName: string | undefined;
  readonly scopes: readonly string[];
  /** What its tokens are for: the gateway's own API, `/mcp` for other people's agents, or a server. */
  readonly use: 'session' | 'mcp' | 'server';
  readonly server: string | undefined;
  readonly expiresAt: number;
}

export type DeviceLookup =
  | { readonly status: 'waiting'; readonly request: DeviceRequest }
  | { readonly status: 'unknown' | 'expired' | 'used' };

export type DeviceCodes = ReturnType<typeof createDeviceCodes>;

/**
 * Decides about device codes on oidc-provider's own models: its built-in pages ask for consent before they know who is there,
 * and can't be driven by another program. These functions serve the page and the terminal alike.
 */
export function createDeviceCodes(options: {
  provider: () => Provider;
  issuer: string;
  resource: string;
  servers: readonly AgentServer[];
  grants: Pick<Grants, 'noteDevice'>;
  now: () => number;
}) {
  const { resource } = options;
  const connectedAccounts = connectedAccountsUrl(options.issuer);
  const deciding = new Set<string>();

  const load = async (userCode: string) => {
    const provider = options.provider();
    const normalized = userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
    const code =
      normalized === ''
        ? undefined
        : await provider.DeviceCode.findByUserCode(normalized, { ignoreExpiration: true });
    const client = code?.clientId === undefined ? undefined : await provider.Client.find(code.clientId);
    return code === undefined || client === undefined ? undefined : { code, client };
  };
  type Loaded = NonNullable<Awaited<ReturnType<typeof load>>>;

  const describe = ({ code, client }: Loaded): DeviceLookup => {
    if (code.isExpired) return { status: 'expired' };
    if (code.error !== undefined || code.accountId !== undefined || deciding.has(code.jti))
      return { status: 'used' };
    const { scope, device_name: deviceName, resource: wanted } = code.params ?? {};
    const server = serverAt(options.servers, wanted);
    return {
      status: 'waiting',
      request: {
        userCode: `${code.userCode.slice(0, 4)}-${code.userCode.slice(4)}`,
        clientName: client.clientName ?? client.clientId,
        deviceName: typeof deviceName === 'string' ? deviceName : undefined,
        scopes: typeof scope === 'string' ? scope.split(' ').filter((name) => name !== ORDER_SCOPE) : [],
        use: server !== undefined ? 'server' : wanted === mcpResource(resource) ? 'mcp' : 'session',
        server: server?.address,
        expiresAt: (code.exp ?? 0) * 1000,
      },
    };
  };

  return {
    async find(userCode: string): Promise<DeviceLookup> {
      const loaded = await load(userCode);
      return loaded === undefined ? { status: 'unknown' } : describe(loaded);
    },
    /** Signs the device in as `user`, or denies it if `allowedBy` is undefined; final either way. */
    async decide(
      userCode: string,
      user: string,
      allowedBy: Authentication | undefined,
    ): Promise<DeviceLookup> {
      const loaded = await load(userCode);
      if (loaded === undefined) return { status: 'unknown' };
      const lookup = describe(loaded);
      if (lookup.status !== 'waiting') return lookup;
      const { code, client } = loaded;
      deciding.add(code.jti);
      try {
        if (allowedBy === undefined) {
          Object.assign(code, { error: 'access_denied', errorDescription: 'the person refused' });
          await code.save();
          return lookup;
        }
        const { Grant } = options.provider();
        const grant = new Grant({ clientId: client.clientId, accountId: user });
        const granted = (allowed: readonly string[]) =>
          lookup.request.scopes.filter((scope) => allowed.includes(scope));
        const identity = granted(IDENTITY_SCOPES);
        const { clientName, deviceName, use, server } = lookup.request;
        const target = server ?? (use === 'mcp' ? mcpResource(resource) : resource);
        const session = granted(use === 'mcp' ? MCP_SCOPES : SESSION_SCOPES);
        if (identity.length > 0) grant.addOIDCScope(identity);
        const connections = granted(CONNECTION_SCOPES);
        if (session.length > 0) grant.addResourceScope(target, session);
        if (connections.length > 0) grant.addResourceScope(connectedAccounts, connections);
        const grantId = await grant.save();
        const at = server === undefined ? '' : ` at ${new URL(server).host}`;
        options.grants.noteDevice(grantId, { user, clientName: `${clientName}${at}`, deviceName });
        Object.assign(code, {
          accountId: user,
          amr: [...allowedBy.amr],
          authTime: Math.floor((allowedBy.at ?? options.now()) / 1000),
          grantId,
          resource: connections.length > 0 ? [target, connectedAccounts] : target,
          scope: [...identity, ...session, ...connections].join(' '),
        });
        await code.save();
        return lookup;
      } finally {
        deciding.delete(code.jti);
      }
    },
  };
}
