import type { Client, DeviceCode, default as Provider } from 'oidc-provider';
import { type GrantDetails, grantIdentifier } from '../../approval/signature/grant.ts';
import { CONNECTION_SCOPES, IDENTITY_SCOPES, MCP_SCOPES, ORDER_SCOPE, SESSION_SCOPES } from '../../oauth/scopes.ts';
import { AlreadyDecidedError } from '../../store/home/oidc-store.ts';
import type { Grants } from './grants.ts';
import { type Authentication, connectedAccountsUrl, mcpResource } from './protocol/protocol.ts';
import { type AgentServer, findServerByAddress } from './servers/agent-server.ts';
import {
  type GrantConsent,
  type GrantLifetimeDays,
  grantEnd,
  type SignedGrants,
  setGrantEnd,
} from './signed-grants.ts';

/** A device that waits for its sign-in (RFC 8628), as displayed to the person. */
export interface DeviceRequest {
  readonly userCode: string;
  readonly clientName: string;
  /** Name that the device reported. Unverified. */
  readonly deviceName: string | undefined;
  readonly scopes: readonly string[];
  /** The API that accepts the device's tokens: the gateway's, `/mcp` for third-party agents, or a server's. */
  readonly use: 'session' | 'mcp' | 'server';
  readonly server: string | undefined;
  /** Network address of the device, if known. */
  readonly address: string | undefined;
  readonly expiresAt: number;
}

export type DeviceLookup =
  | { readonly status: 'waiting'; readonly request: DeviceRequest }
  | { readonly status: 'unknown' | 'expired' | 'used' };

export type DeviceCodes = ReturnType<typeof createDeviceCodes>;

interface DeviceCodesOptions {
  readonly provider: () => Promise<Provider>;
  readonly issuer: string;
  readonly resource: string;
  readonly servers: readonly AgentServer[];
  readonly grants: Pick<Grants, 'noteDevice' | 'discard'>;
  readonly signed: SignedGrants;
  readonly now: () => number;
}

/** A device code and its client. */
interface Loaded {
  readonly code: DeviceCode;
  readonly client: Client;
}

/**
 * Finds and decides device codes with oidc-provider's own models. The library's built-in pages ask for consent before
 * they know the user, and a program can't operate them. These functions are for both our own pages and the phone's API.
 */
export function createDeviceCodes(options: DeviceCodesOptions) {
  const load = async (userCode: string): Promise<Loaded | undefined> => {
    const provider = await options.provider();
    const normalized = userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
    if (normalized === '') return undefined;
    const code = await provider.DeviceCode.findByUserCode(normalized, { ignoreExpiration: true });
    const client = code?.clientId === undefined ? undefined : await provider.Client.find(code.clientId);
    return code === undefined || client === undefined ? undefined : { code, client };
  };
  /** Grants the requested access. @returns the values for the code's tokens */
  const allow = async (
    { clientId }: Client,
    request: DeviceRequest,
    { grant: { sub: user, ends_at: endsAt } }: GrantDetails,
    { amr, at = options.now() }: Authentication,
  ) => {
    const { clientName, deviceName, server } = request;
    const { Grant } = await options.provider();
    const grant = new Grant({ clientId, accountId: user });
    setGrantEnd(grant, endsAt, options.now());
    const { identity, session, connections, target, resources } = grantedScopes(request, options);
    if (identity.length > 0) grant.addOIDCScope(identity);
    if (session.length > 0) grant.addResourceScope(target, session);
    if (connections.length > 0) grant.addResourceScope(connectedAccountsUrl(options.issuer), connections);
    const grantId = await grant.save();
    const where = server === undefined ? '' : ` at ${new URL(server).host}`;
    await options.grants.noteDevice(grantId, { user, clientName: `${clientName}${where}`, deviceName });
    return {
      accountId: user,
      amr: [...amr],
      authTime: Math.floor(at / 1000),
      grantId,
      resource: connections.length > 0 ? resources : target,
      scope: [...identity, ...session, ...connections].join(' '),
    };
  };

  return {
    async find(userCode: string): Promise<DeviceLookup> {
      const loaded = await load(userCode);
      return loaded === undefined ? { status: 'unknown' } : describe(loaded, options);
    },
    /** Returns the sign-in's details for signing, or why the sign-in can't be allowed. */
    async details(
      userCode: string,
      user: string,
      days: GrantLifetimeDays,
    ): Promise<GrantDetails | Exclude<DeviceLookup, { status: 'waiting' }>> {
      const loaded = await load(userCode);
      if (loaded === undefined) return { status: 'unknown' };
      const lookup = describe(loaded, options);
      if (lookup.status !== 'waiting') return lookup;
      return toGrantDetails({ ...loaded, request: lookup.request }, options, { user, days });
    },
    /**
     * Signs the device in as `user`, or denies the sign-in if `consent` is undefined. Either decision is final.
     * @throws `signature_…` if the person did not sign, in which case the sign-in stays open
     */
    async decide(userCode: string, user: string, consent: GrantConsent | undefined): Promise<DeviceLookup> {
      const loaded = await load(userCode);
      if (loaded === undefined) return { status: 'unknown' };
      const lookup = describe(loaded, options);
      if (lookup.status !== 'waiting') return lookup;
      const { code, client } = loaded;
      const { request } = lookup;
      const allowed = async ({ days, ...consented }: GrantConsent) => {
        const details = toGrantDetails({ ...loaded, request }, options, { user, days });
        return await allow(client, request, details, await options.signed.requireSignature(details, consented));
      };
      const granted = consent && (await allowed(consent));
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

/** Describes a code's sign-in, or says why the code can't be decided. */
function describe({ code, client }: Loaded, { servers, resource }: DeviceCodesOptions): DeviceLookup {
  if (code.isExpired) return { status: 'expired' };
  if (code.error !== undefined || code.accountId !== undefined) return { status: 'used' };
  const { scope, device_name: deviceName, resource: wanted } = code.params ?? {};
  const server = findServerByAddress(servers, wanted);
  const otherUse = wanted === mcpResource(resource) ? 'mcp' : 'session';
  const { address } = code.deviceInfo ?? {};
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
      address: optionalText(address),
      expiresAt: (code.exp ?? 0) * 1000,
    },
  };
}

/** Returns the granted scopes by API. */
function grantedScopes({ scopes, use, server }: DeviceRequest, { resource, issuer }: DeviceCodesOptions) {
  const granted = (allowed: readonly string[]) => scopes.filter((scope) => allowed.includes(scope));
  const connections = granted(CONNECTION_SCOPES);
  const target = server ?? (use === 'mcp' ? mcpResource(resource) : resource);
  return {
    identity: granted(IDENTITY_SCOPES),
    session: granted(use === 'mcp' ? MCP_SCOPES : SESSION_SCOPES),
    connections,
    target,
    resources: connections.length > 0 ? [target, connectedAccountsUrl(issuer)] : [target],
  };
}

function toGrantDetails(
  { code, client, request }: Loaded & { readonly request: DeviceRequest },
  options: DeviceCodesOptions,
  { user, days }: { readonly user: string; readonly days: GrantLifetimeDays },
): GrantDetails {
  const { identity, session, connections, resources } = grantedScopes(request, options);
  const { deviceName, address } = request;
  return options.signed.details(grantIdentifier(code.jti), {
    kind: 'device',
    sub: user,
    client: client.clientId,
    client_name: request.clientName,
    scopes: [...identity, ...session, ...connections],
    resources,
    accounts: 'all',
    from: [deviceName, address].filter(Boolean).join(', ') || null,
    ends_at: grantEnd(request.expiresAt, days),
  });
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
