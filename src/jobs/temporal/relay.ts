import type { WorkerLeases } from '../../store/schedule-rows.ts';
import { createAlarm } from '../alarm.ts';
import type { JobOutbox, JobOutboxRow } from './outbox.ts';

/**
 * How long a process keeps the lease for handing over jobs, in milliseconds. Two holders would only repeat handovers.
 */
const LEASE_MS = 5_000;
/**
 * The shortest and longest delay, in milliseconds, between reads while no notification arrives. Enqueued jobs notify;
 * jobs that become due don't.
 */
const [SHORTEST_MS, LONGEST_MS] = [100, 1_000];
/** Delay between retries while Temporal or the database is unavailable, in milliseconds. */
const OUTAGE_RETRY_MS = 2_000;
/** Maximum number of rows per read, and of keys that are handed over in parallel. */
const [BATCH, KEYS_AT_ONCE] = [500, 16];
/** How often expired dead jobs are removed, in milliseconds. */
const CLEAR_INTERVAL_MS = 3_600_000;

/**
 * How long to wait before an unfinished job is handed over again, in milliseconds, in case the engine has lost it, for
 * example because an older backup was restored. An engine that still has the job ignores the repetition.
 */
const REPEAT_HANDOVER_MS = 900_000;

/** Hands jobs of one key over to the engine, in the order of `ids`. Idempotent. */
export type HandOverJobs = (job: Pick<JobOutboxRow, 'kind' | 'key'>, ids: readonly number[]) => Promise<void>;

interface RelayOptions {
  readonly outbox: Pick<JobOutbox, 'due' | 'handed' | 'clear' | 'listen'>;
  readonly leases: Pick<WorkerLeases, 'hold' | 'release'>;
  readonly handOver: HandOverJobs;
  readonly heard: (error: unknown) => void;
  readonly againMs?: number;
}

/**
 * Hands over the outbox's jobs, in one process at a time. A job is done once however often it is handed over, and the
 * jobs of a key stay in order, because:
 * 1. A row stays until its job is done or dead, and each attempt first reads the row. A late handover finds no row.
 * 2. The rows of a key are handed over in the order of their ids. A process that was suspended after reading rows only
 * repeats what others have handed over.
 * 3. The engine ignores an id that it already has.
 */
export function startJobRelay(options: RelayOptions): { close(): Promise<void> } {
  const { outbox, leases, heard } = options;
  const closing = new AbortController();
  const bell = createAlarm();
  const listener = outbox.listen(bell.ring);
  let clearAt = 0;
  let isAway = false;

  const pass = async (): Promise<number> => {
    if (!(await leases.hold('job outbox', LEASE_MS))) return 0;
    if (Date.now() >= clearAt) {
      clearAt = Date.now() + CLEAR_INTERVAL_MS;
      await outbox.clear();
    }
    const rows = await outbox.due(BATCH);
    await handOverAll(rows, options);
    return rows.length;
  };
  const loop = async () => {
    for (let pause = SHORTEST_MS; !closing.signal.aborted; ) {
      const found = await pass().catch((error: unknown) => {
        // Report an outage once, and not at each read.
        if (!isAway) heard(error);
        return undefined;
      });
      isAway = found === undefined;
      if (found === BATCH) continue;
      pause = isAway ? OUTAGE_RETRY_MS : found === 0 ? Math.min(pause * 2, LONGEST_MS) : SHORTEST_MS;
      if (await bell.rung(pause)) pause = SHORTEST_MS;
    }
  };
  const looping = loop();
  return {
    async close() {
      closing.abort();
      bell.ring();
      await looping;
      await listener.close();
      await leases.release().catch(heard);
    },
  };
}

async function handOverAll(
  rows: readonly JobOutboxRow[],
  { outbox, handOver, againMs = REPEAT_HANDOVER_MS }: RelayOptions,
): Promise<void> {
  const keys = [...Map.groupBy(rows, ({ kind, key }) => `${kind}|${key}`).values()].values();
  const handed: number[] = [];
  const handOverKeys = async () => {
    for (const [first, ...rest] of keys) {
      if (first === undefined) continue;
      const ids = [first, ...rest].map(({ id }) => id);
      await handOver(first, ids);
      handed.push(...ids);
    }
  };
  const handing = await Promise.allSettled(Array.from({ length: KEYS_AT_ONCE }, handOverKeys));
  if (handed.length > 0) await outbox.handed(handed, againMs);
  for (const one of handing) if (one.status === 'rejected') throw one.reason;
}
