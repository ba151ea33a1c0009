import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';

function folder() {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-removed-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  /** Whose of that there is at the gateway. */
  const whose = (table: string, where = 'true') => {
    const database = new Database(join(home, 'gateway.db'), { readonly: true });
    try {
      return database.prepare(`SELECT sub FROM ${table} WHERE ${where} ORDER BY sub`).pluck().all();
    } finally {
      database.close();
    }
  };
  const phones = () => whose('signing_keys', 'removed_at IS NULL');
  return { home, phones, keyPairs: () => whose('broker_keys') };
}

it('a sandbox starts again after one of its people was removed, who stays so', async () => {
  const { home, phones, keyPairs } = folder();
  const first = await startSandbox({ home, port: 0 });
  expect([phones(), keyPairs()]).toEqual([
    ['alice', 'bob'],
    ['alice', 'bob'],
  ]);
  first.people.remove('bob');
  await expect.poll(() => [phones(), keyPairs()]).toEqual([['alice'], ['alice']]);
  await first.close();
  const again = await startSandbox({ home, port: 0 });
  expect(again.people.list().map(({ username }) => username)).toEqual(['alice']);
  await again.close();
  expect([phones(), keyPairs()]).toEqual([['alice'], ['alice']]);
});

it('a sandbox starts again after a terminal phone was removed, which stays so', async () => {
  const { home, phones } = folder();
  await (await startSandbox({ home, port: 0 })).close();
  const database = new Database(join(home, 'gateway.db'));
  // As another of bob's keys signs it on the page of his authenticators.
  database.exec(`UPDATE signing_keys SET removed_at = 1 WHERE sub = 'bob'`);
  database.close();
  await (await startSandbox({ home, port: 0 })).close();
  expect(phones()).toEqual(['alice']);
});
