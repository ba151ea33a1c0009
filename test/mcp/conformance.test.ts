import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/machine/clock.ts';
import { createMcpEndpoint } from '../../src/mcp/http/mcp-endpoint.ts';
import { createMcpMount } from '../../src/mcp/http/mcp-mount.ts';
import type { MountedCaller } from '../../src/mcp/http/mounted-caller.ts';
import { type McpWorld, startMcpWorld } from '../integration/mcp/mcp-world.ts';
import { bearerProxy } from './bearer-proxy.ts';
import { fixtureServer } from './fixture-server.ts';

const suite = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);
const isFull = process.env.MCP_CONFORMANCE === 'full';

/** The header of requests to the product. */
const PRODUCT = 'x-product';

let world: McpWorld;
/** The way to the fixture, and that to the product. */
let [proxy, product]: Awaited<ReturnType<typeof bearerProxy>>[] = [];
let folder: string;
beforeAll(async () => {
  const mount = createMcpMount({ version: '0', readOnly: false, clock: systemClock, environment: 'paper' });
  const serve = createMcpEndpoint((_caller: MountedCaller, context) => fixtureServer(context), followAll);
  const either: typeof mount.serve = (request, caller) =>
    request.headers.has(PRODUCT) ? mount.serve(request, caller) : serve(request, caller);
  world = await startMcpWorld({ mounts: [{ ...mount, serve: either }] });
  const token = await world.token('helper-bot', 'alice');
  [proxy, product] = [await bearerProxy(world.url, token), await bearerProxy(world.url, token, { [PRODUCT]: '1' })];
  folder = mkdtempSync(join(tmpdir(), 'mcp-conformance-'));
});
afterAll(async () => {
  proxy?.close();
  product?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => runAt(proxy, ...args);

async function runAt(
  endpoint: typeof proxy,
  ...args: string[]
): Promise<{ readonly code: number; readonly text: string }> {
  const all = [suite, 'server', '--url', endpoint?.url ?? '', ...args];
  return promisify(execFile)(process.execPath, all, { cwd: folder, maxBuffer: 64 * 2 ** 20 }).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

/** Follows every resource, none of which ever changes. */
const followAll = async (_: MountedCaller, uris: readonly string[], signal: AbortSignal) => ({
  uris,
  updates: (async function* (): AsyncGenerator<string> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  })(),
});

describe.runIf(isFull)('the whole conformance suite of a server', () => {
  it('of 2026-07-28 passes, with every scenario of tasks', async () => {
    const { code, text } = await run('--requirements', '2026-07-28');
    const summary = text.split('=== SUMMARY')[1] ?? text;
    expect(code, summary).toBe(0);
    expect(summary).not.toMatch(/✗ tasks-/);
    expect(summary.match(/✓ tasks-[a-z-]+ \(extension\)/g)).toHaveLength(10);
  }, 600_000);

  it('of 2025-11-25 passes', async () => {
    const { code, text } = await run('--requirements', '2025-11-25');
    const summary = text.split('=== SUMMARY')[1] ?? text;
    expect(code, summary).toBe(0);
    expect(summary).toMatch(/^Total: \d+ passed, 0 failed$/m);
  }, 600_000);
});

describe.runIf(!isFull)('of the conformance suite', () => {
  it.each([
    ['2026-07-28', 'server-stateless'],
    ['2026-07-28', 'tasks-lifecycle'],
    ['2025-11-25', 'tools-call-with-progress'],
    ['2025-11-25', 'tools-call-elicitation'],
    ['2025-11-25', 'server-sse-multiple-streams'],
  ])(
    'a short cut passes: %s %s',
    async (revision, scenario) => {
      const { code, text } = await run('--spec-version', revision, '--scenario', scenario);
      expect(code, text.slice(-6_000)).toBe(0);
    },
    60_000,
  );
});

describe('of the conformance suite, the scenarios that need no fixture', () => {
  it.each([
    ['2026-07-28', 'tools-list'],
    ['2026-07-28', 'resources-list'],
    ['2026-07-28', 'sep-2164-resource-not-found'],
    ['2026-07-28', 'prompts-list'],
    ['2026-07-28', 'completion-complete'],
    ['2026-07-28', 'caching'],
    ['2025-11-25', 'resources-list'],
    ['2025-11-25', 'prompts-list'],
    ['2025-11-25', 'completion-complete'],
  ])(
    'are passed by the product: %s %s',
    async (revision, scenario) => {
      const { code, text } = await runAt(product, '--spec-version', revision, '--scenario', scenario);
      expect(code, text.slice(-6_000)).toBe(0);
    },
    60_000,
  );
});
