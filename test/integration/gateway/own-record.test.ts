import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCheckpointReader } from '../../../src/approval/checkpoints/checkpoint-reader.ts';
import { deriveReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { createAuditLogReader } from '../../../src/gateway/record/audit-log-reader.ts';
import { readSandboxSecret } from '../../../src/sandbox/stored-secret.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { writtenLines } from '../../fixtures/record-lines.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';

let world: CliWorld;
let database: Database.Database;
let now = 1_000_000;
beforeAll(async () => {
  world = await openCliWorld();
  await world.login();
  await world.run(['run', 'buy 1 KO limit 20 gtc', '--approval', 'detach']);
  await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '20s']);
  const { home } = world.sandbox.ready;
  database = new Database(join(home, 'gateway.db'));
});
afterAll(async () => {
  database?.close();
  await world?.close();
});

const record = () =>
  createAuditLogReader(
    createSqliteGatewayStores(database),
    async () => {
      const { jwk } = await deriveReceiptKey(readSandboxSecret(world.sandbox.ready.home) ?? '');
      return createCheckpointReader({ keys: [jwk] });
    },
    { now: () => now },
  );
const inTree = () => expect.poll(() => createSqliteGatewayStores(database).audit.pendingCount()).toBe(0);

it('has a person’s own lines alone, newest first, without how the provider was asked', async () => {
  await expect.poll(async () => (await record().lines('alice', 100)).map(({ event }) => event)).toContain('executed');
  await inTree();
  const lines = await record().lines('alice', 100);
  expect(lines.map(({ event }) => event).reverse()).toEqual(
    expect.arrayContaining(['key_enrolled', 'proposed', 'requested', 'signed', 'approved', 'executed']),
  );
  expect(new Set(lines.map(({ sub }) => sub))).toEqual(new Set(['alice']));
  const leaves = lines.map(({ leaf }) => leaf ?? -1);
  expect(leaves).toEqual(leaves.toSorted((a, b) => b - a));
  const all = JSON.stringify(writtenLines(database));
  expect(all).toContain('auth_req_hash');
  expect(all).not.toContain('auth_req_id');
  expect(JSON.stringify(lines)).not.toContain('auth_req_hash');
  expect(await record().lines('alice', 2)).toEqual(lines.slice(0, 2));
  expect(await record().lines('mallory', 100)).toEqual([]);
});

it('is found out once a line of it was changed, by one that had verified it before, too', async () => {
  await inTree();
  const kept = record();
  const whole = await kept.verify();
  expect(whole).toMatchObject({ ok: true });
  const change = (from: string, to: string) =>
    database.prepare('UPDATE record_lines SET line = replace(line, ?, ?)').run(from, to);
  change('"KO"', '"GM"');
  expect(await record().verify()).toMatchObject({ ok: false, what: 'changed' });
  now += 60_001;
  expect(await kept.verify()).toMatchObject({ ok: false, what: 'changed' });
  change('"GM"', '"KO"');
  now += 60_001;
  expect(await kept.verify()).toMatchObject({ ok: true });
});
