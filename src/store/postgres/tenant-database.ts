import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import { type Listener, listenTo } from './listener.ts';
import { statementValues, toStatement, type Values } from './statement.ts';

/** A transaction. Statements have named parameters, such as `@sub`. */
export interface Unit {
  all<Row>(text: string, values?: Values): Promise<Row[]>;
  /** Returns the first row, or undefined. */
  one<Row>(text: string, values?: Values): Promise<Row | undefined>;
  /** @returns the number of rows written or removed */
  run(text: string, values?: Values): Promise<number>;
  /** Runs a library's statement with positional parameters, such as `$1`. */
  execute(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>;
  /**
   * Runs the transaction's last statement. The commit is sent together with it, so no statement may follow, and the
   * caller can't roll it back after seeing its result. If it is the transaction's only statement, it needs no explicit
   * transaction.
   */
  readonly last: Pick<Unit, 'all' | 'one' | 'run'>;
}

/**
 * One tenant's part of a database. No statement can run without the tenant: a connection is used for only one tenant,
 * which is set when the connection opens (`openPool`), and each table's policies check it (`tenantTable`). A person is
 * set for one transaction only (`set_config(…, true)`), so that the setting never leaks to the connection's next
 * transaction. Transactions are `READ COMMITTED`, so each statement sees everything that was committed before it.
 * Conflicts are prevented by locks, never by retries.
 */
export interface TenantDatabase {
  readonly tenant: string;
  /**
   * Runs a transaction, which is on disk when the promise resolves.
   * @param person limits the transaction to this person's rows (`personDatabase`)
   * @throws the error of `work` or of the database. If the connection breaks during the commit, it is unknown whether the
   *   transaction was committed
   */
  write<T>(work: (unit: Unit) => Promise<T>, person?: string): Promise<T>;
  /**
   * Does the same as `write` without waiting for the disk: if the server crashes shortly afterwards, the
   * transaction is lost. Only for changes that can be repeated, or looked up elsewhere.
   */
  writeUnsynced<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  /** Runs a read-only transaction in one snapshot. */
  read<T>(work: (unit: Unit) => Promise<T>, person?: string): Promise<T>;
  /**
   * Listens to a channel. Channels are shared by all tenants, so the name must include the tenant. @param heard see {@link listenTo}
   */
  listen(channel: string, heard: (payload: string | undefined) => void): Listener;
  /** Waits for open transactions and closes the connections. Further calls do nothing. */
  close(): Promise<void>;
}

const beginStatements = {
  write: 'BEGIN',
  read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
} as const;

/** Pattern of tenants' names. Matching names need no escaping in SQL strings and connection options. */
const TENANT_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws {RangeError} if the tenant's name is not 1 to 64 characters of `[A-Za-z0-9._-]` */
export function requireTenant(tenant: string): void {
  if (!TENANT_PATTERN.test(tenant)) throw new RangeError('a tenant’s name must have 1 to 64 of A-Z a-z 0-9 . _ -');
}

/** A tenant's connection pools: one whose commits wait for the disk, and one whose commits don't. */
export interface TenantPools {
  readonly synced: Connections;
  readonly unsynced: Connections;
}

type Connections = Pick<Pool, 'connect' | 'end'>;

export function tenantDatabase(tenant: string, { synced, unsynced }: TenantPools): TenantDatabase {
  const within =
    (pool: Connections, begin: string) =>
    <T>(work: (unit: Unit) => Promise<T>, person?: string) =>
      inTransaction(pool, { begin, person }, (statements) => work(toUnit(statements)));
  const listeners: Listener[] = [];
  const end = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await Promise.all([synced.end(), unsynced.end()]);
  };
  let closed: Promise<void> | undefined;
  return {
    tenant,
    write: within(synced, beginStatements.write),
    writeUnsynced: within(unsynced, beginStatements.write),
    read: within(synced, beginStatements.read),
    listen(channel, heard) {
      const listener = listenTo(synced, channel, heard);
      listeners.push(listener);
      return listener;
    },
    close: () => (closed ??= end()),
  };
}

function toUnit({ send }: Statements): Unit {
  const query = async (text: string, values: Values, isLast: boolean) => {
    const { names, ...statement } = toStatement(text);
    return await send({ ...statement, values: statementValues({ ...statement, names }, values) }, isLast);
  };
  const statements = (isLast: boolean) => ({
    all: async <Row>(text: string, values: Values = {}) => (await query(text, values, isLast)).rows as Row[],
    one: async <Row>(text: string, values: Values = {}) =>
      (await query(text, values, isLast)).rows[0] as Row | undefined,
    run: async (text: string, values: Values = {}) => (await query(text, values, isLast)).rowCount ?? 0,
  });
  return {
    ...statements(false),
    last: statements(true),
    execute: async (text, values = []) => await send({ text, values: [...values] }, false),
  };
}

interface BeginOptions {
  /** Statement that begins the transaction. */
  readonly begin: string;
  /** Person to whose rows the transaction is limited. */
  readonly person: string | undefined;
}

/** Sends the statements of one transaction. */
interface Statements {
  /** @param isLast whether to send the commit with it; no statement may follow */
  send(statement: QueryConfig, isLast: boolean): Promise<QueryResult>;
}

/**
 * @throws the error of `work` or of the database. Nothing is written then, unless the connection broke during the
 * commit
 */
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
 * Begins the transaction with its first statement. A single last statement needs no explicit transaction, unless a
 * person must be set.
 */
function openTransaction(client: PoolClient, { begin, person }: BeginOptions) {
  let begun: Promise<QueryResult> | undefined;
  let ended: Promise<unknown> | undefined;
  const beginning = () =>
    sendQuery(
      client,
      person === undefined ? begin : `${begin}; SELECT set_config('ta.person', ${client.escapeLiteral(person)}, true)`,
    );
  const commit = async () => {
    const { command } = await sendQuery(client, 'COMMIT');
    // If a statement failed and its error was swallowed, PostgreSQL silently rolls back instead.
    if (command !== 'COMMIT') throw new Error('the transaction failed and was rolled back');
  };
  return {
    send(statement: QueryConfig, isLast: boolean): Promise<QueryResult> {
      if (ended !== undefined) throw new Error('the transaction has ended: no statement may follow the last one');
      const isAlone = isLast && begun === undefined && person === undefined;
      // If it fails, the following statement rejects first with the same error.
      if (!isAlone) begun ??= markHandled(beginning());
      const answer = sendQuery(client, statement);
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

/**
 * Marks a promise's rejection as handled. Either the promise is awaited later, or another promise rejects with the same
 * error.
 */
function markHandled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Rolls back the transaction. Returns false if the connection is unusable. */
async function rollBack(client: PoolClient, error: unknown): Promise<boolean> {
  // The server may still run the timed-out query. It rolls back when the connection is closed.
  if (error instanceof Error && error.message === 'Query read timeout') return false;
  return await client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}
