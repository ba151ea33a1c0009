import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { drafted } from './support/filled-stores.ts';
import { widened } from './support/widened.ts';

/** `npm run test:migrations` has a million. */
const ROWS = Number(process.env.MIGRATION_ROWS ?? 20_000);
/** For a call of the stores, in milliseconds. Other tests run beside the suite's few rows. */
const LONGEST_MS = ROWS < 1_000_000 ? 5_000 : 1_000;
/** How many of the rows that are migrated are changed meanwhile, before the one that is held. */
const MIGRATED_IN_USE = 1_000;
const HELD = `pr_waits${ROWS / 2}`;
const TIMEOUT_MS = 60_000 + ROWS * 2;
const PROGRAM = fileURLToPath(new URL('support/widened.ts', import.meta.url));

const ENDED = { state: 'cancelled', token: 'erased' } as const;
const NOTE = { event: 'cancelled', facts: {} } as const;

/** Calls stores until it is stopped, and keeps how long each call took. */
function startUse(round: (timed: <T>(call: () => Promise<T>) => Promise<T>, n: number) => Promise<unknown>) {
  const times: number[] = [];
  const failures: unknown[] = [];
  let isStopped = false;
  const timed = async <T>(call: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    try {
      return await call();
    } finally {
      times.push(performance.now() - started);
    }
  };
  const use = async () => {
    for (let n = 0; !isStopped; n++) await round(timed, n);
  };
  const used = use().catch((error: unknown) => void failures.push(error));
  return {
    async stop() {
      isStopped = true;
      await used;
      return { times, failures };
    },
  };
}

/** Drafts a proposal and ends it. */
const draft =
  (stores: GatewayStores): Parameters<typeof startUse>[0] =>
  async (timed, n) => {
    const one = await timed(() => drafted(stores, `pr_new${n}`, 1000));
    await timed(() => stores.proposals.change(one, { ...one, ...ENDED }, NOTE, { now: 1001 }));
  };

/** Looks at proposals that are migrated, and ends one that still waits. */
const change =
  ({ proposals }: GatewayStores): Parameters<typeof startUse>[0] =>
  async (timed, n) => {
    await timed(() => proposals.list({ sub: `person-${n % (ROWS / 20)}`, state: 'open' }));
    const one = await timed(() => proposals.get(`pr_waits${1 + (n % MIGRATED_IN_USE)}`));
    if (one?.state !== 'requested') return;
    await timed(() => proposals.change(one, { ...one, ...ENDED }, NOTE, { now: 1001 }));
  };

withPostgres(`a table of ${ROWS} proposals`, () => {
  const server = blockDatabase(gatewaySchema);
  const path = `SET search_path = ${gatewaySchema.name}`;
  let holder: pg.Client;
  const migrators: ChildProcess[] = [];
  const rows = async (sql: string) => (await runSql(server.superuser, path, sql))[1]?.rows;

  const tenant = newTenant();
  const open = async () => postgresGatewayStores(await server.open(tenant));

  beforeAll(async () => {
    holder = new pg.Client(server.superuser);
    await holder.connect();
    await holder.query(path);
    await drafted(await open(), 'pr_1', 1000);
    const copy = `jsonb_populate_record(p, jsonb_build_object(
      'id', 'pr_waits' || n, 'sub', 'person-' || n / 20, 'subject_id', 'ta-waits-' || n, 'fingerprint', 'f-' || n,
      'state', 'requested', 'auth_req_id', 'waits-' || n, 'version', p.version + n, 'place', p.version + n,
      'due_at', now() + n * interval '1 second' - interval '1 minute'))`;
    await runSql(
      server.superuser,
      path,
      `INSERT INTO proposals SELECT one.* FROM proposals p, generate_series(1, ${ROWS}) n, ${copy} one`,
      `SELECT setval('proposal_versions', ${2 * ROWS})`,
      `CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$`,
      `CREATE TRIGGER held BEFORE UPDATE ON proposals FOR EACH ROW WHEN (NEW.id = '${HELD}') EXECUTE FUNCTION held()`,
      'ANALYZE',
    );
  }, TIMEOUT_MS);
  afterAll(async () => {
    for (const child of migrators) child.kill('SIGKILL');
    await holder.end();
  });

  /** Starts a program that migrates, and kills it when a query finds a row. */
  const killWhen = async (sql: string) => {
    const child = spawn(process.execPath, ['--no-warnings', PROGRAM], {
      env: { ...process.env, ADDRESS: server.owner },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    migrators.push(child);
    const ended = once(child, 'exit');
    await expect.poll(async () => (await rows(sql))?.length, { timeout: TIMEOUT_MS, interval: 100 }).toBeGreaterThan(0);
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    // The server notices by itself, also in the middle of a statement.
    const its = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename = current_database()`;
    await expect.poll(async () => (await rows(its))?.length).toBe(0);
  };
  const index = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('proposals_by_remark')";
  const versions = 'SELECT max(version) AS version FROM schema_version';

  it(
    'is migrated while it is in use, and by who comes after one that was killed',
    async () => {
      const use = [startUse(draft(await open())), startUse(change(await open()))];
      const started = performance.now();

      // In the middle of the backfill.
      await holder.query('SELECT pg_advisory_lock(4711)');
      await killWhen("SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted");
      const left = (await rows('SELECT count(*)::int AS n FROM proposals WHERE remark IS NULL'))?.[0].n;
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThan(ROWS);
      expect(await rows(versions)).toEqual([{ version: gatewaySchema.migrations.length + 1 }]);
      await holder.query('SELECT pg_advisory_unlock(4711)');

      // A transaction that began before keeps the index from being valid.
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM limits_seen');
      await killWhen(`${index} AND indisready`);
      expect(await rows(index)).toEqual([{ indisvalid: false }]);
      await holder.query('ROLLBACK');

      const resumed = performance.now();
      const version = widened.migrations.length;
      expect(await migrateSchema(server.owner, widened)).toEqual({ from: version - 1, to: version });
      const ended = performance.now();

      const uses = await Promise.all(use.map((one) => one.stop()));
      const times = uses.flatMap((one) => one.times).toSorted((a, b) => a - b);
      const at = (part: number) => times[Math.floor((times.length - 1) * part)]?.toFixed(0);
      process.stdout.write(
        `Migrated ${ROWS} rows in ${((ended - started) / 1000).toFixed(1)} s (${left} left at the first kill, the last run ` +
          `${((ended - resumed) / 1000).toFixed(1)} s), with ${times.length} calls of the stores: p50 ${at(0.5)}, ` +
          `p99 ${at(0.99)}, longest ${at(1)} ms.\n`,
      );
      expect(uses.flatMap(({ failures }) => failures)).toEqual([]);
      expect(times.at(-1)).toBeLessThan(LONGEST_MS);
      expect(await rows(index)).toEqual([{ indisvalid: true }]);
      expect(await rows('SELECT FROM proposals WHERE remark IS NULL')).toEqual([]);
      expect(
        await rows("SELECT relforcerowsecurity AS forced FROM pg_class WHERE oid = 'proposals'::regclass"),
      ).toEqual([{ forced: true }]);
    },
    TIMEOUT_MS,
  );
});
