import { isTradeAgentError } from '../../errors/errors.ts';
import type { DueRuns, RunStore, StoredRun } from '../../store/run-store.ts';
import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import { runsOf, type ServerParts } from '../server-parts.ts';

/** Between looks for what is due, milliseconds; a batch that was full is followed by the next at once. */
const EVERY_MS = 1_000;
const BATCH = 500;
/** So many people's proposals are asked about at once. */
const AT_ONCE = 8;
/** What was taken is due again after this, where whoever took it dies. Milliseconds. */
const AGAIN_MS = 30_000;
/** The longer a run waits, the seldomer it is looked at: a fourth of the time it has waited, within these. Milliseconds. */
const SHORTEST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** As many as the gateway lists at once. */
const MOST_OPEN = 200;

export interface CollectorOptions extends ServerParts {
  readonly due: DueRuns;
  /** Waits for its turn to ask the gateway about one person, among all that ask. */
  readonly paced: () => Promise<void>;
}

/**
 * Looks after runs behind which no process stands, of all people, with any number of others that do: of proposals that runs wait
 * for it asks the gateway, one question a person, and has those runs taken up whose proposals have settled, or whose time is
 * over; jobs that may be lost it enqueues again; what has ended long ago it removes.
 */
export async function collectRuns(options: CollectorOptions, signal: AbortSignal): Promise<void> {
  const { due, clock, onError } = options;
  while (!signal.aborted) {
    let found = 0;
    try {
      const now = clock.now();
      const runs = await due.take(now, now + AGAIN_MS, BATCH);
      found = runs.length;
      const people = [...Map.groupBy(runs, ({ person }) => person)];
      await eachOf(people, AT_ONCE, async ([person, theirs]) => {
        signal.throwIfAborted();
        await lookAfter(
          options,
          person,
          theirs.map(({ run }) => run),
        ).catch((error: unknown) => onError(`runs could not be looked after: ${nameOf(error)}`));
      });
    } catch (error) {
      if (!signal.aborted) onError(`what is due could not be read: ${nameOf(error)}`);
    }
    if (found < BATCH) await clock.sleep(EVERY_MS, signal).catch(() => undefined);
  }
}

/** Never a message: it may quote what it choked on. */
const nameOf = (error: unknown): string =>
  isTradeAgentError(error) ? error.code : error instanceof Error ? error.name : typeof error;

/** @param ids of one person's runs that are due */
async function lookAfter(options: CollectorOptions, person: string, ids: readonly string[]): Promise<void> {
  const runs = runsOf(options, person);
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
  if (open.length > 0) await collect(options, runs, person, open);
}

/** Asks how the proposals stand that a person's runs wait for. */
async function collect(
  { sessions, clock, paced }: CollectorOptions,
  runs: RunStore,
  person: string,
  waiting: readonly StoredRun[],
): Promise<void> {
  await paced();
  let stillOpen: readonly string[];
  try {
    const gateway = createGatewayClient(await sessions.of(person));
    const listed = (await gateway.proposals({ state: 'open', limit: MOST_OPEN })).map(({ id }) => id);
    // More than is listed: what is not among them is asked for by those who wait for it.
    stillOpen =
      listed.length < MOST_OPEN ? listed : [...listed, ...waiting.flatMap(({ waitsFor }) => waitsFor)];
  } catch (error) {
    // Nobody can ask in this person's name until they come back: then it is they who watch.
    if (!isTradeAgentError(error) || error.code !== 'login_required') throw error;
    for (const { id, waitsUntil = 0 } of waiting) await runs.lookAgain(id, waitsUntil);
    return;
  }
  const now = clock.now();
  for (const { id, waitsFor, waitsSince = now, waitsUntil = now } of waiting) {
    if (waitsFor.every((proposal) => stillOpen.includes(proposal))) {
      const pause = Math.min(Math.max((now - waitsSince) / 4, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
      await runs.lookAgain(id, Math.ceil(Math.min(now + pause, waitsUntil)));
    } else {
      await runs.wake(id);
    }
  }
}

/** One after the other, so many beside each other. */
async function eachOf<T>(all: readonly T[], most: number, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const lane = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: Math.min(most, all.length) }, lane));
}
