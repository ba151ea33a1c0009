import { setTimeout as sleep } from 'node:timers/promises';
import { TradeAgentError } from '../../errors/errors.ts';
import { alarm, within } from '../alarm.ts';
import type { JobHandler } from '../job-queue.ts';
import { ABORT_MS, parseJob, RENEW_MS } from '../job-queue.ts';
import type { Claim, Claims } from './claims.ts';

/**
 * Between fetches without a notification (enqueued jobs notify, jobs that become due don't), and between retries of
 * reporting an outcome; doubles up to the maximum.
 */
const [SHORTEST_MS, LONGEST_MS] = [100, 2_000];
/**
 * A pause before fetching when all slots were in use: a fetch scans every waiting key (65 ms for 20,000), so it
 * should get several jobs.
 */
const GATHER_MS = 20;

/**
 * Outcomes are not fsynced: a crashed database may lose those of this period. PostgreSQL's maximum is three times
 * `wal_writer_delay`, 200 ms by default.
 */
const UNSURE_MS = 5_000;

interface WorkerOptions {
  readonly claims: Claims;
  readonly handler: JobHandler;
  readonly concurrency: number;
  readonly heard: (error: unknown) => void;
}

export type Worker = ReturnType<typeof startWorker>;

interface Running {
  readonly claim: Claim;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Does the jobs of one queue. pg-boss's `work` settles jobs fetched together only when the last has ended, and blocks
 * the others' keys until then; here each is settled separately.
 */
export function startWorker({ claims, handler, concurrency, heard }: WorkerOptions) {
  const running = new Map<Claim, Running>();
  const closing = new AbortController();
  const bell = alarm();

  const outcomes = createOutcomes({
    isOurs: (claim) => !closing.signal.aborted && running.has(claim),
    heard,
  });

  const settle = async (claim: Claim, signal: AbortSignal): Promise<void> => {
    let failure: { error: unknown } | undefined;
    try {
      await handler(parseJob(claim.data), signal);
    } catch (error) {
      failure = { error };
    }
    // Given back or lost: the outcome is not this attempt's to report.
    if (!running.has(claim)) return;
    if (failure === undefined) return await outcomes.say(claim, () => claims.done(claim));
    if (closing.signal.aborted && signal.aborted) return await claims.giveBack(claim);
    heard(failure.error);
    const code = failure.error instanceof TradeAgentError ? failure.error.code : 'internal';
    await outcomes.say(claim, () => claims.failed(claim, code));
  };
  const begin = (claim: Claim) => {
    const abort = new AbortController();
    const expiry = setTimeout(() => abort.abort(), claim.expireInSeconds * 1000);
    const ended = Promise.resolve()
      .then(() => settle(claim, abort.signal))
      // If reporting fails, the job counts as lost and is done again.
      .catch(heard)
      .finally(() => {
        clearTimeout(expiry);
        running.delete(claim);
        bell.ring();
      });
    running.set(claim, { claim, abort, ended });
  };
  const fetch = async (): Promise<number> => {
    const fetched = await claims.fetch(concurrency - running.size);
    if (closing.signal.aborted) await Promise.all(fetched.map((claim) => claims.giveBack(claim)));
    else for (const claim of fetched) begin(claim);
    return fetched.length;
  };
  const gather = async () => {
    if (await bell.rung(LONGEST_MS)) await sleep(GATHER_MS);
  };
  const loop = async () => {
    for (let pause = SHORTEST_MS; !closing.signal.aborted; ) {
      const free = concurrency - running.size;
      if (free === 0) {
        await gather();
        continue;
      }
      const found = await fetch().catch((error: unknown) => {
        heard(error);
        return 0;
      });
      pause = found > 0 ? SHORTEST_MS : Math.min(pause * 2, LONGEST_MS);
      if (found < free && (await bell.rung(pause))) pause = SHORTEST_MS;
    }
  };
  const renew = async () => {
    const held = [...running.keys()];
    if (held.length === 0) return;
    for (const lost of await claims.renew(held)) {
      const job = running.get(lost);
      running.delete(lost);
      job?.abort.abort();
    }
  };
  const renewing = setInterval(() => void renew().catch(heard), RENEW_MS);
  const looping = loop();

  return {
    wake: bell.ring,
    /** The same, and the database may have restarted: recent outcomes are reported again. */
    again(): void {
      outcomes.again();
      bell.ring();
    },
    async close(drainMs: number): Promise<void> {
      closing.abort();
      bell.ring();
      await looping;
      const all = () => Promise.all([...running.values()].map(({ ended }) => ended));
      await within(drainMs, all());
      for (const { abort } of running.values()) abort.abort();
      await within(ABORT_MS, all());
      const left = [...running.keys()];
      running.clear();
      await Promise.all(left.map((claim) => claims.giveBack(claim).catch(heard)));
      clearInterval(renewing);
    },
  };
}

/** Reports jobs' outcomes to a database that may be away. An unreported job blocks its key until it counts as lost. */
function createOutcomes({
  isOurs,
  heard,
}: {
  readonly isOurs: (claim: Claim) => boolean;
  readonly heard: (error: unknown) => void;
}) {
  /** In the order of reporting. */
  const said = new Map<Claim, { readonly at: number; readonly say: () => Promise<void> }>();
  return {
    /** Reports until it succeeds, as long as the job is ours. */
    async say(claim: Claim, say: () => Promise<void>): Promise<void> {
      for (let pause = SHORTEST_MS; ; pause = Math.min(pause * 2, LONGEST_MS)) {
        try {
          await say();
          break;
        } catch (error) {
          heard(error);
        }
        await sleep(pause);
        if (!isOurs(claim)) return;
      }
      const now = performance.now();
      for (const [one, { at }] of said) {
        if (at >= now - UNSURE_MS) break;
        said.delete(one);
      }
      said.set(claim, { at: now, say });
    },
    /** Reports recent outcomes again: the database may have lost them. */
    again(): void {
      for (const { say } of said.values()) say().catch(heard);
    },
  };
}
