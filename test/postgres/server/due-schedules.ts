import { timingRunTimes } from '../../../src/schedule/cron-expression.ts';
import type { TestDatabase } from '../support/database.ts';
import { runSql } from '../support/database.ts';

const MINUTE = 60_000;

/** A person's schedules' common hour: a minute that came `ago` milliseconds before, once an hour. */
export function hourly(now: number, agoMs: number): { readonly cron: string; readonly due: number } {
  const due = Math.floor((now - agoMs) / MINUTE) * MINUTE;
  return { cron: `${new Date(due).getUTCMinutes()} * * * *`, due };
}

/** So many people with one schedule each, which all fell due at the same run time and were not looked at since `handled`. */
export async function addDue(
  server: TestDatabase,
  tenant: string,
  { count, cron, handled, now }: { count: number; cron: string; handled: number; now: number },
): Promise<void> {
  const definition = JSON.stringify({
    ...{ name: null, timing: { cron }, when_open: true, timeout_ms: 60_000, scopes: ['market:read'] },
    check: { suggest: false, buy_only: false, approval: 'deny' },
    created_at: new Date(handled).toISOString(),
  });
  const wakeAt = timingRunTimes({ cron }, []).after(handled, 1)[0] ?? now;
  const table = (name: string) => `trade_agent_state.${name}`;
  await runSql(
    server.superuser,
    `INSERT INTO ${table('schedules')} (tenant, person, id, name, definition, key, request)
     SELECT '${tenant}', 'person-' || n, 's', NULL, jsonb_set('${definition}', '{id}', '"s"')::text, 'k', 'r'
     FROM generate_series(1, ${count}) AS n`,
    `INSERT INTO ${table('schedule_times')} (tenant, person, schedule, timing, wake_at, handled)
     SELECT '${tenant}', 'person-' || n, 's', '${JSON.stringify({ cron })}', ${wakeAt}, ${handled}
     FROM generate_series(1, ${count}) AS n`,
    `ANALYZE ${table('schedules')}`,
    `ANALYZE ${table('schedule_times')}`,
  );
}

export async function endedRuns(server: TestDatabase, tenant: string): Promise<number> {
  const [rows] = await runSql(
    server.superuser,
    `SELECT count(*)::int AS count FROM trade_agent_state.schedule_runs
     WHERE tenant = '${tenant}' AND ended AND record NOT LIKE '%"status":"died"%'`,
  );
  const [row] = (rows?.rows ?? []) as { count: number }[];
  return row?.count ?? 0;
}

export interface SeenRuns {
  /** How many schedules have so many ended runs for a run time that came: `1: 300`. */
  readonly endedRuns: Readonly<Record<number, number>>;
  readonly begun: readonly number[];
  readonly statuses: Readonly<Record<string, number>>;
  readonly missed: readonly number[];
}

/** What became of a tenant's schedules. */
export async function seenRuns(server: TestDatabase, tenant: string): Promise<SeenRuns> {
  const [rows] = await runSql(
    server.superuser,
    `SELECT person, record::jsonb AS record FROM trade_agent_state.schedule_runs WHERE tenant = '${tenant}'`,
  );
  const runs = (rows?.rows ?? []) as { person: string; record: Record<string, never> }[];
  const ended = runs.filter(({ record }) => !['running', 'died'].includes(record.status ?? ''));
  const each = Map.groupBy(ended, ({ person }) => person);
  return {
    endedRuns: counted([...each.values()].map((of) => of.length)),
    begun: ended.map(({ record }) => Date.parse(String(record.started_at))),
    statuses: counted(runs.map(({ record }) => String(record.status))),
    missed: [...new Set(ended.map(({ record }) => Number(record.missed)))],
  };
}

function counted<K extends string | number>(values: readonly K[]): Record<K, number> {
  const counts: Partial<Record<K, number>> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts as Record<K, number>;
}
