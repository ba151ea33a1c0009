import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { App } from '../../../src/app/app.ts';
import { createApp } from '../../../src/app/create-app.ts';
import { listMcpServers } from '../../../src/app/mcp/servers.ts';
import { listModels } from '../../../src/app/model-list.ts';
import { profileNoticeChannels } from '../../../src/app/notices/notice-place.ts';
import { systemClock } from '../../../src/machine/clock.ts';

it.each<[string, (app: App) => Promise<unknown>]>([
  ['the models', (app) => listModels(app, {})],
  ['the notice channels', (app) => profileNoticeChannels(app).channels()],
  ['the MCP servers', (app) => listMcpServers(app)],
])('lists %s in an empty home without starting the sandbox', async (_, list) => {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-empty-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const app = createApp({
    env: { TRADE_AGENT_HOME: home },
    clock: systemClock,
    fetch: async () => Promise.reject(new TypeError('no network')),
    signal: new AbortController().signal,
    tell: (line) => {
      // The sandbox says that it starts before it is started.
      expect(line).not.toMatch(/sandbox…/);
    },
  });
  await list(app);
  await app.close();
  expect(existsSync(join(home, 'sandbox'))).toBe(false);
});
