import { createHash } from 'node:crypto';
import type { RunnableConfig } from '@langchain/core/runnables';
import type { Checkpoint, CheckpointMetadata, CheckpointTuple } from '@langchain/langgraph';
import { type PendingWrite, WRITES_IDX_MAP } from '@langchain/langgraph-checkpoint';
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite';
import type { Statement } from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../trading/errors.ts';
import type { HistoryGuard } from '../state-stores.ts';
import { heldLease } from './held-lease.ts';
import type { StateDatabase } from './state-database.ts';

/** Stands in a checkpoint for the thread's messages: the hashes of their rows, in order. */
interface MessageRows {
  readonly message_rows: readonly string[];
}

interface MessageRow {
  hash: string;
  type: string;
  body: Buffer;
}

interface Change {
  readonly make: () => void;
  readonly made: () => void;
  readonly failed: (error: unknown) => void;
}

type SaverDatabase = ConstructorParameters<typeof SqliteSaver>[0];

/**
 * LangGraph's checkpoints, kept so that a thread grows in proportion to its conversation. LangGraph stores the whole
 * conversation with each step; here each message is stored once, in a row of its own, a checkpoint holds the rows'
 * hashes, and a thread keeps its latest checkpoint alone. An earlier one is not only waste: gone back to, it would
 * propose its orders again.
 */
export class HistorySaver extends SqliteSaver {
  readonly #database: StateDatabase;
  /** Messages this process has stored or read, so that a step serialises its new ones alone. */
  readonly #known = new WeakMap<object, { readonly thread: string; readonly hash: string }>();

  readonly #requireLease: () => void;
  /** To be made by the next commit. */
  readonly #changes: Change[] = [];
  /** By their SQL: each is used at every step. */
  readonly #statements = new Map<string, Statement<unknown[]>>();

  /** @param guard asked within each transaction, so that nobody takes the thread between the question and the write */
  constructor(database: StateDatabase, guard?: HistoryGuard) {
    super(database as unknown as SaverDatabase);
    this.#database = database;
    const isHeld = heldLease(database);
    this.#requireLease = () => {
      if (guard !== undefined && !isHeld(guard.lease)) throw guard.lost();
    };
  }

  /** Stores a step and drops those before it. */
  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    this.setup();
    const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: parent } = config.configurable ?? {};
    if (typeof thread !== 'string') throw new TypeError('a checkpoint needs a thread_id');
    const { rows, values } = await this.#takeOut(thread, ns, checkpoint.channel_values);
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
    for (const { message, hash } of rows) this.#known.set(message, { thread, hash });
    return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: checkpoint.id } };
  }

  /** Stores what a task of a step came to. */
  override async putWrites(config: RunnableConfig, writes: PendingWrite[], task: string): Promise<void> {
    this.setup();
    const {
      thread_id: thread,
      checkpoint_ns: ns = '',
      checkpoint_id: checkpoint,
    } = config.configurable ?? {};
    const rows = await Promise.all(
      writes.map(async ([channel, value], index) => {
        const [type, body] = await this.serde.dumpsTyped(value);
        return [WRITES_IDX_MAP[channel] ?? index, channel, type, body] as const;
      }),
    );
    // As LangGraph does: errors and interrupts may be said anew, what a task came to may not.
    const verb = writes.every(([channel]) => channel in WRITES_IDX_MAP) ? 'REPLACE' : 'IGNORE';
    await this.#store(() => {
      const insert = this.#statement(
        `INSERT OR ${verb} INTO writes
             (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      );
      for (const row of rows) insert.run(thread, ns, checkpoint, task, ...row);
    });
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const tuple = await super.getTuple(config);
    return tuple === undefined ? undefined : this.#putBack(tuple);
  }

  override async *list(...query: Parameters<SqliteSaver['list']>): AsyncGenerator<CheckpointTuple> {
    for await (const tuple of super.list(...query)) yield this.#putBack(tuple);
  }

  /**
   * Makes a change together with the others of this turn of the event loop, in one transaction: what a step's last task
   * came to and the checkpoint after it wait for the disk once. LangGraph waits for both before the next step.
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

  /** A checkpoint's messages as rows, and its values with the rows' hashes in their place. */
  async #takeOut(thread: string, ns: string, values: Checkpoint['channel_values']) {
    const { messages } = values as { messages?: unknown };
    // An order's own graph holds its one answer, and is gone with the step it belongs to.
    if (ns !== '' || !Array.isArray(messages)) return { rows: [], values };
    const rows: (MessageRow & { message: object })[] = [];
    const message_rows: string[] = [];
    for (const message of messages as object[]) {
      const known = this.#known.get(message);
      if (known?.thread === thread) {
        message_rows.push(known.hash);
        continue;
      }
      const [type, bytes] = await this.serde.dumpsTyped(message);
      const body = Buffer.from(bytes);
      const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
      rows.push({ message, hash, type, body });
      message_rows.push(hash);
    }
    return { rows, values: { ...values, messages: { message_rows } satisfies MessageRows } };
  }

  /** @throws {TradeAgentError} `state_corrupt` where a message is missing */
  async #putBack(tuple: CheckpointTuple): Promise<CheckpointTuple> {
    const thread = tuple.config.configurable?.thread_id as string;
    const { messages } = tuple.checkpoint.channel_values as { messages?: unknown };
    // Version 1 kept the messages themselves in the checkpoint.
    if (typeof messages !== 'object' || messages === null || Array.isArray(messages)) return tuple;
    const { message_rows } = messages as MessageRows;
    const rows = this.#database
      .prepare<[string], MessageRow>('SELECT hash, type, body FROM messages WHERE thread_id = ?')
      .all(thread);
    const byHash = new Map(rows.map((row) => [row.hash, row]));
    const restored = await Promise.all(
      message_rows.map(async (hash) => {
        const row = byHash.get(hash);
        if (row === undefined) throw incomplete(thread);
        const message = (await this.serde.loadsTyped(row.type, row.body)) as object;
        this.#known.set(message, { thread, hash });
        return message;
      }),
    );
    const channel_values = { ...tuple.checkpoint.channel_values, messages: restored };
    return { ...tuple, checkpoint: { ...tuple.checkpoint, channel_values } };
  }

  /**
   * With a step of the thread itself, all that its orders' graphs stored is over; with a step of an order's graph,
   * only that graph's earlier steps. Ids rise with time: one that is later is another process's, and stays.
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

function incomplete(thread: string): TradeAgentError {
  return new TradeAgentError('state_corrupt', `a message of thread ${thread} is missing`, {
    hint: 'Its approvals are intact: see "trade-agent approvals". Start a new thread.',
  });
}
