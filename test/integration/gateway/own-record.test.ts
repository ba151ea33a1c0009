import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCheckpointReader } from '../../../src/approval/checkpoints/checkpoint-reader.ts';
import { createAuditLogReader } from '../../../src/gateway/record/audit-log-reader.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';

let world: CliWorld;
let database: Database.Database;
let file: string;
beforeAll(async () => {
  world = await openCliWorld();
  await world.login();
  await world.run(['run', 'buy 1 KO limit 20 gtc', '--approval', 'detach']);
  await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '20s']);
  const { home } = world.sandbox.ready;
  file = join(home, 'audit.jsonl');
  database = new Database(join(home, 'gateway.db'));
});
afterAll(async () => {
  database?.close();
  await world?.close();
});

const record = () =>
  createAuditLogReader(file, createSqliteGatewayStores(database).audit, async () =>
    createCheckpointReader({ isTrusted: () => true }),
  );

it('has a person’s own lines alone, newest first, without how the provider was asked', async () => {
  await expect.poll(async () => (await record().lines('alice', 100)).map(({ event }) => event)).toContain('executed');
  const lines = await record().lines('alice', 100);
  expect(lines.map(({ event }) => event).reverse()).toEqual(
    expect.arrayContaining(['key_enrolled', 'proposed', 'requested', 'signed', 'approved', 'executed']),
  );
  expect(new Set(lines.map(({ sub }) => sub))).toEqual(new Set(['alice']));
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map(({ seq }) => seq).toSorted((a, b) => b - a));
  expect(readFileSync(file, 'utf8')).toContain('auth_req_hash');
  expect(readFileSync(file, 'utf8')).not.toContain('auth_req_id');
  expect(JSON.stringify(lines)).not.toContain('auth_req_hash');
  expect(await record().lines('alice', 2)).toEqual(lines.slice(0, 2));
  expect(await record().lines('mallory', 100)).toEqual([]);
});

it('is found out once a line of it was changed, by one that had verified it before, too', async () => {
  const kept = record();
  const whole = await kept.verify();
  expect(whole).toMatchObject({ ok: true });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"KO"', '"GM"'));
  expect(await kept.verify()).toMatchObject({ ok: false, what: 'changed' });
  writeFileSync(file, text);
  expect(await kept.verify()).toMatchObject({ ok: true });
});
