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
   * The statement that the unit ends with: its commit goes out with it, in the same message, and where it is the only one, it is
   * the whole transaction by itself. So nothing may follow it, and what it answers can undo nothing any more.
   */
  readonly last: Pick<Unit, 'all' | 'one' | 'run'>;
}

/**
 * One tenant's part of a database. There is no statement without the tenant: its connections are its alone and begin with it
 * (`openPool`), and each table's policies go by it (`tenantTable`). A person is set for one transaction alone
 * (`set_config(…, true)`), so that a connection never carries them over to another. `READ COMMITTED`, so each statement sees
 * what was committed before it: what two must not do at once is for locks, and nothing is ever tried again.
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
  read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
} as const;

/** A tenant's name: what an SQL text may hold between quotes, and a connection's options unquoted. */
const TENANT = /^[A-Za-z0-9._-]{1,64}$/;

/** @throws {RangeError} for a tenant that is not 1 to 64 of `[A-Za-z0-9._-]` */
export function requireTenant(tenant: string): void {
  if (!TENANT.test(tenant)) throw new RangeError('a tenant’s name is 1 to 64 of A-Z a-z 0-9 . _ -');
}

/** Connections that begin with the tenant: those whose commits wait for the disk, and those whose don't. */
export interface TenantPools {
  readonly synced: Connections;
  readonly unsynced: Connections;
}

type Connections = Pick<Pool, 'connect' | 'end'>;

export function tenantDatabase(tenant: string, { synced, unsynced }: TenantPools): TenantDatabase {
  const within =
    (pool: Connections, begin: string) =>
    <T>(work: (unit: Unit) => Promise<T>, person?: string) =>
      inTransaction(pool, { begin, person }, (statements) => work(unitOf(statements)));
  const listeners: Listener[] = [];
  const end = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await Promise.all([synced.end(), unsynced.end()]);
  };
  let closed: Promise<void> | undefined;
  return {
    tenant,
    write: within(synced, begins.write),
    writeUnsynced: within(unsynced, begins.write),
    read: within(synced, begins.read),
    listen(channel, heard) {
      const listener = listenTo(synced, channel, heard);
      listeners.push(listener);
      return listener;
    },
    close: () => (closed ??= end()),
  };
}

function unitOf({ send }: Statements): Unit {
  const query = async (text: string, values: Values, isLast: boolean) => {
    const { names, ...statement } = statementOf(text);
    return await send({ ...statement, values: valuesOf({ ...statement, names }, values) }, isLast);
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

interface Beginning {
  /** What opens it. */
  readonly begin: string;
  /** Whose rows alone it is about, where they are people's. */
  readonly person: string | undefined;
}

/** The statements of one transaction. */
interface Statements {
  /** @param isLast the commit goes out with it; nothing may follow */
  send(statement: QueryConfig, isLast: boolean): Promise<QueryResult>;
}

/** @throws what `work` throws, or the database: nothing of it is written then, but where the commit itself got no answer */
async function inTransaction<T>(
  pool: Pick<Pool, 'connect'>,
  beginning: Beginning,
  work: (statements: Statements) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let result: T;
  try {
    const { send, committed } = transactionOf(client, beginning);
    result = await work({ send });
    await committed();
  } catch (error) {
    client.release(!(await rolledBack(client, error)));
    throw error;
  }
  client.release();
  return result;
}

/** Begins with its first statement. One that is the last as well is a transaction by itself, but for a person, who is set within one. */
function transactionOf(client: PoolClient, { begin, person }: Beginning) {
  let begun: Promise<QueryResult> | undefined;
  let ended: Promise<unknown> | undefined;
  const beginning = () =>
    sent(
      client,
      person === undefined
        ? begin
        : `${begin}; SELECT set_config('ta.person', ${client.escapeLiteral(person)}, true)`,
    );
  const commit = async () => {
    const { command } = await sent(client, 'COMMIT');
    // A statement that failed, and whose error somebody swallowed, makes it a rollback without a word.
    if (command !== 'COMMIT') throw new Error('the unit of work failed before its end, and was undone');
  };
  return {
    send(statement: QueryConfig, isLast: boolean): Promise<QueryResult> {
      if (ended !== undefined)
        throw new Error('the unit of work has ended: nothing may follow its last statement');
      const isAlone = isLast && begun === undefined && person === undefined;
      // What follows it fails by the same, and is told first.
      if (!isAlone) begun ??= unheard(beginning());
      const answer = sent(client, statement);
      if (isLast) ended = unheard<unknown>(isAlone ? answer : commit());
      return answer;
    },
    async committed(): Promise<void> {
      await begun;
      await (ended ?? (begun && commit()));
    },
  };
}

/** What is sent until whoever sends it waits for something goes out as one write. */
function sent(client: PoolClient, statement: string | QueryConfig): Promise<QueryResult> {
  const { stream } = client.connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
  return client.query(statement);
}

/** It is awaited later, or something else fails by the same. */
function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
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
