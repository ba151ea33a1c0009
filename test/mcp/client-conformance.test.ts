import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const suite = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);
const client = fileURLToPath(new URL('conformance-client.ts', import.meta.url));
const isFull = process.env.MCP_CONFORMANCE === 'full';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-client-conformance-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  const all = [suite, 'client', '--command', `${process.execPath} ${client}`, ...args];
  return promisify(execFile)(process.execPath, all, { cwd: folder, maxBuffer: 64 * 2 ** 20 }).then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

describe.runIf(isFull)('the whole conformance suite of a client', () => {
  // It starts all scenarios at once: on a busy machine each takes its time.
  it('of 2026-07-28 passes, 32 of 32, and both scenarios of DPoP', async () => {
    const { code, text } = await run('--requirements', '2026-07-28', '--timeout', '200000');
    const summary = text.split('=== SUITE SUMMARY')[1] ?? text;
    expect(code, summary).toBe(0);
    const required = summary.split('Not scored')[0] ?? '';
    const passed = [...required.matchAll(/^✓ ([\w./-]+):/gm)].map(([, name = '']) => name);
    expect(passed.filter((name) => !/^auth\/dpop/.test(name))).toHaveLength(32);
    expect(passed).toEqual(expect.arrayContaining(['auth/dpop', 'auth/dpop-nonce']));
  }, 300_000);
});

describe.runIf(!isFull)('of the conformance suite of a client', () => {
  it.each(['tools_call', 'auth/authorization-server-migration', 'auth/dpop-nonce'])(
    'a short cut passes: %s',
    async (scenario) => {
      const { code, text } = await run('--spec-version', '2026-07-28', '--force', '--scenario', scenario);
      expect(code, text.slice(-6_000)).toBe(0);
    },
    60_000,
  );
});
