import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { exportJWK, type GenerateKeyPairResult, SignJWT } from 'jose';
import { afterAll, beforeAll } from 'vitest';
import { CONNECT_PATH } from '../../../src/home/identity-provider/protocol/protocol.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { createMcpMount } from '../../../src/mcp/http/mcp-mount.ts';
import { MCP_SCOPES } from '../../../src/oauth/scopes.ts';
import type { SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import { type ProposalWorld, startProposalWorld } from '../approval/world.ts';

/** Somebody else's agent, twice; each is registered with the provider beforehand. */
export const clients = ['helper-bot', 'other-bot'] as const;
type ClientId = (typeof clients)[number];

export interface McpWorld extends ProposalWorld {
  /** For `/mcp` by default; the person allows it on their phone. */
  token(
    client: ClientId,
    user: 'alice' | 'bob',
    options?: { scopes?: readonly string[]; resource?: string; dpop?: GenerateKeyPairResult },
  ): Promise<string>;
  /** By the official SDK. */
  connect(token: string, options?: ConnectOptions): Promise<Client>;
  readonly url: string;
}

interface ConnectOptions {
  readonly version?: '2026-07-28' | '2025-11-25' | '2025-06-18';
  readonly capabilities?: ConstructorParameters<typeof Client>[1] extends infer O
    ? O extends { capabilities?: infer C }
      ? C
      : never
    : never;
}

const proofOf = async ({ publicKey, privateKey }: GenerateKeyPairResult, htu: string) =>
  new SignJWT({ htm: 'POST', htu, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);

type McpWorldOptions = Partial<SandboxOptions> & { holdMs?: number; readOnly?: boolean; mcpClock?: Clock };

export async function startMcpWorld(options: McpWorldOptions = {}): Promise<McpWorld> {
  const { holdMs = 20_000, readOnly = false, mcpClock = systemClock, ...sandbox } = options;
  const world = await startProposalWorld({
    mounts: [
      createMcpMount({
        ...{ version: '0.0.0', readOnly, clock: mcpClock, environment: 'paper', holdMs },
        connectPath: CONNECT_PATH,
      }),
    ],
    knownClients: clients.map((id) => ({
      client_id: id,
      client_name: id,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
      scope: 'openid profile email offline_access',
    })),
    ...sandbox,
  });
  const issuer = () => world.sandbox.ready.issuer;
  const post = async (path: string, body: Record<string, string>, dpop?: GenerateKeyPairResult) => {
    const url = `${issuer()}${path}`;
    const headers: Record<string, string> = dpop === undefined ? {} : { dpop: await proofOf(dpop, url) };
    const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(body) });
    return (await response.json()) as Record<string, string>;
  };
  const open: Client[] = [];
  const self: Omit<McpWorld, keyof ProposalWorld> = {
    get url() {
      return `${issuer()}/mcp`;
    },
    async token(client, user, { scopes = MCP_SCOPES, resource = `${issuer()}/mcp`, dpop } = {}) {
      const scope = ['openid', ...scopes].join(' ');
      const begun = await post('/device/code', { client_id: client, scope, resource });
      if (begun.user_code === undefined) throw new Error(JSON.stringify(begun));
      await world.phone.completeDevice(user, begun.user_code);
      const answer = await post(
        '/token',
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          device_code: begun.device_code ?? '',
          client_id: client,
          resource,
        },
        dpop,
      );
      if (answer.access_token === undefined) throw new Error(JSON.stringify(answer));
      return answer.access_token;
    },
    async connect(token, { version = '2026-07-28', capabilities = {} } = {}) {
      const mode = version === '2026-07-28' ? { pin: version } : 'legacy';
      const client = new Client({ name: 'test-client', version: '1' }, {
        capabilities,
        versionNegotiation: { mode },
      } as never);
      await client.connect(
        new StreamableHTTPClientTransport(new URL(self.url), {
          requestInit: { headers: { authorization: `Bearer ${token}` } },
        }),
      );
      open.push(client);
      return client;
    },
  };
  const close = async () => {
    await Promise.all(open.map((client) => client.close()));
    await world.close();
  };
  return Object.create(world, {
    ...Object.getOwnPropertyDescriptors(self),
    close: { value: close },
  }) as McpWorld;
}

/** The world of a file's tests, and the token of alice's `helper-bot`, once the tests run. */
export function sharedMcpWorld(options: McpWorldOptions = {}) {
  let started: McpWorld | undefined;
  const tokens = { alice: '' };
  beforeAll(async () => {
    started = await startMcpWorld(options);
    tokens.alice = await started.token('helper-bot', 'alice');
  });
  afterAll(() => started?.close());
  const world = new Proxy({} as McpWorld, { get: (_, name) => Reflect.get(started as McpWorld, name) });
  return { world, tokens };
}

export type Facts = Record<string, unknown> & { status: string; code: string; proposal_id: string };

export const factsOf = (result: unknown) => (result as { structuredContent: Facts }).structuredContent;
