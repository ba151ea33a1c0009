import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import { type Listener, listenTo } from './listener.ts';
import { statementOf, type Values, valuesOf } from './statement.ts';

/** Statements within one transaction, each with its values by name: `@sub`. */
export interface Unit {
  all<Row>(text: string, values?: Values): Promise<Row[]>;
  /** The first row, where there is one. */
  one<Row>(text: string, values?: Values): Promise<Row | undefined>;
  /** @returns how many rows it wrote or removed */
  run(text: string, values?: Values): Promise<number>;
  /** A library's own statement, with its values by place: `$1`. */
  execute(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>;
  /**
   * The statement that the unit ends with: its commit goes out with it, in the same message. So nothing may follow it, and
   * what it answers can undo nothing any more.
   */
  readonly last: Pick<Unit, 'all' | 'one' | 'run'>;
}

/**
 * One tenant's part of a database. There is no statement outside of a transaction, and none without the tenant: it is set
 * for that transaction alone (`set_config(…, true)`), so that a connection never carries it over to another, and each
 * table's policies go by it (`tenantTable`). `READ COMMITTED`, so each statement sees what was committed before it: what two
 * must not do at once is for locks, and nothing is ever tried again.
 *
 * @example
 * ```ts
 * import type { TenantDatabase } from './tenant-database.ts';
 *
 * // A compare-and-set: one of two who saw the same moves on.
 * export async function advance(database: TenantDatabase, id: string, seen: number): Promise<boolean> {
 *   const changed = await database.write((unit) =>
 *     unit.run('UPDATE things SET epoch = epoch + 1 WHERE id = @id AND epoch = @seen', { id, seen }),
 *   );
 *   return changed === 1;
 * }
 * ```
 */
export interface TenantDatabase {
  readonly tenant: string;
  /**
   * A unit of work: all of what it writes is on disk when the promise resolves, or none of it.
   * @param person whose rows alone it is about, where they are people's (`personDatabase`)
   * @throws what `work` throws, and where the database does not answer. Where it went away at the commit itself nobody knows
   *   whether the unit holds
   */
  write<T>(work: (unit: Unit) => Promise<T>, person?: string): Promise<T>;
  /**
   * The same, without waiting for the disk: where the server dies within the next moments, it never was. For what can be
   * looked up elsewhere or may be done twice, and for nothing else.
   */
  writeUnsynced<T>(work: (unit: Unit) => Promise<T>): Promise<T>;
  /** As of one moment, however many statements it takes. Writes nothing. */
  read<T>(work: (unit: Unit) => Promise<T>, person?: string): Promise<T>;
  /**
   * Hears what is told on a channel, which has no tenant but by its name. @param heard see {@link listenTo}
   */
  listen(channel: string, heard: (payload: string | undefined) => void): Listener;
  /** Waits for what is under way; more than once is as good as once. */
  close(): Promise<void>;
}

const begins = {
  write: 'BEGIN',
  writeUnsynced: 'BEGIN; SET LOCAL synchronous_commit = off',
  read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
} as const;

/** A tenant's name: what an SQL text may hold between quotes. */
const TENANT = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws {RangeError} for a tenant that is not 1 to 64 of `[A-Za-z0-9._-]` */
export function requireTenant(tenant: string): void {
  if (!TENANT.test(tenant)) throw new RangeError('a tenant’s name is 1 to 64 of A-Z a-z 0-9 . _ -');
}

/** @throws {RangeError} for a tenant that is not 1 to 64 of `[A-Za-z0-9._-]` */
export function tenantDatabase(pool: Pool, tenant: string): TenantDatabase {
  requireTenant(tenant);
  const within =
    (begin: string) =>
    <T>(work: (unit: Unit) => Promise<T>, person?: string) =>
      // In one message: what it costs is paid by every unit.
      inTransaction(
        pool,
        (literal) =>
          `${begin}; SELECT set_config('ta.tenant', '${tenant}', true)${
            person === undefined ? '' : `, set_config('ta.person', ${literal(person)}, true)`
          }`,
        work,
      );
  const listeners: Listener[] = [];
  const end = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await pool.end();
  };
  let closed: Promise<void> | undefined;
  return {
    tenant,
    write: within(begins.write),
    writeUnsynced: within(begins.writeUnsynced),
    read: within(begins.read),
    listen(channel, heard) {
      const listener = listenTo(pool, channel, heard);
      listeners.push(listener);
      return listener;
    },
    close: () => (closed ??= end()),
  };
}

/** @param begin what opens the transaction, as one text; given what makes a literal of a word */
async function inTransaction<T>(
  pool: Pool,
  begin: (literal: (word: string) => string) => string,
  work: (unit: Unit) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let result: T;
  try {
    const begun = send(
      client,
      begin((word) => client.escapeLiteral(word)),
    );
    // What follows it fails by the same, and is told first.
    begun.catch(() => undefined);
    let ended: Promise<QueryResult> | undefined;
    const commit = () => {
      ended = send(client, 'COMMIT');
      ended.catch(() => undefined);
      return ended;
    };
    result = await work(unitOf(client, { isOver: () => ended !== undefined, end: commit }));
    await begun;
    const { command } = await (ended ?? commit());
    // A statement that failed, and whose error somebody swallowed, makes it a rollback without a word.
    if (command !== 'COMMIT') throw new Error('the unit of work failed before its end, and was undone');
  } catch (error) {
    client.release(!(await rolledBack(client, error)));
    throw error;
  }
  client.release();
  return result;
}

/** What is sent until whoever sends it waits for something goes out as one write. */
function send(client: PoolClient, statement: string | QueryConfig): Promise<QueryResult> {
  const { stream } = client.connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
  return client.query(statement);
}

/** Undoes it; false where the connection is of no more use. */
async function rolledBack(client: PoolClient, error: unknown): Promise<boolean> {
  // It may still be at what was given up on: the server undoes what a closed connection had open.
  if (error instanceof Error && error.message === 'Query read timeout') return false;
  return await client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}

interface Ending {
  isOver(): boolean;
  /** Sends the commit. */
  end(): void;
}

function unitOf(client: PoolClient, { isOver, end }: Ending): Unit {
  const sent = (statement: QueryConfig) => {
    if (isOver()) throw new Error('the unit of work has ended: nothing may follow its last statement');
    return send(client, statement);
  };
  const query = async (text: string, values: Values, isLast: boolean) => {
    const { names, ...statement } = statementOf(text);
    const answer = sent({ ...statement, values: valuesOf({ ...statement, names }, values) });
    if (isLast) end();
    return await answer;
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
    execute: async (text, values = []) => await sent({ text, values: [...values] }),
  };
}
