import { isTradeAgentError } from '../../errors/errors.ts';
import type { DueRuns, RunStore, StoredRun } from '../../store/run-store.ts';
import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import { personRuns, type ServerDeps } from '../server-deps.ts';

/** Interval between reads of due runs, in milliseconds. After a full batch, the next batch is read immediately. */
const COLLECT_INTERVAL_MS = 1_000;
const RUN_BATCH = 500;
const MAX_PARALLEL_PEOPLE = 8;
/** Time in milliseconds after which a claimed run is due again, in case the claiming process has crashed. */
const CLAIM_MS = 30_000;
/** A waiting run's poll interval is a quarter of its waiting time so far, within these limits in milliseconds. */
const MIN_POLL_INTERVAL_MS = 2_000;
const MAX_POLL_INTERVAL_MS = 60_000;
/** Maximum number of proposals in a list from the gateway. */
const MAX_LISTED_PROPOSALS = 200;

export interface RunCollectorOptions extends ServerDeps {
  readonly due: DueRuns;
  /** Waits until the shared rate limit allows another request. */
  readonly paced: () => Promise<void>;
}

/**
 * Maintains all users' runs that no process is executing. Wakes runs whose proposals were decided or whose deadline has
 * passed, replaces jobs that may have been lost, and deletes runs that ended long ago. Sends the gateway one
 * request per person for the proposals of all waiting runs. Several collectors may run concurrently.
 */
export async function collectRuns(options: RunCollectorOptions, signal: AbortSignal): Promise<void> {
  const { due, clock, onError } = options;
  while (!signal.aborted) {
    let found = 0;
    try {
      const now = clock.now();
      const runs = await due.claim(now, now + CLAIM_MS, RUN_BATCH);
      found = runs.length;
      const people = [...Map.groupBy(runs, ({ person }) => person)];
      await forEachParallel(people, MAX_PARALLEL_PEOPLE, async ([person, theirs]) => {
        signal.throwIfAborted();
        await processDueRuns(
          options,
          person,
          theirs.map(({ run }) => run),
        ).catch((error: unknown) => onError(`could not process due runs: ${errorLabel(error)}`));
      });
    } catch (error) {
      if (!signal.aborted) onError(`could not read due runs: ${errorLabel(error)}`);
    }
    if (found < RUN_BATCH) await clock.sleep(COLLECT_INTERVAL_MS, signal).catch(() => undefined);
  }
}

/** Returns an error's code or name, but not its message, which may quote data. */
const errorLabel = (error: unknown): string =>
  isTradeAgentError(error) ? error.code : error instanceof Error ? error.name : typeof error;

/** Processes one person's due runs. @param ids the runs' IDs */
async function processDueRuns(options: RunCollectorOptions, person: string, ids: readonly string[]): Promise<void> {
  const runs = personRuns(options, person);
  const waiting: StoredRun[] = [];
  for (const id of ids) {
    const run = await runs.find(id);
    if (run?.state === 'waiting') waiting.push(run);
    else if (run?.state === 'ended') await runs.forget(id);
    else await runs.requeue(id);
  }
  const now = options.clock.now();
  const [over, open] = [true, false].map((wanted) =>
    waiting.filter(({ waitsFor, waitsUntil = 0 }) => (waitsFor.length === 0 || waitsUntil <= now) === wanted),
  ) as [StoredRun[], StoredRun[]];
  for (const { id } of over) await runs.wake(id);
  if (open.length > 0) await pollProposals(options, runs, person, open);
}

async function pollProposals(
  { sessions, clock, paced }: RunCollectorOptions,
  runs: RunStore,
  person: string,
  waiting: readonly StoredRun[],
): Promise<void> {
  await paced();
  let stillOpen: readonly string[];
  try {
    const gateway = createGatewayClient(await sessions.forPerson(person));
    const listed = (await gateway.proposals({ state: 'open', limit: MAX_LISTED_PROPOSALS })).map(({ id }) => id);
    // If the list may be truncated, treats every proposal that a run waits for as open. A watched run is woken by its
    // own event stream.
    stillOpen =
      listed.length < MAX_LISTED_PROPOSALS ? listed : [...listed, ...waiting.flatMap(({ waitsFor }) => waitsFor)];
  } catch (error) {
    // Without a session, the gateway can't be asked. After the person signs in again, their own event stream wakes the
    // run.
    if (!isTradeAgentError(error) || error.code !== 'login_required') throw error;
    for (const { id, waitsUntil = 0 } of waiting) await runs.postponePoll(id, waitsUntil);
    return;
  }
  const now = clock.now();
  for (const { id, waitsFor, waitsSince = now, waitsUntil = now } of waiting) {
    if (waitsFor.every((proposal) => stillOpen.includes(proposal))) {
      const pause = Math.min(Math.max((now - waitsSince) / 4, MIN_POLL_INTERVAL_MS), MAX_POLL_INTERVAL_MS);
      await runs.postponePoll(id, Math.ceil(Math.min(now + pause, waitsUntil)));
    } else {
      await runs.wake(id);
    }
  }
}

async function forEachParallel<T>(all: readonly T[], most: number, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, lane));
}
