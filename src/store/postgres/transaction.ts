import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg';

export interface Beginning {
  /** What opens it. */
  readonly begin: string;
  /** Whose rows alone it is about, where they are people's. */
  readonly person: string | undefined;
}

/** The statements of one transaction. */
export interface Statements {
  /** @param isLast the commit goes out with it; nothing may follow */
  send(statement: QueryConfig, isLast: boolean): Promise<QueryResult>;
}

/** @throws what `work` throws, or the database: nothing of it is written then, but where the commit itself got no answer */
export async function inTransaction<T>(
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
