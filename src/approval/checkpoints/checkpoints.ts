import { errorText } from '../../errors/error-text.ts';
import type { Clock } from '../../machine/clock.ts';
import { startTimeLimit } from '../../net/time-limit.ts';
import type { AuditCheckpointStore } from '../../store/checkpoint-store.ts';
import { DAY_MS } from '../../values/durations.ts';
import { createTreeSigner, parseCheckpoint } from '../receipts/checkpoint.ts';
import type { ReceiptKey } from '../receipts/receipt-key.ts';
import type { Anchor } from './anchor.ts';
import { checkpointDigest } from './checkpoint-reader.ts';

/** Maximum time between checks, in milliseconds. Limits how late a day that ended during sleep is closed. */
const MAX_CHECK_INTERVAL_MS = 3_600_000;
/** Timeout of one request to the authority, in milliseconds. */
const ANCHOR_TIMEOUT_MS = 20_000;
/** Delay before the next request to an authority after a failure, in milliseconds; doubled each time, up to an hour. */
const ANCHOR_RETRY_MS = 60_000;

export interface CheckpointWriterOptions {
  readonly store: AuditCheckpointStore;
  readonly key: Promise<ReceiptKey>;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** Returns the time-stamp authority; undefined if none is configured. Called each time a time stamp is needed. */
  readonly anchor?: (() => Promise<Anchor>) | undefined;
  /** Adds the committed lines to the tree. */
  readonly sequence: () => Promise<unknown>;
  readonly clock: Clock;
  readonly onError: (message: string) => void;
}

/** Closes each day of the audit log with a checkpoint. */
export interface CheckpointWriter {
  start(): void;
  /** Closes the previous day if it is still open, and asks the authority, if any, for a time stamp. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/*
 * Once a day is over, the first gateway that checks closes the day. It signs the tree in the transaction that stores
 * the checkpoint, because another gateway may close the day, or this gateway may crash, at that moment. Days on which
 * no gateway ran are closed by one checkpoint at the next start. The authority then time-stamps only the latest
 * checkpoint, which covers all earlier ones. Nothing waits for the authority.
 */
export function createCheckpointWriter(options: CheckpointWriterOptions): CheckpointWriter {
  const { store, clock, gateway, sequence, onError } = options;
  const closing = new AbortController();
  const { signal } = closing;
  let running = Promise.resolve();
  let failures = 0;
  let askAt = 0;

  const closeDay = async (): Promise<void> => {
    const now = clock.now();
    const [day, today] = [utcDay(now - DAY_MS), utcDay(now)];
    await sequence();
    await store.close({ day, today }, createTreeSigner(await options.key, gateway, day));
  };
  const askAuthority = async (): Promise<void> => {
    const last = await store.last();
    if (options.anchor === undefined || last === undefined || last.anchored || clock.now() < askAt) return;
    const checkpoint = parseCheckpoint(last.checkpoint);
    if (checkpoint === undefined) throw new Error('the latest checkpoint can’t be read');
    const digest = checkpointDigest(checkpoint);
    const limit = startTimeLimit(ANCHOR_TIMEOUT_MS, signal);
    try {
      const anchor = await options.anchor();
      const { at, token } = await anchor.attest(digest, limit.signal);
      const facts = {
        size: last.size,
        checkpoint_hash: digest.toString('hex'),
        anchor: anchor.kind,
        authority: anchor.authority,
        time: new Date(at).toISOString(),
        token: token.toString('base64url'),
      };
      failures = 0;
      await store.anchor(last.size, { event: 'anchored', facts }, clock.now());
    } catch (error) {
      signal.throwIfAborted();
      askAt = clock.now() + Math.min(ANCHOR_RETRY_MS * 2 ** failures, MAX_CHECK_INTERVAL_MS);
      if (failures++ === 0) onError(`time-stamping the audit log failed and will be retried: ${errorText(error)}`);
    } finally {
      limit.end();
    }
  };
  const look = async (): Promise<void> => {
    await closeDay();
    await askAuthority();
  };
  const pauseMs = (): number => {
    const now = clock.now();
    const untilMidnight = DAY_MS - (now % DAY_MS);
    const untilAsked = askAt > now ? askAt - now : MAX_CHECK_INTERVAL_MS;
    return Math.min(untilMidnight, untilAsked, MAX_CHECK_INTERVAL_MS);
  };

  return {
    check: look,
    start() {
      running = (async () => {
        while (!signal.aborted) {
          await look().catch((error: unknown) => {
            if (!signal.aborted) onError(`closing the day in the audit log failed: ${errorText(error)}`);
          });
          await clock.sleep(pauseMs(), signal).catch(() => undefined);
        }
      })();
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
