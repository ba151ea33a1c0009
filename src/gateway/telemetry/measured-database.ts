import { setTimeout } from 'node:timers/promises';
import type { ObservableGauge } from '@opentelemetry/api';
import type { Clock } from '../../machine/clock.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { MAX_COUNTED } from '../../store/sql/sql-database.ts';
import { isSettledState, type ProposalState } from '../../trading/proposal.ts';
import { measureClockOffsets } from '../routes/health.ts';
import type { Instruments } from './instruments.ts';

/** How long a scrape may wait for the database, in milliseconds. */
const READ_TIMEOUT_MS = 2_000;
/** How long a count of the open proposals is reused, in milliseconds: counting many proposals takes a long time. */
const COUNT_VALID_MS = 60_000;

export interface MeasuredDatabaseOptions {
  readonly issuer: string;
  readonly clock: Clock;
}

type Reading = readonly [gauge: ObservableGauge, read: () => Promise<number | undefined>];

/**
 * Records the metrics of the database at each scrape. The cost of a scrape does not depend on the number of proposals.
 * If the database does not respond in time, the gauges that were not read are left out, and `trade_agent.database.read`
 * is 0.
 */
export function recordDatabaseMetrics(
  { meter }: Pick<Instruments, 'meter'>,
  { connections, queue, proposals, audit, databaseTime }: GatewayStores,
  { issuer, clock }: MeasuredDatabaseOptions,
): void {
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(`trade_agent.${name}`, { description });
  const poolGauge = (key: 'max' | 'size' | 'inUse' | 'waiting', name: string, description: string) =>
    gauge(`database.pool.${name}`, description).addCallback((result) => {
      for (const pool of connections?.pools() ?? []) result.observe(pool[key], { pool: pool.name });
    });
  // Created first, because gauges are observed in this order, and a scrape must not count its own requests.
  poolGauge('max', 'max', 'Connections that the pool may open.');
  poolGauge('size', 'size', 'Connections that the pool has open.');
  poolGauge('inUse', 'in_use', 'Connections that are in use.');
  poolGauge('waiting', 'waiting', 'Requests that wait for a connection.');
  const ahead = gauge('clock.ahead_seconds', 'How far this machine’s clock is ahead of another.');
  const isRead = gauge('database.read', 'Whether the database answered this scrape: 1 or 0.');
  const ageSince = (at: number | undefined) => (at === undefined ? 0 : Math.max(0, clock.now() - at) / 1000);
  const readings: Reading[] = [
    ...(connections === undefined
      ? []
      : [[gauge('database.lock_waits', 'Connections that wait for a lock.'), () => connections.lockWaits()] as const]),
    [
      gauge('proposals.due.age_seconds', 'How long the oldest due proposal has been due; 0 if none is.'),
      async () => (await queue.overdueMs(clock.now())) / 1000,
    ],
    [
      gauge(
        'notifications.unsent.age_seconds',
        'Age of the oldest outcome that the phone has not been notified of; 0 if none.',
      ),
      async () => ageSince(await proposals.oldestUnreported()),
    ],
    [
      gauge('audit_log.pending_lines', 'Lines of the audit log that are not in its tree yet.'),
      () => audit.pendingCount(),
    ],
  ];
  meter.addBatchObservableCallback(
    async (result) => {
      // Reads one value after the other, so that a scrape uses one connection at a time.
      const readAll = async () => {
        for (const [gauge, read] of readings) result.observe(gauge, (await read()) ?? 0);
        const offsets = await measureClockOffsets({ issuer, clock }, databaseTime);
        for (const [of, seconds] of Object.entries(offsets)) result.observe(ahead, seconds, { of });
        return true;
      };
      const over = new AbortController();
      const late = setTimeout(READ_TIMEOUT_MS, false, { signal: over.signal }).catch(() => false);
      result.observe(isRead, (await Promise.race([readAll().catch(() => false), late])) ? 1 : 0);
      over.abort();
    },
    [ahead, isRead, ...readings.map(([gauge]) => gauge)],
  );
}

/** Wraps the queue to record `trade_agent.proposals.claimed`: the number of proposals that this process works on. */
export function measuredQueue({ meter }: Pick<Instruments, 'meter'>, { queue }: Pick<GatewayStores, 'queue'>) {
  const claimed = new Set<string>();
  meter
    .createObservableGauge('trade_agent.proposals.claimed', {
      description: 'Proposals that this process has claimed.',
    })
    .addCallback((result) => result.observe(claimed.size));
  return {
    ...queue,
    async claimDue(...args) {
      const due = await queue.claimDue(...args);
      for (const id of due.ids) claimed.add(id);
      return due;
    },
    async claim(id, isPing) {
      const isOurs = await queue.claim(id, isPing);
      if (isOurs) claimed.add(id);
      return isOurs;
    },
    async release(id, ...args) {
      claimed.delete(id);
      return await queue.release(id, ...args);
    },
    async renew(ids) {
      const lost = await queue.renew(ids);
      for (const id of lost) claimed.delete(id);
      return lost;
    },
  } satisfies GatewayStores['queue'];
}

/**
 * Creates a counter of open proposals. Counts them at most once a minute, so that the cost of a scrape does not depend
 * on their number, and adjusts the count by this process's own changes in between.
 */
export function createOpenProposalCounter(count: () => Promise<number>) {
  let counted: Promise<number> | undefined;
  let countedAt = 0;
  let change = 0;
  return {
    async read(): Promise<number> {
      if (counted === undefined || performance.now() - countedAt >= COUNT_VALID_MS) {
        [counted, countedAt, change] = [count(), performance.now(), 0];
        counted.catch(() => {
          counted = undefined;
        });
      }
      const found = await counted;
      return found >= MAX_COUNTED ? found : Math.max(0, found + change);
    },
    /** @param before undefined if the proposal is new */
    moved(before: ProposalState | undefined, after: ProposalState): void {
      const isOpen = (state: ProposalState | undefined) => Number(state !== undefined && !isSettledState(state));
      change += isOpen(after) - isOpen(before);
    },
  };
}
