import { createHash } from 'node:crypto';
import type { Checkpoint, CheckpointTuple } from '@langchain/langgraph';
import { type PendingWrite, type SerializerProtocol, WRITES_IDX_MAP } from '@langchain/langgraph-checkpoint';
import { TradeAgentError } from '../errors/errors.ts';

/** A stored message. Its key is the hash of its content. */
export interface MessageRow {
  readonly hash: string;
  readonly type: string;
  readonly body: Buffer;
}

export interface WriteRow {
  readonly idx: number;
  readonly channel: string;
  readonly type: string;
  readonly value: Uint8Array;
}

/** Hashes of the messages' rows, in order. In a stored checkpoint, they replace the thread's messages. */
interface MessageRows {
  readonly message_rows: readonly string[];
}

/**
 * Converts LangGraph's checkpoints to rows and back. LangGraph stores the entire conversation with each step. Here,
 * each message is stored once in its own row, a checkpoint contains only the messages' hashes, and a thread keeps only
 * its latest checkpoint. Storage therefore grows only in proportion to the conversation. Earlier checkpoints are not
 * kept, because resuming from one would propose its orders again.
 */
export class CheckpointRowConverter {
  readonly #serde: SerializerProtocol;
  /** Messages that this process has already stored or read, so that each step serializes only the new ones. */
  readonly #known = new WeakMap<object, { readonly thread: string; readonly hash: string }>();

  constructor(serde: SerializerProtocol) {
    this.#serde = serde;
  }

  /** Returns new messages as rows, and the checkpoint's values with the messages replaced by their hashes. */
  async extractMessages(thread: string, ns: string, values: Checkpoint['channel_values']) {
    const { messages } = values as { messages?: unknown };
    // Leaves the values of an order's subgraph unchanged: the subgraph has a single answer, and its checkpoints are
    // deleted after its step.
    if (ns !== '' || !Array.isArray(messages) || !messages.every(isObject)) return { rows: [], values };
    const rows: (MessageRow & { readonly message: object })[] = [];
    const message_rows: string[] = [];
    for (const message of messages) {
      const known = this.#known.get(message);
      if (known?.thread === thread) {
        message_rows.push(known.hash);
        continue;
      }
      const [type, bytes] = await this.#serde.dumpsTyped(message);
      const body = Buffer.from(bytes);
      const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
      rows.push({ message, hash, type, body });
      message_rows.push(hash);
    }
    return { rows, values: { ...values, messages: { message_rows } satisfies MessageRows } };
  }

  /** Records that these messages are stored, so that later steps don't store them again. */
  stored(thread: string, rows: readonly { readonly message: object; readonly hash: string }[]): void {
    for (const { message, hash } of rows) this.#known.set(message, { thread, hash });
  }

  /**
   * Returns a checkpoint with its messages restored.
   * @param rowsOf returns all stored messages of a thread
   * @throws {TradeAgentError} `state_corrupt` if a message is missing
   */
  async restoreMessages(
    tuple: CheckpointTuple,
    rowsOf: (thread: string) => readonly MessageRow[],
  ): Promise<CheckpointTuple> {
    const thread = tuple.config.configurable?.thread_id as string;
    const { messages } = tuple.checkpoint.channel_values as { messages?: unknown };
    // Version 1 stored the messages in the checkpoint itself.
    if (typeof messages !== 'object' || messages === null || Array.isArray(messages)) return tuple;
    const { message_rows } = messages as MessageRows;
    const byHash = new Map(rowsOf(thread).map((row) => [row.hash, row]));
    const restored = await Promise.all(
      message_rows.map(async (hash) => {
        const row = byHash.get(hash);
        if (row === undefined) throw missingMessage(thread);
        const message = (await this.#serde.loadsTyped(row.type, row.body)) as object;
        this.#known.set(message, { thread, hash });
        return message;
      }),
    );
    const channel_values = { ...tuple.checkpoint.channel_values, messages: restored };
    return { ...tuple, checkpoint: { ...tuple.checkpoint, channel_values } };
  }

  /**
   * Returns the writes as rows. `replaces` is true if they replace existing rows: LangGraph overwrites a task's errors
   * and interrupts, but not its result.
   */
  async toWriteRows(
    writes: readonly PendingWrite[],
  ): Promise<{ readonly rows: readonly WriteRow[]; readonly replaces: boolean }> {
    const rows = await Promise.all(
      writes.map(async ([channel, value], index) => {
        const [type, bytes] = await this.#serde.dumpsTyped(value);
        return { idx: WRITES_IDX_MAP[channel] ?? index, channel, type, value: bytes };
      }),
    );
    return { rows, replaces: writes.every(([channel]) => channel in WRITES_IDX_MAP) };
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function missingMessage(thread: string): TradeAgentError {
  return new TradeAgentError('state_corrupt', `a message of thread ${thread} is missing`, {
    hint: 'The thread’s approvals are not affected: see "trade-agent approvals". Start a new thread.',
  });
}
