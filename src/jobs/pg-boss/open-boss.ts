import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type Db, PgBoss } from 'pg-boss';
import { TradeAgentError } from '../../errors/errors.ts';
import { listenToChannel } from '../../store/postgres/listener.ts';
import { JOBS_SCHEMA } from './jobs-schema.ts';

/** How often to look for lost workers' jobs, in seconds. With pg-boss's default of 60, people would wait too long. */
const SUPERVISE_INTERVAL_SECONDS = 3;
/** How often finished jobs are removed, in seconds. */
const MAINTENANCE_INTERVAL_SECONDS = 600;
const MAX_START_WAIT_MS = 60_000;
const RETRY_MS = 500;

/** Error codes for a database that is still starting, and for a server or socket that does not exist yet. */
const STARTING_CODES = ['57P03', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET'];

interface BossOptions {
  /** Whether pg-boss starts only to migrate its tables, with the role that owns them. */
  readonly migrate: boolean;
  readonly heard: (error: unknown) => void;
  /** Called with the name of a queue that may have new jobs, or with undefined if any queue may have new jobs. */
  readonly woken?: (queue: string | undefined) => void;
}

/**
 * Starts pg-boss on our pool, which the caller closes after `stop({ close: false })`.
 * @throws {TradeAgentError} `invalid_config` if pg-boss's tables are missing or have another version
 */
export async function startPgBoss(pool: Pool, { migrate, heard, woken }: BossOptions): Promise<PgBoss> {
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
    // Our own tables contain the schedules. The other features are off because they need the rights of the tables'
    // owner or send data to other systems.
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

/** Returns a pg-boss database adapter that runs queries on our pool and reconnects its listeners. */
function overPool(pool: Pool, woken: BossOptions['woken']): Db {
  const executeSql: Db['executeSql'] = (text, values) => pool.query(text, values);
  if (woken === undefined) return { executeSql };
  return {
    executeSql,
    listen: async (channel, onNotification, onReconnect) =>
      listenToChannel(pool, channel, (queue) => {
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

/** Returns whether pg-boss reports missing or outdated tables. To a role without privileges, tables appear missing. */
const isSchemaError = (error: unknown): boolean =>
  error instanceof Error && /is not installed|requires migrations/.test(error.message);

function notMigrated(cause: unknown): TradeAgentError {
  return new TradeAgentError('invalid_config', 'the job tables are missing, or have another version', {
    hint: 'Migrate the database as the role that owns its tables.',
    cause,
  });
}
