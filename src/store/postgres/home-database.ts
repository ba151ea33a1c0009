import { TradeAgentError } from '../../errors/errors.ts';
import type { ServedAddress } from '../home/served-address.ts';
import type { RuleTexts } from '../rule-store.ts';
import type { SqlTransactions } from '../sql/sql-database.ts';
import { homeSchema } from './migrations/home.ts';
import { copyTenant, type SqliteHome } from './move-home.ts';
import { type OpenDatabaseOptions, openDatabase } from './open-database.ts';
import { postgresTransactions } from './sql-database.ts';
import type { TenantDatabase } from './tenant-database.ts';

/*
 * Everything that a program needs to run a home on PostgreSQL. It is one module, so that the module and the driver are
 * loaded only if PostgreSQL is used.
 */

export { openMovableTenant } from './move-home.ts';

/** Fewer connections than a gateway has, because most of a home's statements run on its gateway's connections. */
const MAX_CONNECTIONS = 6;

/** @throws {TradeAgentError} `invalid_config`, including if a move was interrupted; `database_unreachable` */
export async function openPostgresHome(
  options: Omit<OpenDatabaseOptions, 'schema' | 'max'>,
): Promise<{ readonly sql: SqlTransactions; readonly served: ServedAddress; close(): Promise<void> }> {
  const database = await openDatabase({ ...options, schema: homeSchema, max: MAX_CONNECTIONS });
  const sql = postgresTransactions(database, 'place');
  try {
    const move = await sql.one<{ state: 'arrived' | 'left' }>('SELECT state FROM moves');
    if (move !== undefined) throw interruptedMove(move.state);
    return { sql, served: servedAddress(database, sql), close: () => database.close() };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function servedAddress(database: TenantDatabase, sql: SqlTransactions): ServedAddress {
  const lock = `trade-agent home ${database.tenant}`;
  const claim = async (address: string) => {
    await sql.run('INSERT INTO served_address (address) VALUES (@address) ON CONFLICT DO NOTHING', { address });
    return (await sql.one<{ address: string }>('SELECT address FROM served_address'))?.address ?? address;
  };
  return {
    claim,
    serve: (address, moved) =>
      new Promise((resolve) => {
        database.holdSharedLock(lock, async () => {
          const current = await claim(address);
          if (current !== address) moved(current);
          resolve();
        });
      }),
    lock: () => database.tryExclusiveLock(lock),
    async set(address) {
      await sql.run('UPDATE served_address SET address = @address', { address });
    },
  };
}

/**
 * Copies a snapshot of a home, which may be running, into SQLite databases. @returns the home's rules
 * @throws {TradeAgentError} `invalid_config`, including if a move was interrupted; `database_unreachable`
 */
export async function copyPostgresHome(
  options: Omit<OpenDatabaseOptions, 'schema' | 'max'>,
  target: SqliteHome,
): Promise<RuleTexts> {
  const { close } = await openPostgresHome(options);
  await close();
  return await copyTenant(options.direct ?? options.address, options.tenant, target);
}

const interruptedMove = (state: 'arrived' | 'left') =>
  new TradeAgentError(
    'invalid_config',
    state === 'arrived'
      ? 'moving this home to the database was interrupted'
      : 'this home was moved out of the database',
    {
      hint:
        state === 'arrived'
          ? 'Run the same "trade-agent home migrate" again to complete the move.'
          : 'If "trade-agent home migrate --to sqlite" was interrupted, run it again. Otherwise use the folder that it was moved to.',
    },
  );
