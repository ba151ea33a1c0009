import { setTimeout as sleep } from 'node:timers/promises';
import type { Claim } from './claims.ts';

/** Between two tries to say it, milliseconds: twice as long each time, up to the longest. */
const [SHORTEST_MS, LONGEST_MS] = [100, 2_000];
/**
 * What was said of a job is not waited for until it is on disk: a database that is lost may have forgotten it for so long,
 * milliseconds. PostgreSQL takes three times its `wal_writer_delay` at most, 200 ms unless it is set otherwise.
 */
const UNSURE_MS = 5_000;

/** What became of jobs, as a database that comes and goes is told it. Unsaid, a job holds up its key until it counts as lost. */
export interface Outcomes {
  /** Says it until it is heard, for as long as the job is ours. */
  say(claim: Claim, say: () => Promise<void>): Promise<void>;
  /** Says again what was said lately: the database may have been away. */
  again(): void;
}

export function createOutcomes({
  isOurs,
  heard,
}: {
  readonly isOurs: (claim: Claim) => boolean;
  /** Told why it could not be said. */
  readonly heard: (error: unknown) => void;
}): Outcomes {
  /** In the order in which it was said. */
  const said = new Map<Claim, { readonly at: number; readonly say: () => Promise<void> }>();
  return {
    async say(claim, say) {
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
    again() {
      for (const { say } of said.values()) say().catch(heard);
    },
  };
}
