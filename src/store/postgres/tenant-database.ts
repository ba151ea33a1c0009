import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { PoolUsage } from '../database-connections.ts';
import { type ChannelListener, keepSession, listenToChannel } from './listener.ts';
import { type ParameterValues, statementValues, toStatement } from './statement.ts';

/** A transaction. Statements have named parameters, such as `@sub`. */
export interface Transaction {
  all<Row>(text: string, values?: ParameterValues): Promise<Row[]>;
  one<Row>(text: string, values?: ParameterValues): Promise<Row | undefined>;
  /** Returns the number of rows written or removed. */
  run(text: string, values?: ParameterValues): Promise<number>;
  /** Runs a statement that a library has created, with positional parameters such as `$1`. */
  execute(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>;
  /**
   * Runs the transaction's last statement and sends the commit together with it. No other statement may follow, and the
   * caller can't roll back after seeing the result. If this is the only statement, no explicit transaction is needed.
   */
  readonly last: Pick<Transaction, 'all' | 'one' | 'run'>;
}

/**
 * A database, limited to one tenant's rows. No statement can run without a tenant: the tenant is set when a connection
 * is opened (`openPool`), and each table's policies check the tenant (`tenantTableMigration`). A person is set for one
 * transaction only (`set_config(…, true)`), so that the setting does not leak into the connection's next transaction.
 * Transactions are `READ COMMITTED`, so that each statement sees everything that was committed before the statement.
 * Conflicts are prevented by locks, never by retries.
 */
export interface TenantDatabase {
  readonly tenant: string;
  /**
   * Runs a transaction, which is on disk when the promise resolves.
   * @param person limits the transaction to this person's rows (`limitToPerson`)
   * @throws the error of `work` or of the database; if the connection breaks during the commit, the transaction may
   * have been committed
   */
  write<T>(work: (unit: Transaction) => Promise<T>, person?: string): Promise<T>;
  /**
   * Like `write`, but does not wait for the disk: if the server crashes shortly afterwards, the transaction is lost.
   * Use it only for changes that can be repeated or can be recovered from elsewhere.
   */
  writeUnsynced<T>(work: (unit: Transaction) => Promise<T>): Promise<T>;
  /** Runs a read-only transaction in one snapshot. */
  read<T>(work: (unit: Transaction) => Promise<T>, person?: string): Promise<T>;
  /**
   * Listens to a channel. Tenants share all channels, so the channel's name must include the tenant.
   * @param heard see {@link listenToChannel}
   */
  listen(channel: string, heard: (payload: string | undefined) => void): ChannelListener;
  /**
   * Holds a lock that other processes may hold too, and takes it again after each reconnect. It is released when the
   * database is closed or this process ends.
   * @param name tenants share all names, so it must include the tenant
   * @param held called each time when the lock is held; if the promise is rejected, the lock is taken again
   */
  holdSharedLock(name: string, held: () => Promise<void>): void;
  /** Takes that lock exclusively, until the database is closed. @returns false if another process holds it */
  tryExclusiveLock(name: string): Promise<boolean>;
  pools(): readonly PoolUsage[];
  close(): Promise<void>;
}

const beginStatements = {
  write: 'BEGIN',
  read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
} as const;

/** Pattern of tenants' names. A name that matches needs no escaping in SQL strings and connection options. */
const TENANT_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws {RangeError} if the tenant's name is not 1 to 64 characters of `[A-Za-z0-9._-]` */
export function validateTenantName(tenant: string): void {
  if (!TENANT_PATTERN.test(tenant))
    throw new RangeError('a tenant’s name must be 1 to 64 characters of A-Z a-z 0-9 . _ -');
}

/** A tenant's two connection pools. Commits in `synced` wait for the disk, and commits in `unsynced` don't. */
export interface TenantPools {
  readonly synced: Connections;
  readonly unsynced: Connections;
  /** The pool for listening to channels. Defaults to `synced`. */
  readonly listening?: Connections;
  /** The settings that each transaction begins with (`transactionSettings`). Set if a pooler is used. */
  readonly settings?: { readonly synced: string; readonly unsynced: string } | undefined;
}

type Connections = Pick<Pool, 'connect' | 'end' | 'options' | 'totalCount' | 'idleCount' | 'waitingCount'>;

export function createTenantDatabase(tenant: string, pools: TenantPools): TenantDatabase {
  const { synced, unsynced, listening = synced, settings } = pools;
  const within =
    (pool: 'synced' | 'unsynced', begin: string) =>
    <T>(work: (unit: Transaction) => Promise<T>, person?: string) =>
      inTransaction(pools[pool], { begin, person, settings: settings?.[pool] }, (statements) =>
        work(toUnit(statements)),
      );
  const listeners: ChannelListener[] = [];
  const end = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    for (const session of sessions) session.release(true);
    await Promise.all([...new Set([synced, unsynced, listening])].map((pool) => pool.end()));
  };
  const sessions: PoolClient[] = [];
  const lockKey = (name: string) => `hashtextextended('${name.replaceAll("'", "''")}', 0)`;
  let closed: Promise<void> | undefined;
  return {
    tenant,
    write: within('synced', beginStatements.write),
    writeUnsynced: within('unsynced', beginStatements.write),
    read: within('synced', beginStatements.read),
    listen(channel, heard) {
      const listener = listenToChannel(listening, channel, heard);
      listeners.push(listener);
      return listener;
    },
    holdSharedLock(name, held) {
      listeners.push(keepSession(listening, `SELECT pg_advisory_lock_shared(${lockKey(name)})`, held));
    },
    async tryExclusiveLock(name) {
      const client = await listening.connect();
      sessions.push(client);
      // The next statement on any connection reports a broken connection.
      client.on('error', () => undefined);
      const { rows } = await client.query<{ ours: boolean }>(`SELECT pg_try_advisory_lock(${lockKey(name)}) AS ours`);
      return rows[0]?.ours === true;
    },
    pools: () =>
      Object.entries({ synced, unsynced }).map(([name, { options, totalCount: size, idleCount, waitingCount }]) => ({
        name,
        max: options.max,
        size,
        inUse: size - idleCount,
        waiting: waitingCount,
      })),
    close: () => (closed ??= end()),
  };
}

