import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';

it('a sandbox that closes answers whoever waits, and reads from no closed database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-closing-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  onTestFinished(() => said.mockRestore());
  const sandbox = await startSandbox({ home: folder, port: 0 });
  const before = sandbox.lastRequestAt();
  const waiting = fetch(`${sandbox.ready.phone}/api/requests?user=alice&wait=30`, {
    headers: { authorization: `Bearer ${sandbox.pairingSecret}` },
    signal: AbortSignal.timeout(10_000),
  });
  await expect.poll(() => sandbox.lastRequestAt(), { interval: 1 }).toBeGreaterThan(before);
  const [response] = await Promise.all([waiting, sandbox.close()]);
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual([]);
  expect(said).not.toHaveBeenCalled();
});
