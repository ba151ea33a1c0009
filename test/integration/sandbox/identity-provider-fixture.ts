import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import * as client from 'openid-client';
import { toOrderDraft } from '../../../src/home/identity-provider/approval-subject.ts';
import { ActiveFaults } from '../../../src/home/identity-provider/faults.ts';
import type { VaultConnection } from '../../../src/home/identity-provider/third-party.ts';
import { createVault } from '../../../src/home/identity-provider/vault.ts';
import { createIdentityProvider } from '../../../src/home/identity-provider.ts';
import type { IdentityProviderOptions } from '../../../src/home/identity-provider-options.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import { createPeopleStore } from '../../../src/store/home/people.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import {
  buildTradeOrderDetails,
  orderBindingText,
  type TradeOrderDetails,
  tradeOrderDetailsSchema,
} from '../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { defined } from '../../../src/values/defined.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { testKeys } from '../home/test-keys.ts';

export const RESOURCE = 'http://127.0.0.1:9/gateway';
export const CIBA = 'urn:openid:params:grant-type:ciba';
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ALL_SCOPES = 'openid profile email offline_access market:read portfolio:read orders:read orders:cancel';
export const users = [
  { username: 'alice', name: 'Alice Adams', email: 'alice@example.com' },
  { username: 'bob', name: 'Bob Brown', email: 'bob@example.com' },
];
const PAIRING_SECRET = 'pairing-secret-for-tests';

/** The certificate of localhost, which is nobody's; whoever asks must trust it. */
export const certificate = {
  cert: readFileSync(new URL('../../fixtures/tls/loopback-cert.pem', import.meta.url), 'utf8'),
  key: readFileSync(new URL('../../fixtures/tls/loopback-key.pem', import.meta.url), 'utf8'),
};

export async function listen(
  handler: RequestListener,
  tls?: typeof certificate,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export type World = Awaited<ReturnType<typeof startIdentityProvider>>;

export async function startIdentityProvider(
  options: Partial<IdentityProviderOptions> & {
    readonly connections?: Record<string, VaultConnection>;
    readonly tls?: typeof certificate;
    /** Where it is reached through a proxy, which is not there: what comes in counts as having come that way. */
    readonly address?: string;
  } = {},
) {
  const { connections = {}, tls, about, address: proxied, ...rest } = options;
  const given = defined(rest);
  const folder = mkdtempSync(join(tmpdir(), 'identity-provider-'));
  const faults = new ActiveFaults();
  const gatewayKey = await generateKeyPair('ES256', { extractable: true });
  const problems: string[] = [];
  let handler: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = await listen((request, response) => {
    if (proxied !== undefined) request.headers.host = new URL(proxied).host;
    handler(request, response);
  }, tls);
  const address = proxied ?? server.url;

  const ofGateway = new Database(join(folder, 'gateway.db'));
  const keys = testKeys(address, RESOURCE, createSqliteGatewayStores(ofGateway).keys);
  const start = async () => {
    const database = prepareHomeDatabase(new Database(join(folder, 'state.db')));
    const sql = createSqliteTransactions(database);
    const vault = createVault({ database: sql, key: Buffer.alloc(32, 7), connections });
    const people = createPeopleStore(sql, Date.now);
    await people.addMissing(users);
    const provider = await createIdentityProvider({
      issuer: address,
      database: sql,
      resource: RESOURCE,
      people,
      keys,
      about: about ?? { name: 'Sandbox', environment: 'paper', simulated: true },
      phonePairingSecret: PAIRING_SECRET,
      gatewayClient: {
        client_id: 'trade-agent-gateway',
        jwks: {
          keys: [{ ...(await exportJWK(gatewayKey.publicKey)), kid: 'gateway', alg: 'ES256', use: 'sig' }],
        },
      },
      vault,
      faults,
      onError: (problem) => problems.push(problem),
      ...given,
    });
    handler = provider.callback;
    return { provider, database, vault };
  };
  let running = await start();

  const discover = (clientId: string, metadata?: Partial<client.ClientMetadata>, auth?: client.ClientAuth) =>
    client.discovery(new URL(server.url), clientId, metadata, auth, {
      execute: [client.allowInsecureRequests],
    });

  return {
    issuer: server.url,
    faults,
    problems,
    phone: createPhoneClient({ phone: `${server.url}/phone`, pairingSecret: PAIRING_SECRET }),
    pairingSecret: PAIRING_SECRET,
    gatewayKey,
    keys,
    database: () => running.database,
    provider: () => running.provider,
    vault: () => running.vault,
    /** Resolves once the token endpoint holds this many polls for a request. */
    polling: async (authReqId: string, count = 1) => {
      while (running.provider.heldPolls(authReqId) < count) await new Promise((resolve) => setImmediate(resolve));
    },
    restart: async () => {
      await running.provider.close();
      running.database.close();
      running = await start();
    },
    close: async () => {
      await running.provider.close();
      await server.close();
      running.database.close();
      rmSync(folder, { recursive: true, force: true });
    },
    discover,
    loginClient: () => discover('trade-agent', { token_endpoint_auth_method: 'none' }, client.None()),
    gatewayClient: () =>
      discover('trade-agent-gateway', {}, client.PrivateKeyJwt({ key: gatewayKey.privateKey, kid: 'gateway' })),
  };
}

export async function signIn(
  world: Pick<World, 'loginClient' | 'phone'>,
  options: { user?: string; scope?: string; resource?: string; device?: string } = {},
) {
  const config = await world.loginClient();
  const keys = await client.randomDPoPKeyPair('ES256');
  const dpop = { DPoP: client.getDPoPHandle(config, keys) };
  const device = await client.initiateDeviceAuthorization(config, {
    scope: options.scope ?? ALL_SCOPES,
    device_name: options.device ?? 'test-laptop',
    ...(options.resource === undefined ? {} : { resource: options.resource }),
  });
  await world.phone.completeDevice(options.user ?? 'alice', device.user_code);
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 }, undefined, dpop);
  return { config, dpop, device, tokens };
}

