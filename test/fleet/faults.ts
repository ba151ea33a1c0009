import { systemClock } from '../../src/machine/clock.ts';
import type { Cluster } from '../postgres/support/cluster.ts';
import type { Fleet } from './fleet.ts';

/** What was done to the fleet, and from when until when: `performance.now()`. */
export interface Fault {
  readonly what: 'killed' | 'stopped' | 'cut';
  readonly from: number;
  readonly until: number;
}

/** How long one stands still at most, milliseconds: as long as a gateway counts as living without a word, and longer. */
const STANDS_MS = 20_000;

interface Breaking {
  readonly fleet: Fleet;
  readonly cluster: Pick<Cluster, 'stop' | 'start'>;
  /** Numbers from 0 to 1. */
  random(): number;
  /** Between two, milliseconds at most. */
  readonly pauseMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Kills gateways, has them stand still, and cuts the power of their database, one at a time, until the signal aborts. */
export async function breakAtRandom(breaking: Breaking): Promise<Fault[]> {
  const { random, signal, pauseMs } = breaking;
  const faults: Fault[] = [];
  for (;;) {
    await systemClock.sleep(random() * pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return faults;
    const from = performance.now();
    const what = await breakOnce(breaking);
    faults.push({ what, from, until: performance.now() });
  }
}

async function breakOnce({ fleet, cluster, random }: Breaking): Promise<Fault['what']> {
  const which = Math.floor(random() * fleet.count);
  const what = random();
  if (what < 0.5) {
    await fleet.kill(which);
    return 'killed';
  }
  if (what < 0.8) {
    await fleet.standStill(which, random() * STANDS_MS);
    return 'stopped';
  }
  await cluster.stop('immediate');
  await cluster.start();
  return 'cut';
}
