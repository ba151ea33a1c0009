import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { onTestFinished } from 'vitest';
import { type McpServerConfig, mcpServerSchema } from '../../../src/config/mcp-servers.ts';
import type { McpServerAccess, McpServerLimits } from '../../../src/mcp/client/server-access.ts';
import type { McpCredentialStore } from '../../../src/secrets/places/mcp-credentials.ts';
import { foreignServer } from './foreign-server.ts';

const program = fileURLToPath(new URL('foreign-server.ts', import.meta.url));

/** Ended with the test. */
export function child(mode: string, more: Partial<McpServerConfig> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-child-'));
  const pidFile = join(folder, 'pid');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = mcpServerSchema.parse({
    command: process.execPath,
    args: [program, mode, pidFile],
    ...more,
  });
  const isAlive = () => {
    try {
      return process.kill(Number(readFileSync(pidFile, 'utf8')), 0);
    } catch {
      return false;
    }
  };
  return { server, isAlive };
}

export async function overHttp(mode: string, more: Partial<McpServerConfig> = {}): Promise<McpServerConfig> {
  const handler = createMcpHandler(() => foreignServer(mode));
  return await listening(
    getRequestListener((request) => handler.fetch(request)),
    more,
  );
}

export async function listening(
  listener: RequestListener,
  more: Partial<McpServerConfig> = {},
): Promise<McpServerConfig> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return mcpServerSchema.parse({ url: `http://127.0.0.1:${port}/mcp`, ...more });
}

export function credentialsInMemory(values: Record<string, string> = {}): McpCredentialStore {
  return {
    read: async () => ({ ...values }),
    change: async (apply) => apply(values),
    exclusively: (work) => work(),
  };
}

/** Long enough for Node to start on a busy machine, where nothing hangs. */
const generous: McpServerLimits = { probeMs: 20_000, connectMs: 25_000, listMs: 20_000, callMs: 20_000 };

export function access(server: McpServerConfig, limits: Partial<McpServerLimits> = {}): McpServerAccess {
  return {
    ...{ name: 'news', server, fetch, env: process.env, version: '0.0.0' },
    credentials: credentialsInMemory(),
    limits: { ...generous, ...limits },
  };
}
