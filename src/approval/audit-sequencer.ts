import { errorText } from '../errors/error-text.ts';
import type { AuditStore, SequencedTree } from '../store/audit.ts';
import { createTreeSigner } from './receipts/checkpoint.ts';
import type { ReceiptKey } from './receipts/receipt-key.ts';

/** How long lines are collected before they are sequenced, in milliseconds. */
const SEQUENCE_DELAY_MS = 1_000;

interface AuditSequencerOptions {
  readonly store: Pick<AuditStore, 'sequence' | 'tree'>;
  readonly key: Promise<ReceiptKey>;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  readonly onError: (message: string) => void;
}

/**
 * Adds the audit log's committed lines to its Merkle tree, in batches, and signs the tree. Only receipts wait for
 * sequencing, because a line is durable as soon as the change that it records is committed.
 */
export class AuditSequencer {
  readonly #options: AuditSequencerOptions;
  #soon: NodeJS.Timeout | undefined;
  #inProgress: Promise<SequencedTree> | undefined;
  #next: Promise<SequencedTree> | undefined;
  #hasFailed = false;

  constructor(options: AuditSequencerOptions) {
    this.#options = options;
  }

  /** Schedules sequencing after a short delay, so that one batch includes the lines that follow. */
  sequenceSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#sequence(false).then(
        () => {
          this.#hasFailed = false;
        },
        (error: unknown) => {
          if (!this.#hasFailed) this.#options.onError(`sequencing the audit log failed: ${errorText(error)}`);
          this.#hasFailed = true;
        },
      );
    }, SEQUENCE_DELAY_MS);
  }

  /**
   * Sequences all lines committed so far. A run in progress may miss the latest line, so callers wait for the next run,
   * which they share.
   */
  async sequence(): Promise<SequencedTree> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#next !== undefined) return await this.#next;
    if (this.#inProgress === undefined) return await this.#run();
    this.#next = this.#inProgress
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#run();
      });
    return await this.#next;
  }

  #run(): Promise<SequencedTree> {
    this.#inProgress = this.#sequence(true).finally(() => {
      this.#inProgress = undefined;
    });
    return this.#inProgress;
  }

  async #sequence(wait: boolean): Promise<SequencedTree> {
    const { store, key, gateway } = this.#options;
    const signer = createTreeSigner(await key, gateway);
    for (;;) {
      const sequenced = await store.sequence(signer, wait);
      if (sequenced === undefined) {
        // Another process is sequencing, and may have begun before this process's latest line.
        this.sequenceSoon();
        return await store.tree();
      }
      if (!sequenced.hasMore) return sequenced;
    }
  }
}
