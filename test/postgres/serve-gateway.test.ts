import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrateDatabase } from '../../src/app/gateway/gateway-database.ts';
import { addGatewayWrappingKey, runGatewayKeyAction } from '../../src/app/gateway/gateway-key.ts';
import { liftGatewayHalt, redateFutureOrders, verifyAuditLog } from '../../src/app/gateway/gateway-record.ts';
import { createClientKey } from '../../src/app/gateway/key-file.ts';
import { type ServedGateway, serveGateway } from '../../src/app/gateway/serve-gateway.ts';
import { ServerLog } from '../../src/app/gateway/server-log.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../src/store/postgres/gateway-database.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import { checkJson } from '../e2e/output-schemas.ts';
import { emptyDatabase, runSql, withPostgres } from './support/database.ts';

withPostgres('a gateway with its data on PostgreSQL', () => {
  let folder: string;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let app: string;
  let env: Record<string, string>;
  let stop: AbortController;
  let serving: Promise<void>[];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-serving-'));
    database = await emptyDatabase();
    const owner = new URL(database.owner);
    const user = `${owner.pathname.slice(1)}_app`;
    owner.searchParams.set('user', user);
    app = owner.href;
    env = { OWNER_URL: database.owner, GATEWAY_URL: app };
    stop = new AbortController();
    serving = [];
    await machine('one');
    await createClientKey(homeOf('one'), 'EC');
  });
  afterEach(async () => {
    stop.abort();
    await Promise.allSettled(serving);
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const homeOf = (name: string) => join(folder, name);
  const placesOf = (name: string) => ({ home: homeOf(name), config: join(homeOf(name), 'gateway.yaml') });
  const machine = async (name: string, where: object = { url_env: 'GATEWAY_URL' }, more: object = {}) => {
    mkdirSync(homeOf(name), { mode: 0o700 });
    const settings = {
      issuer: 'https://id.example',
      resource: 'https://gateway.example',
      environment: 'paper',
      broker: { kind: 'alpaca', credentials: 'key_pair' },
      approval: { registration: true },
      database: where,
      ...more,
    };
    writeFileSync(placesOf(name).config, JSON.stringify(settings));
  };
  const migrated = async () => {
    const done = await migrateDatabase({ env }, placesOf('one'), { url_env: 'OWNER_URL' });
    const user = new URL(app).searchParams.get('user');
    await runSql(database.superuser, `CREATE ROLE ${user} LOGIN IN ROLE ${appRole(gatewaySchema.name)}`);
    return done;
  };
  const serve = (name: string): Promise<ServedGateway> => {
    const { promise, resolve, reject } = Promise.withResolvers<ServedGateway>();
    const parts = {
      clock: systemClock,
      signal: stop.signal,
      log: new ServerLog({ process: 'gateway', format: 'text', write: () => {}, clock: systemClock }),
    };
    const served = serveGateway(parts, {
      ...placesOf(name),
      ...{ env, host: '127.0.0.1', port: 0 },
      ready: async (gateway) => resolve(gateway),
    });
    served.catch(reject);
    serving.push(served);
    return promise;
  };
  const copyKeys = (to: string) => {
    for (const file of ['key.json', 'seal.key']) copyFileSync(join(homeOf('one'), file), join(homeOf(to), file));
  };

  it('serves once its tables are there, on two machines that have the same keys', async () => {
    await expect(serve('one')).rejects.toThrow();
    const steps = gatewaySchema.migrations.length;
    const done = await migrated();
    expect(done).toEqual({ from: 0, to: steps });
    // As "gateway migrate --output json" prints it.
    checkJson(JSON.stringify({ schema: 'trade-agent.gateway-migrate/1', ...done }));
    const first = await serve('one');
    await machine('two', { url_file: 'database-url' });
    writeFileSync(join(homeOf('two'), 'database-url'), `${app}\n`, { mode: 0o600 });
    copyKeys('two');
    const second = await serve('two');
    for (const { url } of [first, second]) expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = (await (await fetch(`${first.url}/readyz`)).json()) as object;
    expect(ready).toMatchObject({ clock_ahead_seconds: { database: expect.closeTo(0, -1) } });
  });

  it('refuses to seal by another key than the gateways that are there', async () => {
    await migrated();
    await serve('one');
    await machine('two');
    await createClientKey(homeOf('two'), 'EC');
    await expect(serve('two')).rejects.toMatchObject({
      code: 'invalid_config',
      message: 'the other gateways on this database use a different seal.key',
    });
  });

  it('has the same keys on each machine, wrapped in the database, where a KMS is set', async () => {
    await migrated();
    const kms = { kms: { file: join(folder, 'wrapping-keys.json') } };
    for (const name of ['two', 'three']) await machine(name, undefined, kms);
    const parts = { env, clock: systemClock, fetch };
    await expect(runGatewayKeyAction(parts, placesOf('two'), 'make', 'EC')).rejects.toMatchObject({
      code: 'credential_store_unavailable',
      hint: expect.stringContaining('--add-wrapping-key'),
    });
    expect(await addGatewayWrappingKey(placesOf('three'))).toBe(kms.kms.file);
    await expect(serve('two')).rejects.toMatchObject({ message: expect.stringContaining('have no key') });
    const made = await runGatewayKeyAction(parts, placesOf('two'), 'make', 'EC');
    expect(made).toMatchObject({ status: 'made', file: null });
    checkJson(JSON.stringify({ schema: 'trade-agent.gateway-key/1', ...made }));
    for (const name of ['two', 'three']) {
      expect((await fetch(`${(await serve(name)).url}/healthz`)).status).toBe(200);
      expect((await runGatewayKeyAction(parts, placesOf(name), 'show', 'EC')).jwk).toEqual(made.jwk);
      expect(readdirSync(homeOf(name))).not.toContain('seal.key');
      expect(readdirSync(homeOf(name))).not.toContain('key.json');
    }
    await runGatewayKeyAction(parts, placesOf('three'), 'rotate', 'EC');
    await addGatewayWrappingKey(placesOf('two'));
    await runGatewayKeyAction(parts, placesOf('two'), 'rewrap', 'EC');
    expect((await runGatewayKeyAction(parts, placesOf('three'), 'rotate', 'EC')).jwk).not.toEqual(made.jwk);
    // One with files of its own would seal what nobody else opens.
    await createClientKey(homeOf('one'), 'EC').catch(() => undefined);
    await expect(serve('one')).rejects.toMatchObject({
      message: expect.stringContaining('a different seal.key'),
    });
  });

  it('is looked after at any of its machines: its halts, its orders, its record', async () => {
    await migrated();
    const opened = await openPostgresGatewayDatabase({ address: app, tenant: 'default' });
    const { halts } = await postgresGatewayStores(opened);
    await halts.halt('alice', 'cli', systemClock.now());
    await opened.close();
    const parts = { env, clock: systemClock };
    const { signal } = new AbortController();
    expect(await liftGatewayHalt(parts, placesOf('one'), 'alice')).toMatchObject({
      ended: 'halted',
      state: 'active',
    });
    expect(await redateFutureOrders(parts, placesOf('one'))).toEqual({ orders: 0, newest: null });
    await machine('two');
    for (const name of ['one', 'two']) {
      const app = { ...parts, profile: () => Promise.reject(new Error('none')), fetch, signal };
      expect(await verifyAuditLog(app, placesOf(name), {})).toMatchObject({ ok: true, lines: 0, pending: 2 });
    }
  });

  it('says that the database is away when it goes while the record is verified', async () => {
    await migrated();
    const owner = new pg.Client({ connectionString: database.superuser });
    await owner.connect();
    try {
      await owner.query(`BEGIN; LOCK TABLE ${gatewaySchema.name}.record_tree`);
      const parts = { env, fetch, profile: () => Promise.reject(new Error('none')) };
      const verified = verifyAuditLog({ ...parts, signal: new AbortController().signal }, placesOf('one'), {});
      const outcome = verified.catch((error: unknown) => error);
      // Not by the owner, who sees the sessions as they were when its transaction began.
      const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await expect.poll(async () => (await runSql(database.superuser, end))[0]?.rowCount).toBe(1);
      expect(await outcome).toMatchObject({
        code: 'database_unreachable',
        hint: expect.stringContaining('PostgreSQL'),
      });
    } finally {
      await owner.end();
    }
  });

  it.each([
    ['a variable that is not set', { url_env: 'NOWHERE' }, 'NOWHERE is not set'],
    ['a file that is not there', { url_file: 'none' }, "the database's connection string is missing"],
  ])('says what is missing: %s', async (_, where, message) => {
    await machine('two', where);
    await createClientKey(homeOf('two'), 'EC');
    await expect(serve('two')).rejects.toThrow(message);
  });
});
