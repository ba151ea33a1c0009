import type { RunnableConfig } from '@langchain/core/runnables';
import type { Checkpoint, CheckpointMetadata, CheckpointTuple } from '@langchain/langgraph';
import { BaseCheckpointSaver, type CheckpointListOptions, type PendingWrite } from '@langchain/langgraph-checkpoint';
import { CheckpointRowConverter, type MessageRow } from '../../checkpoint-row-converter.ts';
import { isHeldLease } from '../../sql/thread-store.ts';
import type { LeaseGuard } from '../../state-stores.ts';
import { runTransactionWork } from '../sql-database.ts';
import type { Transaction } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

interface Row {
  readonly thread_id: string;
  readonly checkpoint_ns: string;
  readonly checkpoint_id: string;
  readonly parent_checkpoint_id: string | null;
  readonly type: string;
  readonly checkpoint: Buffer;
  readonly metadata: Buffer;
}

interface Write {
  readonly task_id: string;
  readonly channel: string;
  readonly type: string;
  readonly value: Buffer;
}

interface Stored {
  readonly row: Row;
  readonly writes: readonly Write[];
  readonly messages: readonly MessageRow[];
}

interface Change {
  readonly make: (unit: Transaction) => Promise<void>;
  readonly made: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Stores LangGraph's checkpoints in PostgreSQL, as rows that {@link CheckpointRowConverter} creates. Keeps only the
 * latest checkpoint of each thread.
 */
export class PostgresHistorySaver extends BaseCheckpointSaver {
  readonly #database: PersonDatabase;
  readonly #guard: LeaseGuard | undefined;
  readonly #rows = new CheckpointRowConverter(this.serde);
  readonly #changes: Change[] = [];
  #isCommitting = false;

  /** @param guard each transaction checks the guard's lease, and locks it until the transaction ends */
  constructor(database: PersonDatabase, guard?: LeaseGuard) {
    super();
    this.#database = database;
    this.#guard = guard;
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    const { thread, ns, id: parent } = checkpointKey(config);
    const { rows, values } = await this.#rows.extractMessages(thread, ns, checkpoint.channel_values);
    const [[type, body], [, facts]] = await Promise.all([
      this.serde.dumpsTyped({ ...checkpoint, channel_values: values }),
      this.serde.dumpsTyped(metadata),
    ]);
    const at = { thread, ns, id: checkpoint.id };
    await this.#store(async (unit) => {
      for (const { hash, type, body } of rows) {
        await unit.run(
          `INSERT INTO messages (thread_id, hash, type, body) VALUES (@thread, @hash, @type, @body)
           ON CONFLICT DO NOTHING`,
          { thread, hash, type, body },
        );
      }
      await unit.run(
        `INSERT INTO checkpoints
           (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
         VALUES (@thread, @ns, @id, @parent, @type, @body, @facts)
         ON CONFLICT (tenant, person, thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET
           parent_checkpoint_id = excluded.parent_checkpoint_id, type = excluded.type,
           checkpoint = excluded.checkpoint, metadata = excluded.metadata`,
        { ...at, parent: parent ?? null, type, body: Buffer.from(body), facts: Buffer.from(facts) },
      );
      await deleteObsolete(unit, at);
    });
    this.#rows.stored(thread, rows);
    return toConfig(at);
  }

  override async putWrites(config: RunnableConfig, writes: PendingWrite[], task: string, path = ''): Promise<void> {
    const { thread, ns, id } = checkpointKey(config);
    if (id === undefined) throw new TypeError('writes need a checkpoint_id');
    const { rows, replaces } = await this.#rows.toWriteRows(writes);
    const conflict = replaces
      ? `(tenant, person, thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET
           task_path = excluded.task_path, channel = excluded.channel, type = excluded.type, value = excluded.value`
      : 'DO NOTHING';
    await this.#store(async (unit) => {
      for (const { idx, channel, type, value } of rows) {
        await unit.run(
          `INSERT INTO writes
             (thread_id, checkpoint_ns, checkpoint_id, task_path, task_id, idx, channel, type, value)
           VALUES (@thread, @ns, @id, @path, @task, @idx, @channel, @type, @value) ON CONFLICT ${conflict}`,
          { thread, ns, id, path, task, idx, channel, type, value: Buffer.from(value) },
        );
      }
    });
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    if (config.configurable?.thread_id === undefined) return undefined;
    const { thread, ns, id } = checkpointKey(config);
    const stored = await this.#database.read(async (unit) => {
      const row = await unit.one<Row>(
        `SELECT * FROM checkpoints WHERE thread_id = @thread AND checkpoint_ns = @ns
           AND checkpoint_id = coalesce(@id, checkpoint_id) ORDER BY checkpoint_id DESC LIMIT 1`,
        { thread, ns, id: id ?? null },
      );
      return row === undefined ? undefined : await readStored(unit, row);
    });
    return stored === undefined ? undefined : await this.#tuple(stored);
  }

  override async *list(
    config: RunnableConfig,
    { limit, before, filter = {} }: CheckpointListOptions = {},
  ): AsyncGenerator<CheckpointTuple> {
    const { thread_id: thread = null, checkpoint_ns: ns = null } = config.configurable ?? {};
    const until = before?.configurable?.checkpoint_id ?? null;
    const found = await this.#database.read(async (unit) => {
      const rows = await unit.all<Row>(
        `SELECT * FROM checkpoints WHERE thread_id = coalesce(@thread, thread_id)
           AND checkpoint_ns = coalesce(@ns, checkpoint_ns) AND (@until::text IS NULL OR checkpoint_id < @until)
         ORDER BY checkpoint_id DESC`,
        { thread, ns, until },
      );
      const stored: Stored[] = [];
      for (const row of rows) stored.push(await readStored(unit, row));
      return stored;
    });
    let left = limit ?? Number.POSITIVE_INFINITY;
    for (const stored of found) {
      if (left <= 0) return;
      const tuple = await this.#tuple(stored);
      if (!matchesFilter(tuple.metadata, filter)) continue;
      left -= 1;
      yield tuple;
    }
  }

  override async deleteThread(thread: string): Promise<void> {
    await this.#store(async (unit) => {
      for (const table of ['checkpoints', 'writes', 'messages'])
        await unit.run(`DELETE FROM ${table} WHERE thread_id = @thread`, { thread });
    });
  }

  /**
   * Makes a change. All changes that are requested while a transaction commits are made in the next transaction, in
   * order. Therefore, the result of a step's last task and the checkpoint that follows the step are flushed to disk
   * together. LangGraph waits for both before the next step.
   */
  #store(make: Change['make']): Promise<void> {
    return new Promise((made, failed) => {
      this.#changes.push({ make, made, failed });
      if (this.#isCommitting) return;
      this.#isCommitting = true;
      setImmediate(() => void this.#commit());
    });
  }

  async #commit(): Promise<void> {
    while (this.#changes.length > 0) {
      const changes = this.#changes.splice(0);
      try {
        await this.#database.write(async (unit) => {
          await this.#requireLease(unit);
          for (const { make } of changes) await make(unit);
        });
        for (const { made } of changes) made();
      } catch (error) {
        for (const { failed } of changes) failed(error);
      }
    }
    this.#isCommitting = false;
  }

  async #requireLease(unit: Transaction): Promise<void> {
    if (this.#guard === undefined) return;
    if (!(await runTransactionWork(unit, isHeldLease(this.#guard.lease, ' FOR SHARE')))) throw this.#guard.lost();
  }

  async #tuple({ row, writes, messages }: Stored): Promise<CheckpointTuple> {
    const { thread_id: thread, checkpoint_ns: ns, parent_checkpoint_id: parent } = row;
    const tuple: CheckpointTuple = {
      config: toConfig({ thread, ns, id: row.checkpoint_id }),
      checkpoint: await this.serde.loadsTyped(row.type, row.checkpoint),
      metadata: await this.serde.loadsTyped(row.type, row.metadata),
      ...(parent === null ? {} : { parentConfig: toConfig({ thread, ns, id: parent }) }),
      pendingWrites: await Promise.all(
        writes.map(async ({ task_id, channel, type, value }) => {
          const came = await this.serde.loadsTyped(type, value);
          return [task_id, channel, came] as [string, string, unknown];
        }),
      ),
    };
    return await this.#rows.restoreMessages(tuple, () => messages);
  }
}

interface CheckpointKey {
  readonly thread: string;
  readonly ns: string;
  readonly id: string;
}

function checkpointKey({
  configurable,
}: RunnableConfig): Omit<CheckpointKey, 'id'> & { readonly id: string | undefined } {
  const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: id } = configurable ?? {};
  if (typeof thread !== 'string') throw new TypeError('a checkpoint needs a thread_id');
  return { thread, ns, id };
}

function toConfig({ thread, ns, id }: CheckpointKey): RunnableConfig {
  return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: id } };
}

