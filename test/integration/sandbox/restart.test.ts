import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';

function folder() {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-restart-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const withDatabase = <T>(name: string, work: (database: Database.Database) => T): T => {
    const database = new Database(join(home, `${name}.db`));
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const column = (database: string, sql: string) => withDatabase(database, (open) => open.prepare(sql).pluck().all());
  return {
    home,
    change: (database: string, sql: string) => withDatabase(database, (open) => open.exec(sql)),
    connected: () => column('identity-provider', 'SELECT username FROM vault_connections ORDER BY username'),
    phones: () => column('gateway', 'SELECT sub FROM signing_keys WHERE removed_at IS NULL ORDER BY sub'),
    keyPairs: () => column('gateway', 'SELECT sub FROM broker_keys ORDER BY sub'),
  };
}

it('everybody starts with the broker connected, once: what was disconnected stays so', async () => {
  const { home, change, connected } = folder();
  await (await startSandbox({ home, port: 0 })).close();
  expect(connected()).toEqual(['alice', 'bob']);
  // As `connections remove broker` of bob's leaves it.
  change('identity-provider', `DELETE FROM vault_connections WHERE username = 'bob'`);
  await (await startSandbox({ home, port: 0 })).close();
  expect(connected()).toEqual(['alice']);
});

it('a sandbox starts again after one of its people was removed, who stays so', async () => {
  const { home, phones, keyPairs } = folder();
  const first = await startSandbox({ home, port: 0 });
  expect([phones(), keyPairs()]).toEqual([
    ['alice', 'bob'],
    ['alice', 'bob'],
  ]);
  await first.people.remove('bob');
  await expect.poll(() => [phones(), keyPairs()]).toEqual([['alice'], ['alice']]);
  await first.close();
  const again = await startSandbox({ home, port: 0 });
  expect((await again.people.list()).map(({ username }) => username)).toEqual(['alice']);
  await again.close();
  expect([phones(), keyPairs()]).toEqual([['alice'], ['alice']]);
});

it('a sandbox starts again after a terminal phone was removed, which stays so', async () => {
  const { home, change, phones } = folder();
  await (await startSandbox({ home, port: 0 })).close();
  // As another of bob's keys signs it on the page of his authenticators.
  change('gateway', `UPDATE signing_keys SET removed_at = 1 WHERE sub = 'bob'`);
  await (await startSandbox({ home, port: 0 })).close();
  expect(phones()).toEqual(['alice']);
});

it('a sandbox that closes answers whoever waits, and reads from no closed database', async () => {
  const { home } = folder();
  const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  onTestFinished(() => said.mockRestore());
  const sandbox = await startSandbox({ home, port: 0 });
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
