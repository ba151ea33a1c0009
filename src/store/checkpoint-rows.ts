import { createHash } from 'node:crypto';
import type { Checkpoint, CheckpointTuple } from '@langchain/langgraph';
import { type PendingWrite, type SerializerProtocol, WRITES_IDX_MAP } from '@langchain/langgraph-checkpoint';
import { TradeAgentError } from '../errors/errors.ts';

/** A message as it is stored: under the hash of what it says. */
export interface MessageRow {
  readonly hash: string;
  readonly type: string;
  readonly body: Buffer;
}

/** What a task of a step came to, as it is stored. */
export interface WriteRow {
  readonly idx: number;
  readonly channel: string;
  readonly type: string;
  readonly value: Uint8Array;
}

/** Stands in a checkpoint for the thread's messages: the hashes of their rows, in order. */
interface MessageRows {
  readonly message_rows: readonly string[];
}

/**
 * LangGraph's checkpoints as rows, so that a thread grows in proportion to its conversation. LangGraph stores the whole
 * conversation with each step; here each message is stored once, in a row of its own, a checkpoint holds the rows'
 * hashes, and a thread keeps its latest checkpoint alone. An earlier one is not only waste: gone back to, it would
 * propose its orders again.
 */
export class CheckpointRows {
  readonly #serde: SerializerProtocol;
  /** Messages this process has stored or read, so that a step serialises its new ones alone. */
  readonly #known = new WeakMap<object, { readonly thread: string; readonly hash: string }>();

  constructor(serde: SerializerProtocol) {
    this.#serde = serde;
  }

  /** A checkpoint's new messages as rows, and its values with the hashes of all in their place. */
  async takeOut(thread: string, ns: string, values: Checkpoint['channel_values']) {
    const { messages } = values as { messages?: unknown };
    // An order's own graph holds its one answer, and is gone with the step it belongs to.
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

  /** They are on disk: later steps need not store them again. */
  stored(thread: string, rows: readonly { readonly message: object; readonly hash: string }[]): void {
    for (const { message, hash } of rows) this.#known.set(message, { thread, hash });
  }

  /**
   * A checkpoint with its messages back in their place.
   * @param rowsOf a thread's messages, all of them
   * @throws {TradeAgentError} `state_corrupt` where one is missing
   */
  async putBack(
    tuple: CheckpointTuple,
    rowsOf: (thread: string) => readonly MessageRow[],
  ): Promise<CheckpointTuple> {
    const thread = tuple.config.configurable?.thread_id as string;
    const { messages } = tuple.checkpoint.channel_values as { messages?: unknown };
    // Version 1 kept the messages themselves in the checkpoint.
    if (typeof messages !== 'object' || messages === null || Array.isArray(messages)) return tuple;
    const { message_rows } = messages as MessageRows;
    const byHash = new Map(rowsOf(thread).map((row) => [row.hash, row]));
    const restored = await Promise.all(
      message_rows.map(async (hash) => {
        const row = byHash.get(hash);
        if (row === undefined) throw incomplete(thread);
        const message = (await this.#serde.loadsTyped(row.type, row.body)) as object;
        this.#known.set(message, { thread, hash });
        return message;
      }),
    );
    const channel_values = { ...tuple.checkpoint.channel_values, messages: restored };
    return { ...tuple, checkpoint: { ...tuple.checkpoint, channel_values } };
  }

  /** @returns `replaces`: LangGraph lets errors and interrupts be written again, but not a task's result */
  async ofWrites(
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

function incomplete(thread: string): TradeAgentError {
  return new TradeAgentError('state_corrupt', `a message of thread ${thread} is missing`, {
    hint: 'Its approvals are intact: see "trade-agent approvals". Start a new thread.',
  });
}
