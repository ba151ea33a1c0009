import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { createDataKeys } from '../../../src/secrets/envelope/data-keys.ts';
import { createSecretSeal } from '../../../src/secrets/envelope/secret-seal.ts';
import { addWrappingKey, openFileKms } from '../../../src/secrets/kms/file-kms.ts';
import type { PersonCredentialStore } from '../../../src/server/sessions/exchanging-sessions.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresCredentialStore } from '../../../src/store/postgres/state/credential-store.ts';
import { postgresDataKeyRows } from '../../../src/store/postgres/state/data-key-rows.ts';
import type { TenantDatabase } from '../../../src/store/postgres/tenant-database.ts';
import { createServerWorld, type ServerWorld } from '../../integration/server/server-world.ts';
import { blockDatabase, runSql, withPostgres } from '../support/database.ts';
import type { WorkerTask } from './away-worker.ts';

const OFFLINE = 'openid offline_access market:read portfolio:read orders:read orders:propose';

withPostgres('people’s sessions at a server', () => {
  const server = blockDatabase(stateSchema);
  let folder: string;
  let database: TenantDatabase;
  let world: ServerWorld;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-sessions-'));
    await addWrappingKey(join(folder, 'keys.json'));
    database = await server.open();
    world = await createServerWorld(credentials());
  });
  afterAll(async () => {
    await world?.close();
    rmSync(folder, { recursive: true });
  });

  /** As a process opens them: with no key unwrapped yet. */
  const credentials = (): ((sub: string) => PersonCredentialStore) => {
    const keys = createDataKeys(
      openFileKms(join(folder, 'keys.json')),
      postgresDataKeyRows(() => database),
      systemClock,
    );
    const seal = createSecretSeal(keys);
    return (sub) => postgresCredentialStore({ database, sub, seal });
  };

  it('stand in no row in clear: neither what was brought, nor the grant, nor the key', async () => {
    const laptop = await world.laptop('alice', OFFLINE);
    await world.sessions.grantOffline(laptop.caller(), laptop.tokens.access_token);
    const kept = await credentials()('alice').get(['session', 'subject_token', 'refresh_token', 'dpop_key']);
    const { d } = JSON.parse(kept.dpop_key ?? '{}');
    const secrets = [laptop.tokens.access_token, kept.refresh_token, d, JSON.parse(kept.session ?? '{}').issuer];
    expect(secrets.every((secret) => typeof secret === 'string' && secret.length > 20)).toBe(true);

    const tables = (
      await runSql(server.superuser, `SELECT tablename FROM pg_tables WHERE schemaname = '${stateSchema.name}'`)
    )[0]?.rows as { tablename: string }[];
    const dumped = await Promise.all(
      tables.map(async ({ tablename }) => {
        const [result] = await runSql(
          server.superuser,
          `SELECT one::text FROM ${stateSchema.name}.${tablename} AS one`,
        );
        return (result?.rows ?? []).map(({ one }: { one: string }) => one);
      }),
    );
    const dump = dumped.flat().join('\n');
    expect(dump).toContain('subject_token');
    for (const secret of secrets) {
      for (const form of ['utf8', 'hex', 'base64', 'base64url'] as const)
        expect(dump).not.toContain(Buffer.from(secret).toString(form).replace(/=+$/, ''));
    }
  });

  it('are renewed by two processes at the same time, again and again, and the grant stands', async () => {
    const laptop = await world.laptop('bob', OFFLINE);
    await world.sessions.grantOffline(laptop.caller(), laptop.tokens.access_token);
    // Only the grant is left.
    await credentials()('bob').delete(['subject_token']);
    const { issuer, gateway } = world.sandbox.ready;
    const task: WorkerTask = {
      address: server.app,
      tenant: database.tenant,
      keys: join(folder, 'keys.json'),
      person: 'bob',
      rounds: 6,
      ...{ issuer, gateway, privateKey: world.server.privateJwk, client: world.server.client_id },
    };
    const told = await Promise.all([awayWorker(task), awayWorker(task)]);
    expect(told).toEqual([Array(6).fill(200), Array(6).fill(200)]);
    const session = await world.sessionsOver(credentials()).forPerson('bob');
    expect((await session.fetch(`${gateway}/v1/clock`, {}, ['market:read', 'orders:propose'])).status).toBe(200);
  });
});

/** A worker in a process of its own. @returns what the gateway answered, round by round */
async function awayWorker(task: WorkerTask): Promise<unknown> {
  const program = fileURLToPath(new URL('./away-worker.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
  let [out, wrong] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    wrong += chunk;
  });
  child.stdin.end(JSON.stringify(task));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the worker ended with ${code}: ${wrong}`);
  return JSON.parse(out);
}
