import { errorText } from '../../errors/error-text.ts';
import type { Clock } from '../../machine/clock.ts';
import { timeLimit } from '../../net/time-limit.ts';
import type { CheckpointStore } from '../../store/checkpoint-store.ts';
import { DAY_MS } from '../../values/durations.ts';
import { checkpointNote } from '../receipts/checkpoint.ts';
import type { ReceiptKey } from '../receipts/receipt-key.ts';
import type { Anchor } from './anchor.ts';

/** Between two looks at most: a machine that slept is seen within it. */
const LOOK_MS = 3_600_000;
/** One question to the authority. */
const ANCHOR_TIMEOUT_MS = 20_000;
/** Before an authority that failed is asked again: twice as long each time, an hour at most. */
const AGAIN_MS = 60_000;

export interface CheckpointOptions {
  readonly store: CheckpointStore;
  /** By which receipts are signed. */
  readonly key: Promise<ReceiptKey>;
  /** The gateway's resource identifier. */
  readonly gateway: string;
  /** Undefined where nobody outside is asked. Made where it is needed. */
  readonly anchor?: (() => Promise<Anchor>) | undefined;
  /** Moves what was noted to the file. */
  readonly flush: () => Promise<void>;
  readonly clock: Clock;
  /** Told of what went wrong inside. */
  readonly onError: (message: string) => void;
}

/** Closes each day of the record. */
export interface Checkpoints {
  start(): void;
  /** Closes the day that is over, where nobody has, and asks the authority where that is to be done. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/*
 * A day is closed once it is over, by the first gateway that looks: the line is signed in the unit of work that notes it, so
 * that it is about the line before it, whoever else notes lines, dies or closes the day at that moment. Days on which no
 * gateway ran are closed by one line at the next start. The authority is asked afterwards, about the latest alone, which
 * covers all before; nothing waits for it.
 */
export function createCheckpoints(options: CheckpointOptions): Checkpoints {
  const { store, clock, gateway, flush, onError } = options;
  const closing = new AbortController();
  const { signal } = closing;
  let running = Promise.resolve();
  let failures = 0;
  let askAt = 0;

  const closeDay = async (): Promise<void> => {
    const now = clock.now();
    const [day, today] = [dayOf(now - DAY_MS), dayOf(now)];
    const noted = await store.close({ day, today }, checkpointNote(await options.key, gateway, day), now);
    if (noted) await flush();
  };
  const askAuthority = async (): Promise<void> => {
    const last = await store.last();
    if (options.anchor === undefined || last === undefined || last.anchored || clock.now() < askAt) return;
    const limit = timeLimit(ANCHOR_TIMEOUT_MS, signal);
    try {
      const anchor = await options.anchor();
      const { at, token } = await anchor.vouch(Buffer.from(last.hash, 'hex'), limit.signal);
      const facts = {
        checkpoint: last.seq,
        checkpoint_hash: last.hash,
        anchor: anchor.kind,
        authority: anchor.authority,
        time: new Date(at).toISOString(),
        token: token.toString('base64url'),
      };
      failures = 0;
      if (await store.anchor(last.seq, { event: 'anchored', facts }, clock.now())) await flush();
    } catch (error) {
      signal.throwIfAborted();
      askAt = clock.now() + Math.min(AGAIN_MS * 2 ** failures, LOOK_MS);
      if (failures++ === 0)
        onError(`the record was not time-stamped, and is tried again: ${errorText(error)}`);
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
    const untilAsked = askAt > now ? askAt - now : LOOK_MS;
    return Math.min(untilMidnight, untilAsked, LOOK_MS);
  };

  return {
    look,
    start() {
      running = (async () => {
        while (!signal.aborted) {
          await look().catch((error: unknown) => {
            if (!signal.aborted) onError(`the record’s day was not closed: ${errorText(error)}`);
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

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
