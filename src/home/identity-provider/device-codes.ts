import type { Client, default as Provider } from 'oidc-provider';
import { CONNECTION_SCOPES, IDENTITY_SCOPES, MCP_SCOPES, ORDER_SCOPE, SESSION_SCOPES } from '../../oauth/scopes.ts';
import { AlreadyDecidedError } from '../../store/home/oidc-store.ts';
import type { Grants } from './grants.ts';
import { type Authentication, connectedAccountsUrl, mcpResource } from './protocol/protocol.ts';
import { type AgentServer, findServerByAddress } from './servers/agent-server.ts';

/** A device that waits for its sign-in (RFC 8628), as displayed to the person who decides. */
export interface DeviceRequest {
  readonly userCode: string;
  readonly clientName: string;
  /** Name that the device gave itself. Unverified. */
  readonly deviceName: string | undefined;
  readonly scopes: readonly string[];
  /** The API that accepts the device's tokens: the gateway's, `/mcp` for third-party agents, or a server's. */
  readonly use: 'session' | 'mcp' | 'server';
  readonly server: string | undefined;
  readonly expiresAt: number;
}

export type DeviceLookup =
  | { readonly status: 'waiting'; readonly request: DeviceRequest }
  | { readonly status: 'unknown' | 'expired' | 'used' };

export type DeviceCodes = ReturnType<typeof createDeviceCodes>;

/**
 * Looks up and decides device codes through oidc-provider's own models. Its built-in pages ask for consent before they
 * know the user, and a program can't operate them. These functions serve both our own pages and the phone's API.
 */
export function createDeviceCodes(options: {
  provider: () => Promise<Provider>;
  issuer: string;
  resource: string;
  servers: readonly AgentServer[];
  grants: Pick<Grants, 'noteDevice' | 'discard'>;
  now: () => number;
}) {
  const { resource } = options;
  const connectedAccounts = connectedAccountsUrl(options.issuer);

  const load = async (userCode: string) => {
    const provider = await options.provider();
    const normalized = userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
    if (normalized === '') return undefined;
    const code = await provider.DeviceCode.findByUserCode(normalized, { ignoreExpiration: true });
    const client = code?.clientId === undefined ? undefined : await provider.Client.find(code.clientId);
    return code === undefined || client === undefined ? undefined : { code, client };
  };
  type Loaded = NonNullable<Awaited<ReturnType<typeof load>>>;

  const describe = ({ code, client }: Loaded): DeviceLookup => {
    if (code.isExpired) return { status: 'expired' };
    if (code.error !== undefined || code.accountId !== undefined) return { status: 'used' };
    const { scope, device_name: deviceName, resource: wanted } = code.params ?? {};
    const server = findServerByAddress(options.servers, wanted);
    const otherUse = wanted === mcpResource(resource) ? 'mcp' : 'session';
    return {
      status: 'waiting',
      request: {
        userCode: `${code.userCode.slice(0, 4)}-${code.userCode.slice(4)}`,
        clientName: client.clientName ?? client.clientId,
        deviceName: optionalText(deviceName),
        scopes:
          optionalText(scope)
            ?.split(' ')
            .filter((name) => name !== ORDER_SCOPE) ?? [],
        use: server !== undefined ? 'server' : otherUse,
        server: server?.address,
        expiresAt: (code.exp ?? 0) * 1000,
      },
    };
  };

  /** Grants the requested access. @returns the values from which the code's tokens are made */
  const allow = async (
    { clientId }: Client,
    { scopes, clientName, deviceName, use, server }: DeviceRequest,
    user: string,
    { amr, at = options.now() }: Authentication,
  ) => {
    const { Grant } = await options.provider();
    const grant = new Grant({ clientId, accountId: user });
    const granted = (allowed: readonly string[]) => scopes.filter((scope) => allowed.includes(scope));
    const identity = granted(IDENTITY_SCOPES);
    const session = granted(use === 'mcp' ? MCP_SCOPES : SESSION_SCOPES);
    const connections = granted(CONNECTION_SCOPES);
    const target = server ?? (use === 'mcp' ? mcpResource(resource) : resource);
    if (identity.length > 0) grant.addOIDCScope(identity);
    if (session.length > 0) grant.addResourceScope(target, session);
    if (connections.length > 0) grant.addResourceScope(connectedAccounts, connections);
    const grantId = await grant.save();
    const where = server === undefined ? '' : ` at ${new URL(server).host}`;
    await options.grants.noteDevice(grantId, { user, clientName: `${clientName}${where}`, deviceName });
    return {
      accountId: user,
      amr: [...amr],
      authTime: Math.floor(at / 1000),
      grantId,
      resource: connections.length > 0 ? [target, connectedAccounts] : target,
      scope: [...identity, ...session, ...connections].join(' '),
    };
  };

  return {
    async find(userCode: string): Promise<DeviceLookup> {
      const loaded = await load(userCode);
      return loaded === undefined ? { status: 'unknown' } : describe(loaded);
    },
    /** Signs the device in as `user`, or denies the sign-in if `allowedBy` is undefined. Either decision is final. */
    async decide(userCode: string, user: string, allowedBy: Authentication | undefined): Promise<DeviceLookup> {
      const loaded = await load(userCode);
      if (loaded === undefined) return { status: 'unknown' };
      const lookup = describe(loaded);
      if (lookup.status !== 'waiting') return lookup;
      const { code, client } = loaded;
      const granted = allowedBy && (await allow(client, lookup.request, user, allowedBy));
      const denied = { error: 'access_denied', errorDescription: 'the person denied the request' };
      Object.assign(code, granted ?? denied);
      try {
        await code.save();
        return lookup;
      } catch (error) {
        if (!(error instanceof AlreadyDecidedError)) throw error;
        if (granted !== undefined) await options.grants.discard(granted.grantId);
        return { status: 'used' };
      }
    },
  };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