/** Registers an approval client, which `owner` lets in, and hands out the calls it makes. */
export async function registerApprovalClient(world: World, metadata: Record<string, unknown> = {}, owner = 'alice') {
  const key = await generateKeyPair('ES256', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(key.publicKey)), kid: 'approval', alg: 'ES256', use: 'sig' };
  const auth = client.PrivateKeyJwt({ key: key.privateKey, kid: 'approval' });
  const { token } = await world.phone.registrationToken(owner);
  const config = await client.dynamicClientRegistration(
    new URL(world.issuer),
    {
      client_name: 'trade-agent on test-laptop',
      grant_types: [CIBA],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      backchannel_token_delivery_mode: 'poll',
      authorization_details_types: ['trade_order'],
      dpop_bound_access_tokens: true,
      jwks: { keys: [jwk] },
      ...metadata,
    } as Partial<client.ClientMetadata>,
    auth,
    { execute: [client.allowInsecureRequests], initialAccessToken: token },
  );
  const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
  return {
    config,
    auth,
    jwk,
    ask: (details: unknown, parameters: Record<string, string> = {}) =>
      client.initiateBackchannelAuthentication(config, {
        scope: 'openid orders:write',
        login_hint: owner,
        ...describedAs(details),
        authorization_details: JSON.stringify(Array.isArray(details) ? details : [details]),
        resource: RESOURCE,
        ...parameters,
      }),
    poll: (authReqId: string, parameters: Record<string, string> = {}) =>
      client.genericGrantRequest(config, CIBA, { auth_req_id: authReqId, ...parameters }, dpop),
  };
}

/** The binding message of what may be an order; none for what is no order at all. */
function describedAs(details: unknown): { binding_message?: string } {
  const order = tradeOrderDetailsSchema.safeParse(details).data;
  return order === undefined ? {} : { binding_message: orderBindingText(toOrderDraft(order)) };
}
export type ApprovalClient = Awaited<ReturnType<typeof registerApprovalClient>>;

export const draft = (changes: Partial<OrderDraft> = {}): OrderDraft =>
  anOrderDraft({
    reference_price: '179.50',
    client_order_id: `ta-${randomUUID().replaceAll('-', '')}`,
    expires_at: formatUtcSeconds(Date.now() + 300_000),
    ...changes,
  });

export function details(changes: Partial<OrderDraft> = {}): TradeOrderDetails {
  return buildTradeOrderDetails(draft(changes), { gateway: RESOURCE });
}

export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof client.ResponseBodyError) return error.error;
    if (error instanceof client.AuthorizationResponseError) return error.error;
    throw error;
  }
  throw new Error('it was not refused');
}
