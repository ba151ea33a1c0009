import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';

it('everybody starts with the broker connected, once: what was disconnected stays so', async () => {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-seed-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const connected = (change?: string) => {
    const database = new Database(join(home, 'identity-provider.db'));
    try {
      if (change !== undefined) database.exec(change);
      return database
        .prepare('SELECT user || $at || connection FROM vault_connections ORDER BY user')
        .pluck()
        .all({ at: ' at ' });
    } finally {
      database.close();
    }
  };
  await (await startSandbox({ home, port: 0 })).close();
  expect(connected()).toEqual(['alice at paper-broker', 'bob at paper-broker']);
  // As `connections remove broker` of bob's leaves it.
  expect(connected(`DELETE FROM vault_connections WHERE user = 'bob'`)).toEqual(['alice at paper-broker']);
  await (await startSandbox({ home, port: 0 })).close();
  expect(connected()).toEqual(['alice at paper-broker']);
});

it('a sandbox from before connections could be removed keeps its own', async () => {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-seed-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await (await startSandbox({ home, port: 0 })).close();
  const database = new Database(join(home, 'identity-provider.db'));
  database.exec('ALTER TABLE vault_connections DROP COLUMN scopes; DROP TABLE vault_once_connected;');
  const before = database.prepare('SELECT user, sealed_refresh_token FROM vault_connections').all();
  database.close();
  await (await startSandbox({ home, port: 0 })).close();
  const after = new Database(join(home, 'identity-provider.db'));
  expect(after.prepare('SELECT user, sealed_refresh_token FROM vault_connections').all()).toEqual(before);
  expect(after.prepare('SELECT count(*) FROM vault_once_connected').pluck().get()).toBe(2);
  after.close();
});
