import type { WorkerLeases } from '../../store/schedule-rows.ts';
import { alarm } from '../alarm.ts';
import type { Outbox, OutboxRow } from './outbox.ts';

/** Whoever hands over is alone for so long, milliseconds: of two, one would only repeat the other. */
const LEASE_MS = 5_000;
/** Between two looks where there is nothing, milliseconds: what was enqueued wakes, what becomes due does not. */
const [SHORTEST_MS, LONGEST_MS] = [100, 1_000];
/** Between two tries where Temporal or the database is away, milliseconds. */
const AWAY_MS = 2_000;
/** How many rows are handed over before it is looked again; and of how many keys at once. */
const [BATCH, KEYS_AT_ONCE] = [500, 16];
/** How often the dead are cleared away that nobody is to look at any more, milliseconds. */
const CLEAR_MS = 3_600_000;

/**
 * What is handed over and not done after so long is handed over again, milliseconds: for an engine that lost it (another
 * namespace, an older backup). One that has it still takes it for what it is.
 */
const AGAIN_MS = 900_000;

/** Makes jobs of one key known to the engine, in this order; as often as one likes. */
export type HandOver = (job: Pick<OutboxRow, 'kind' | 'key'>, ids: readonly number[]) => Promise<void>;

interface RelayOptions {
  readonly outbox: Pick<Outbox, 'due' | 'handed' | 'clear' | 'listen'>;
  readonly leases: Pick<WorkerLeases, 'hold' | 'release'>;
  readonly handOver: HandOver;
  readonly heard: (error: unknown) => void;
  readonly againMs?: number;
}

/**
 * Hands over what is in the outbox, by one process at a time. Why a job is one however often it is handed over, and those of a
 * key stay in order:
 *
 * 1. A row is there until its job is done or dead, and who is to do it looks for it first: what is handed over late finds none.
 * 2. Rows of a key are handed over in the order of their ids, each only after those before it: who wakes, having stood still
 *    with rows in hand, repeats what others handed over, and goes before nothing.
 * 3. The engine takes an id once while it has it.
 */
export function startRelay(options: RelayOptions): { close(): Promise<void> } {
  const { outbox, leases, heard } = options;
  const closing = new AbortController();
  const bell = alarm();
  const listener = outbox.listen(bell.ring);
  let clearAt = 0;
  let isAway = false;

  const pass = async (): Promise<number> => {
    if (!(await leases.hold('job outbox', LEASE_MS))) return 0;
    if (Date.now() >= clearAt) {
      clearAt = Date.now() + CLEAR_MS;
      await outbox.clear();
    }
    const rows = await outbox.due(BATCH);
    await handOverAll(rows, options);
    return rows.length;
  };
  const loop = async () => {
    for (let pause = SHORTEST_MS; !closing.signal.aborted; ) {
      const found = await pass().catch((error: unknown) => {
        // Once, not at each look.
        if (!isAway) heard(error);
        return undefined;
      });
      isAway = found === undefined;
      if (found === BATCH) continue;
      pause = isAway ? AWAY_MS : found === 0 ? Math.min(pause * 2, LONGEST_MS) : SHORTEST_MS;
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
  rows: readonly OutboxRow[],
  { outbox, handOver, againMs = AGAIN_MS }: RelayOptions,
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
