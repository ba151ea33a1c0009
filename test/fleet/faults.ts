import { systemClock } from '../../src/machine/clock.ts';
import type { Cluster } from '../postgres/support/cluster.ts';
import type { Breakable } from './processes.ts';

/** What was done to the fleet, and from when until when: `performance.now()`. */
export interface Fault {
  readonly what: 'killed' | 'stopped' | 'cut';
  /** What it was done to: the name of a kind of processes, or the database. */
  readonly to: string;
  readonly from: number;
  readonly until: number;
}

/** How long one stands still at most, milliseconds: as long as a gateway counts as living without a word, and longer. */
const STANDS_MS = 20_000;

interface Breaking {
  /** Kinds of processes, by name: one kind is as likely as another. */
  readonly fleet: Readonly<Record<string, Breakable>>;
  readonly cluster: Pick<Cluster, 'stop' | 'start'>;
  /** Numbers from 0 to 1. */
  random(): number;
  /** Between two, milliseconds at most. */
  readonly pauseMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Kills processes, has them stand still, and cuts the power of their database, one at a time, until the signal aborts. */
export async function breakAtRandom(breaking: Breaking): Promise<Fault[]> {
  const { random, signal, pauseMs } = breaking;
  const faults: Fault[] = [];
  for (;;) {
    await systemClock.sleep(random() * pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return faults;
    const from = performance.now();
    const done = await breakOnce(breaking);
    faults.push({ ...done, from, until: performance.now() });
  }
}

async function breakOnce({ fleet, cluster, random }: Breaking): Promise<Pick<Fault, 'what' | 'to'>> {
  const kinds = Object.entries(fleet);
  const [to, kind] = kinds[Math.floor(random() * kinds.length)] ?? [];
  if (to === undefined || kind === undefined) throw new Error('there is nothing to break');
  const which = Math.floor(random() * kind.count);
  const what = random();
  if (what < 0.5) {
    await kind.kill(which);
    return { what: 'killed', to };
  }
  if (what < 0.8) {
    await kind.standStill(which, random() * STANDS_MS);
    return { what: 'stopped', to };
  }
  await cluster.stop('immediate');
  await cluster.start();
  return { what: 'cut', to: 'database' };
}
