import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type Db, PgBoss } from 'pg-boss';
import { TradeAgentError } from '../../errors/errors.ts';
import { listenTo } from '../../store/postgres/listener.ts';
import { JOBS_SCHEMA } from './jobs-schema.ts';

/** How often lost workers' jobs are looked for, seconds. pg-boss' own 60 would leave a person waiting. */
const SUPERVISE_SECONDS = 3;
/** How often what is done is cleared away, seconds. */
const MAINTAIN_SECONDS = 600;
/** For a database that is starting, as after a power cut, milliseconds; and between two tries. */
const START_MS = 60_000;
const RETRY_MS = 500;

/** PostgreSQL's "the database system is starting up", and a server or socket that is not there yet. */
const STARTING = ['57P03', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET'];

interface BossOptions {
  /** Whether it is the tables' owner, who brings them up to date, and does nothing else. */
  readonly migrate: boolean;
  readonly heard: (error: unknown) => void;
  /** Told the name of a queue in which there is something to do, undefined where that may be any. */
  readonly woken?: (queue: string | undefined) => void;
}

/**
 * pg-boss over a pool of ours, started. Whoever opened the pool closes it, after `stop({ close: false })`.
 * @throws {TradeAgentError} `invalid_config` where its tables are not there, or of another version than this program's
 */
export async function openBoss(pool: Pool, { migrate, heard, woken }: BossOptions): Promise<PgBoss> {
  await whenUp(pool);
  const boss = new PgBoss({
    db: overPool(pool, woken),
    schema: JOBS_SCHEMA,
    migrate,
    createSchema: migrate,
    supervise: !migrate,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    maintenanceIntervalSeconds: MAINTAIN_SECONDS,
    useListenNotify: woken !== undefined,
    // Users' schedules are rows of our own. What only an owner may do is not tried; nothing is told of jobs elsewhere.
    schedule: false,
    reindex: false,
    monitorVacuum: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  });
  // An `error` that nobody hears ends the process.
  boss.on('error', heard);
  try {
    return await boss.start();
  } catch (error) {
    await boss.stop({ close: false, graceful: false });
    throw isUnfit(error) ? notMigrated(error) : error;
  }
}

/** As pg-boss asks its questions, over connections that have the house's limits and are heard where they break. */
function overPool(pool: Pool, woken: BossOptions['woken']): Db {
  const executeSql: Db['executeSql'] = (text, values) => pool.query(text, values);
  if (woken === undefined) return { executeSql };
  return {
    executeSql,
    listen: async (channel, onNotification, onReconnect) =>
      listenTo(pool, channel, (queue) => {
        if (queue === undefined) onReconnect();
        else onNotification(queue);
        woken(queue);
      }),
  };
}

async function whenUp(pool: Pool): Promise<void> {
  const until = Date.now() + START_MS;
  for (;;) {
    try {
      await pool.query('SELECT 1');
      return;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string' || !STARTING.includes(code) || Date.now() > until) throw error;
    }
    await sleep(RETRY_MS);
  }
}

/** As pg-boss says it; a role that may not look at them finds none. */
const isUnfit = (error: unknown): boolean =>
  error instanceof Error && /is not installed|requires migrations/.test(error.message);

function notMigrated(cause: unknown): TradeAgentError {
  return new TradeAgentError('invalid_config', 'the tables of jobs are not there, or of another version', {
    hint: 'Bring the database up to date with the login that owns its tables.',
    cause,
  });
}
