import type { RunnableConfig } from '@langchain/core/runnables';
import type { Checkpoint, CheckpointMetadata, CheckpointTuple } from '@langchain/langgraph';
import type { PendingWrite } from '@langchain/langgraph-checkpoint';
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite';
import type { Statement } from 'better-sqlite3-multiple-ciphers';
import { CheckpointRowConverter, type MessageRow } from '../checkpoint-row-converter.ts';
import { isHeldLease } from '../sql/thread-store.ts';
import type { LeaseGuard } from '../state-stores.ts';
import { createWorkRunner } from './sql-database.ts';
import type { StateDatabase } from './state-database.ts';

interface Change {
  readonly make: () => void;
  readonly made: () => void;
  readonly failed: (error: unknown) => void;
}

type SaverDatabase = ConstructorParameters<typeof SqliteSaver>[0];

/** Extends LangGraph's saver, but stores the rows that {@link CheckpointRowConverter} produces. */
export class SqliteHistorySaver extends SqliteSaver {
  readonly #database: StateDatabase;
  readonly #rows = new CheckpointRowConverter(this.serde);
  readonly #requireLease: () => void;
  readonly #changes: Change[] = [];
  readonly #statements = new Map<string, Statement<unknown[]>>();

  /**
   * @param guard each transaction checks the guard's lease, so that no other process can take the thread between the
   * check and the write
   */
  constructor(database: StateDatabase, guard?: LeaseGuard) {
    super(database as unknown as SaverDatabase);
    this.#database = database;
    const runWork = createWorkRunner(database);
    this.#requireLease = () => {
      if (guard !== undefined && !runWork(isHeldLease(guard.lease))) throw guard.lost();
    };
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    this.setup();
    const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: parent } = config.configurable ?? {};
    if (typeof thread !== 'string') throw new TypeError('a checkpoint needs a thread_id');
    const { rows, values } = await this.#rows.extractMessages(thread, ns, checkpoint.channel_values);
    const [[type, body], [, facts]] = await Promise.all([
      this.serde.dumpsTyped({ ...checkpoint, channel_values: values }),
      this.serde.dumpsTyped(metadata),
    ]);
    await this.#store(() => {
      const insert = this.#statement(
        'INSERT OR IGNORE INTO messages (thread_id, hash, type, body) VALUES (?, ?, ?, ?)',
      );
      for (const row of rows) insert.run(thread, row.hash, row.type, row.body);
      this.#statement(
        `INSERT OR REPLACE INTO checkpoints
             (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ).run(thread, ns, checkpoint.id, parent ?? null, type, body, facts);
      this.#dropBefore(thread, ns, checkpoint.id);
    });
    this.#rows.stored(thread, rows);
    return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: checkpoint.id } };
  }

  override async putWrites(config: RunnableConfig, writes: PendingWrite[], task: string): Promise<void> {
    this.setup();
    const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: checkpoint } = config.configurable ?? {};
    const { rows, replaces } = await this.#rows.toWriteRows(writes);
    await this.#store(() => {
      const insert = this.#statement(
        `INSERT OR ${replaces ? 'REPLACE' : 'IGNORE'} INTO writes
             (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      );
      for (const { idx, channel, type, value } of rows)
        insert.run(thread, ns, checkpoint, task, idx, channel, type, value);
    });
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const tuple = await super.getTuple(config);
    return tuple === undefined ? undefined : this.#restoreMessages(tuple);
  }

  override async *list(...query: Parameters<SqliteSaver['list']>): AsyncGenerator<CheckpointTuple> {
    for await (const tuple of super.list(...query)) yield this.#restoreMessages(tuple);
  }

  /**
   * Makes all changes from one turn of the event loop in one transaction. Therefore, the result of a step's last task
   * and the checkpoint that follows the step are flushed to disk together. LangGraph waits for both before the next
   * step.
   */
  #store(make: () => void): Promise<void> {
    return new Promise((made, failed) => {
      if (this.#changes.push({ make, made, failed }) === 1) setImmediate(() => this.#commit());
    });
  }

  #commit(): void {
    const changes = this.#changes.splice(0);
    try {
      this.#database
        .transaction(() => {
          this.#requireLease();
          for (const { make } of changes) make();
        })
        .immediate();
    } catch (error) {
      for (const { failed } of changes) failed(error);
      return;
    }
    for (const { made } of changes) made();
  }

  #statement(sql: string): Statement<unknown[]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#database.prepare<unknown[]>(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #restoreMessages(tuple: CheckpointTuple): Promise<CheckpointTuple> {
    return this.#rows.restoreMessages(tuple, (thread) =>
      this.#database
        .prepare<[string], MessageRow>('SELECT hash, type, body FROM messages WHERE thread_id = ?')
        .all(thread),
    );
  }

  /**
   * Deletes the checkpoints that a step makes obsolete. A step of the thread's main graph also makes the checkpoints of
   * the order subgraphs obsolete. IDs increase with time, so a checkpoint with a higher ID was written by another
   * process and is kept.
   */
  #dropBefore(thread: string, ns: string, id: string): void {
    for (const table of ['checkpoints', 'writes']) {
      this.#statement(
        `DELETE FROM ${table} WHERE thread_id = @thread
           AND ((checkpoint_ns = @ns AND checkpoint_id < @id) OR (@ns = '' AND checkpoint_ns != ''))`,
      ).run({ thread, ns, id });
    }
  }
}
