import { systemClock } from '../../src/machine/clock.ts';
import type { Cluster } from '../postgres/support/cluster.ts';
import type { Link } from './links.ts';
import type { Breakable } from './processes.ts';

export const faultKinds = ['killed', 'stopped', 'power cut', 'cut', 'black hole'] as const;

/** What was done to the fleet, and from when until when: `performance.now()`. */
export interface Fault {
  readonly what: (typeof faultKinds)[number];
  /** What it was done to: the name of a kind of processes or connections, or the database. */
  readonly to: string;
  readonly from: number;
  readonly until: number;
}

/** How long one stands still at most, milliseconds: as long as a process counts as living without a word, and longer. */
const STANDS_MS = 20_000;
/** How long a connection is cut, or swallows everything, at most. */
const BROKEN_MS = 10_000;

interface Breaking {
  /** Kinds of processes, by name: one kind is as likely as another. */
  readonly fleet: Readonly<Record<string, Breakable>>;
  readonly links: readonly Link[];
  readonly cluster: Pick<Cluster, 'stop' | 'start'>;
  /** Numbers from 0 to 1. */
  random(): number;
  /** Between two, milliseconds at most. */
  readonly pauseMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Kills processes, has them stand still, breaks connections, and cuts the power of the database, one at a time, until the
 * signal aborts.
 */
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

async function breakOnce({ fleet, links, cluster, random }: Breaking): Promise<Pick<Fault, 'what' | 'to'>> {
  const oneOf = <T>(all: readonly T[]): T => {
    const found = all[Math.floor(random() * all.length)];
    if (found === undefined) throw new Error('there is nothing to break');
    return found;
  };
  const [to, kind] = oneOf(Object.entries(fleet));
  const which = Math.floor(random() * kind.count);
  const what = random();
  if (what < 0.35) {
    await kind.kill(which);
    return { what: 'killed', to };
  }
  if (what < 0.55) {
    await kind.standStill(which, random() * STANDS_MS);
    return { what: 'stopped', to };
  }
  if (what < 0.7) {
    await oneOf(links).cut(random() * BROKEN_MS);
    return { what: 'cut', to: 'connection' };
  }
  if (what < 0.85) {
    await oneOf(links).blackHole(random() * BROKEN_MS);
    return { what: 'black hole', to: 'connection' };
  }
  await cluster.stop('immediate');
  await cluster.start();
  return { what: 'power cut', to: 'database' };
}