function toUnit({ send }: Statements): Transaction {
  const query = async (text: string, values: ParameterValues, isLast: boolean) => {
    const { names, ...statement } = toStatement(text);
    return await send({ ...statement, values: statementValues({ ...statement, names }, values) }, isLast);
  };
  const statements = (isLast: boolean) => ({
    all: async <Row>(text: string, values: ParameterValues = {}) => (await query(text, values, isLast)).rows as Row[],
    one: async <Row>(text: string, values: ParameterValues = {}) =>
      (await query(text, values, isLast)).rows[0] as Row | undefined,
    run: async (text: string, values: ParameterValues = {}) => (await query(text, values, isLast)).rowCount ?? 0,
  });
  return {
    ...statements(false),
    last: statements(true),
    execute: async (text, values = []) => await send({ text, values: [...values] }, false),
  };
}

interface BeginOptions {
  readonly begin: string;
  readonly person: string | undefined;
  /** SQL that sets a transaction's settings. Needed if a pooler may run each transaction on another connection. */
  readonly settings: string | undefined;
}

interface Statements {
  /** @param isLast whether the commit is sent together with the statement; if so, no statement may follow */
  send(statement: QueryConfig, isLast: boolean): Promise<QueryResult>;
}

/** @throws the error of `work` or the database; nothing was written, unless the connection broke during commit */
async function inTransaction<T>(
  pool: Pick<Pool, 'connect'>,
  beginning: BeginOptions,
  work: (statements: Statements) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let result: T;
  try {
    const { send, committed } = openTransaction(client, beginning);
    result = await work({ send });
    await committed();
  } catch (error) {
    client.release(!(await rollBack(client, error)));
    throw error;
  }
  client.release();
  return result;
}

/**
 * Returns functions that send the transaction's statements. The first statement begins the transaction. If it is also
 * the last, no explicit transaction is needed, unless a person or other settings must be set.
 */
function openTransaction(client: PoolClient, { begin, person, settings }: BeginOptions) {
  let begun: Promise<QueryResult> | undefined;
  let ended: Promise<unknown> | undefined;
  const beginning = () => {
    const set = settings === undefined ? '' : `; ${settings}`;
    const limit = person === undefined ? '' : `; SELECT set_config('ta.person', ${client.escapeLiteral(person)}, true)`;
    return sendQuery(client, `${begin}${set}${limit}`);
  };
  const commit = async () => {
    const { command } = await sendQuery(client, 'COMMIT');
    // If a statement failed and the caller ignored its error, PostgreSQL answers COMMIT by silently rolling back.
    if (command !== 'COMMIT') throw new Error('the transaction failed and was rolled back');
  };
  return {
    send(statement: QueryConfig, isLast: boolean): Promise<QueryResult> {
      if (ended !== undefined) throw new Error('the transaction has ended: no statement may follow the last one');
      const isAlone = isLast && begun === undefined && person === undefined && settings === undefined;
      // If beginning fails, the statement that follows rejects with the same error first.
      if (!isAlone) begun ??= markHandled(beginning());
      // A pooler may use another connection, and a prepared statement exists on one connection only.
      const { name: _, ...unnamed } = statement;
      const answer = sendQuery(client, settings === undefined ? statement : unnamed);
      if (isLast) ended = markHandled<unknown>(isAlone ? answer : commit());
      return answer;
    },
    async committed(): Promise<void> {
      await begun;
      await (ended ?? (begun && commit()));
    },
  };
}

/** Sends a statement. Statements that are sent within one tick are written to the socket together. */
function sendQuery(client: PoolClient, statement: string | QueryConfig): Promise<QueryResult> {
  const { stream } = client.connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
  return client.query(statement);
}

/** Marks a rejection as handled, because it is awaited later or another promise rejects with the same error. */
function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function rollBack(client: PoolClient, error: unknown): Promise<boolean> {
  // The server may still be running the query that timed out. Closing the connection rolls the query back.
  if (error instanceof Error && error.message === 'Query read timeout') return false;
  return await client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}
