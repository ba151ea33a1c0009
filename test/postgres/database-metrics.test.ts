import { readFileSync } from 'node:fs';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { createTelemetry } from '../../src/gateway/telemetry/telemetry.ts';
import { systemClock } from '../../src/machine/clock.ts';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { MAX_COUNTED } from '../../src/store/sql/sql-database.ts';
import { plainSigner } from '../fixtures/record-lines.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { drafted } from './support/filled-stores.ts';

const FEW = 10;
const MANY = 20_000;
const SCRAPES = 300;
/** One clock tick of /proc/PID/stat, in milliseconds. */
const TICK_MS = 10;

function measured(stores: GatewayStores) {
  const telemetry = createTelemetry({ version: '0.0.0', clock: systemClock });
  onTestFinished(() => telemetry.close());
  telemetry.database(stores, {
    issuer: 'https://id.example',
    clock: systemClock,
  });
  telemetry.stores(stores);
  return async () => {
    const lines = (await telemetry.metrics()).split('\n').filter((line) => line.startsWith('trade_agent_'));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  };
}

withPostgres('the metrics of a database', () => {
  const server = blockDatabase(gatewaySchema);
  const sql = (...texts: string[]) => runSql(server.superuser, `SET search_path = ${gatewaySchema.name}`, ...texts);
  const opened = new Map<number, TenantDatabase>();
  const storesOf = (count: number) => postgresGatewayStores(opened.get(count) as TenantDatabase);

  beforeAll(async () => {
    for (const count of [FEW, MANY]) {
      const tenant = newTenant();
      const database = await server.open(tenant);
      opened.set(count, database);
      const stores = await postgresGatewayStores(database);
      await drafted(stores, 'pr_1', Date.now());
      const copy = `jsonb_populate_record(p, jsonb_build_object(
        'id', 'pr_x' || n, 'subject_id', 'ta-' || n, 'version', p.version + n, 'place', p.version + n,
        'state', 'requested', 'due_at', now() + interval '1 hour'))`;
      await sql(
        `INSERT INTO proposals SELECT (${copy}).* FROM proposals p, generate_series(1, ${count - 1}) n
         WHERE tenant = '${tenant}'`,
      );
    }
    await sql('VACUUM ANALYZE proposals');
  });

  it('are its pools, its locks, its clock, and what waits in it', async () => {
    const database = opened.get(FEW) as TenantDatabase;
    const scrape = measured(await storesOf(FEW));
    await sql(
      `UPDATE proposals SET due_at = now() - interval '90 seconds' WHERE tenant = '${database.tenant}' AND id = 'pr_1'`,
    );
    const first = await scrape();
    expect(first).toMatchObject({
      trade_agent_database_read: 1,
      'trade_agent_database_pool_max{pool="synced"}': 8,
      'trade_agent_database_pool_waiting{pool="synced"}': 0,
      trade_agent_database_lock_waits: 0,
      trade_agent_proposals_open: FEW,
      trade_agent_proposals_claimed: 0,
      trade_agent_notifications_unsent_age_seconds: 0,
      trade_agent_audit_log_pending_lines: 1,
    });
    expect(first.trade_agent_proposals_due_age_seconds).toBeGreaterThanOrEqual(90);
    expect(Math.abs(first['trade_agent_clock_ahead_seconds{of="database"}'] ?? 1)).toBeLessThan(1);
  });

  it('say which connections wait for a lock, while all of the pool’s do', async () => {
    const database = opened.get(FEW) as TenantDatabase;
    const storesOfFew = storesOf(FEW);
    const scrape = measured(await storesOfFew);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: locked, resolve: lock } = Promise.withResolvers<void>();
    const update = `UPDATE record_tree SET size = size`;
    const { audit } = await storesOfFew;
    await audit.sequence(plainSigner, true);
    const holder = database.write(async (unit) => {
      await unit.run(update);
      lock();
      await released;
    });
    await locked;
    // They wait for at most five seconds, and a scrape takes two.
    const waiters = Promise.allSettled(Array.from({ length: 10 }, () => database.write((unit) => unit.run(update))));
    await expect.poll(() => database.pools()[0]).toMatchObject({ inUse: 8, waiting: 3 });
    const { connections } = await storesOfFew;
    await expect.poll(() => connections?.lockWaits()).toBe(7);
    const metrics = await scrape();
    release();
    await Promise.all([holder, waiters]);
    expect(metrics).toMatchObject({
      trade_agent_database_lock_waits: 7,
      'trade_agent_database_pool_in_use{pool="synced"}': 8,
      'trade_agent_database_pool_size{pool="synced"}': 8,
      'trade_agent_database_pool_waiting{pool="synced"}': 3,
      // The main pool doesn't answer in time, and the rest is left out.
      trade_agent_database_read: 0,
    });
    expect(metrics).not.toHaveProperty('trade_agent_audit_log_pending_lines');
    expect(await scrape()).toMatchObject({ trade_agent_database_lock_waits: 0, trade_agent_database_read: 1 });
  });

  it(`cost the same with ${MANY} open proposals as with ${FEW}`, async () => {
    /** CPU time in milliseconds of this process and of the database's own for all of its connections. */
    const cpu = async () => {
      const [, rows] = await sql(
        'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      const ticks = (rows?.rows ?? []).map(({ pid }) => {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return Number(fields[11]) + Number(fields[12]);
      });
      const own = process.cpuUsage();
      return (own.user + own.system) / 1000 + TICK_MS * ticks.reduce((sum, one) => sum + one, 0);
    };
    const scrapes = new Map([
      [FEW, measured(await storesOf(FEW))],
      [MANY, measured(await storesOf(MANY))],
    ]);
    const costs = new Map([
      [FEW, 0],
      [MANY, 0],
    ]);
    for (const scrape of scrapes.values()) for (let n = 0; n < 20; n++) await scrape();
    // In turns, so that whatever else the machine does costs both.
    for (let round = 0; round < 6; round++) {
      for (const [count, scrape] of scrapes) {
        const before = await cpu();
        for (let n = 0; n < SCRAPES / 6; n++)
          expect(await scrape()).toMatchObject({
            trade_agent_database_read: 1,
            trade_agent_proposals_open: Math.min(count, MAX_COUNTED),
          });
        costs.set(count, (costs.get(count) ?? 0) + (await cpu()) - before);
      }
    }
    const [few = 0, many = 0] = [costs.get(FEW), costs.get(MANY)];
    console.log(`a scrape: ${few / SCRAPES} ms of CPU with ${FEW} open proposals, ${many / SCRAPES} ms with ${MANY}`);
    expect(many / few).toBeLessThan(1.5);
  });
});