async function readStored(unit: Transaction, row: Row): Promise<Stored> {
  const { thread_id: thread, checkpoint_ns: ns, checkpoint_id: id } = row;
  return {
    row,
    // Sorted in the order in which LangGraph applied the writes (its `writesSortKey`).
    writes: await unit.all<Write>(
      `SELECT * FROM writes WHERE thread_id = @thread AND checkpoint_ns = @ns AND checkpoint_id = @id
       ORDER BY task_path, task_id, idx`,
      { thread, ns, id },
    ),
    messages:
      ns === ''
        ? await unit.all<MessageRow>('SELECT hash, type, body FROM messages WHERE thread_id = @thread', {
            thread,
          })
        : [],
  };
}

/**
 * Deletes the checkpoints that a new checkpoint makes obsolete: for the thread's main graph, its earlier checkpoints
 * and all checkpoints of subgraphs; for a subgraph, only its earlier checkpoints. IDs increase with time, so a
 * checkpoint with a higher ID was written by another process and is kept.
 */
async function deleteObsolete(unit: Transaction, { thread, ns, id }: CheckpointKey): Promise<void> {
  for (const table of ['checkpoints', 'writes']) {
    await unit.run(
      `DELETE FROM ${table} WHERE thread_id = @thread
         AND ((checkpoint_ns = @ns AND checkpoint_id < @id) OR (@ns = '' AND checkpoint_ns <> ''))`,
      { thread, ns, id },
    );
  }
}

function matchesFilter(metadata: CheckpointMetadata | undefined, wanted: Readonly<Record<string, unknown>>): boolean {
  const facts: Readonly<Record<string, unknown>> = { ...metadata };
  return Object.entries(wanted).every(
    ([name, value]) => value === undefined || JSON.stringify(facts[name]) === JSON.stringify(value),
  );
}
