import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type Db, PgBoss } from 'pg-boss';
import { TradeAgentError } from '../../errors/errors.ts';
import { listenTo } from '../../store/postgres/listener.ts';
import { JOBS_SCHEMA } from './jobs-schema.ts';

/** How often lost workers' jobs are detected, seconds. pg-boss's default of 60 would keep a person waiting. */
const SUPERVISE_INTERVAL_SECONDS = 3;
/** How often finished jobs are removed, seconds. */
const MAINTENANCE_INTERVAL_SECONDS = 600;
/** How long to wait for a database that is starting. */
const MAX_START_WAIT_MS = 60_000;
const RETRY_MS = 500;

/** PostgreSQL's "the database system is starting up", and errors of a server or socket that does not exist yet. */
const STARTING_CODES = ['57P03', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET'];

interface BossOptions {
  /** Whether to migrate the tables, as their owner, and do nothing else. */
  readonly migrate: boolean;
  readonly heard: (error: unknown) => void;
  /** Called with the name of a queue that has new jobs; undefined for any queue. */
  readonly woken?: (queue: string | undefined) => void;
}

/**
 * Starts pg-boss over our pool, which the caller closes after `stop({ close: false })`.
 * @throws {TradeAgentError} `invalid_config` if its tables are missing, or of another version
 */
export async function openBoss(pool: Pool, { migrate, heard, woken }: BossOptions): Promise<PgBoss> {
  await waitForDatabase(pool);
  const boss = new PgBoss({
    db: overPool(pool, woken),
    schema: JOBS_SCHEMA,
    migrate,
    createSchema: migrate,
    supervise: !migrate,
    superviseIntervalSeconds: SUPERVISE_INTERVAL_SECONDS,
    monitorIntervalSeconds: SUPERVISE_INTERVAL_SECONDS,
    maintenanceIntervalSeconds: MAINTENANCE_INTERVAL_SECONDS,
    useListenNotify: woken !== undefined,
    // Users' schedules are rows of our own. Nothing is tried that only an owner may do, and nothing is reported elsewhere.
    schedule: false,
    reindex: false,
    monitorVacuum: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  });
  // An unhandled `error` event would end the process.
  boss.on('error', heard);
  try {
    return await boss.start();
  } catch (error) {
    await boss.stop({ close: false, graceful: false });
    throw isSchemaError(error) ? notMigrated(error) : error;
  }
}

/** Runs pg-boss's queries over our connections, with our limits and reconnects. */
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

async function waitForDatabase(pool: Pool): Promise<void> {
  const until = Date.now() + MAX_START_WAIT_MS;
  for (;;) {
    try {
      await pool.query('SELECT 1');
      return;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string' || !STARTING_CODES.includes(code) || Date.now() > until) throw error;
    }
    await sleep(RETRY_MS);
  }
}

/** Matches pg-boss's messages. A role without privileges sees no tables. */
const isSchemaError = (error: unknown): boolean =>
  error instanceof Error && /is not installed|requires migrations/.test(error.message);

function notMigrated(cause: unknown): TradeAgentError {
  return new TradeAgentError('invalid_config', 'the job tables are missing, or have another version', {
    hint: 'Migrate the database with the login that owns its tables.',
    cause,
  });
}
