import { defined } from '../../values/defined.ts';
import type { Instruments } from './instruments.ts';

/** A tenant's backlog, for all workers together. */
export interface Backlog {
  readonly jobs: readonly {
    readonly kind: string;
    /** Due, and not running. */
    readonly waiting: number;
    /** Seconds since the first of these was enqueued; 0 without any. */
    readonly oldest: number;
    readonly running: number;
  }[];
  readonly dead: number;
  /** Schedules that are due and have no job yet. */
  readonly schedulesDue: number;
  /** Work that only one worker does, and whether one does. */
  readonly leases: readonly { readonly name: string; readonly isHeld: boolean }[];
}

/**
 * Reads the backlog once for each scrape. If that fails the gauges keep their last values, which `backlog.read` shows.
 */
export function measureBacklog({ meter }: Pick<Instruments, 'meter'>, read: () => Promise<Backlog>): void {
  const gauge = (name: string, description: string, unit?: string) =>
    meter.createObservableGauge(`trade_agent.${name}`, {
      description,
      ...defined({ unit }),
    });
  const waiting = gauge('jobs.waiting', 'Jobs that are to be done now and that nobody does.');
  const oldest = gauge('jobs.oldest', 'How long the first of these has waited.', 's');
  const running = gauge('jobs.running', 'Jobs that a worker does.');
  const dead = gauge('jobs.dead', 'Jobs that failed for good.');
  const due = gauge('schedules.due', 'Schedules to be looked at, of which no job is made yet.');
  const held = gauge('worker.lease', 'Whether a worker does what one alone does: 1 or 0.');
  const isRead = gauge(
    'backlog.read',
    'Whether what waits could be read just now: 1, or 0 where it is of an earlier look.',
  );
  meter.addBatchObservableCallback(
    async (result) => {
      const backlog = await read().catch(() => undefined);
      result.observe(isRead, backlog === undefined ? 0 : 1);
      if (backlog === undefined) return;
      for (const { kind, ...jobs } of backlog.jobs) {
        result.observe(waiting, jobs.waiting, { kind });
        result.observe(oldest, jobs.oldest, { kind });
        result.observe(running, jobs.running, { kind });
      }
      result.observe(dead, backlog.dead);
      result.observe(due, backlog.schedulesDue);
      for (const { name, isHeld } of backlog.leases) result.observe(held, isHeld ? 1 : 0, { name });
    },
    [isRead, waiting, oldest, running, dead, due, held],
  );
}
