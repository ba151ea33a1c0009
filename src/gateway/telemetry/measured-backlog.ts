import { defined } from '../../values/defined.ts';
import type { Instruments } from './instruments.ts';

/** The jobs, schedules and leases that a tenant's workers share. */
export interface Backlog {
  readonly jobs: readonly {
    readonly kind: string;
    readonly waiting: number;
    /** Seconds since the oldest waiting job was enqueued; 0 if none is waiting. */
    readonly oldest: number;
    readonly running: number;
  }[];
  readonly dead: number;
  readonly schedulesDue: number;
  /** Tasks that only one worker at a time performs, and whether a worker is performing each of them now. */
  readonly leases: readonly { readonly name: string; readonly isHeld: boolean }[];
}

/**
 * Reads the backlog once for each scrape. If that fails, the gauges keep their last values, and the gauge
 * `backlog.read` is 0.
 */
export function measureBacklog({ meter }: Pick<Instruments, 'meter'>, read: () => Promise<Backlog>): void {
  const gauge = (name: string, description: string, unit?: string) =>
    meter.createObservableGauge(`trade_agent.${name}`, {
      description,
      ...defined({ unit }),
    });
  const waiting = gauge('jobs.waiting', 'Jobs that are due and not running.');
  const oldest = gauge('jobs.oldest', 'How long the oldest waiting job has been waiting.', 's');
  const running = gauge('jobs.running', 'Jobs that a worker is running.');
  const dead = gauge('jobs.dead', 'Jobs that failed permanently.');
  const due = gauge('schedules.due', 'Schedules that are due and have no job yet.');
  const held = gauge('worker.lease', 'Whether a worker holds the lease: 1 or 0.');
  const isRead = gauge(
    'backlog.read',
    'Whether the backlog was read for this scrape: 1, or 0 if the values are older.',
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
