import { TradeAgentError } from '../../errors/errors.ts';
import { postgresWorkerLeases } from '../../store/postgres/state/worker-leases.ts';
import type { TenantDatabase } from '../../store/postgres/tenant-database.ts';
import { defined } from '../../values/defined.ts';
import type { JobQueue } from '../job-queue.ts';
import { DEFAULT_DRAIN_MS, parseTenantJob } from '../job-queue.ts';
import { createJobOutbox } from './outbox.ts';
import { startJobRelay } from './relay.ts';
import { openTemporal, type Temporal } from './temporal-engine.ts';
import type { ConnectionOptions } from './temporal-sdk.ts';

export interface TemporalQueueOptions {
  /** The server's database; the caller closes it after the queue. */
  readonly database: TenantDatabase;
  /** Called when the queue starts to process jobs. Enqueueing needs no connection. */
  readonly connection: () => ConnectionOptions;
  readonly namespace: string;
  /** Receives errors that reach no caller, such as a failed job or an unavailable engine or database. */
  readonly onError?: (error: unknown) => void;
  /** How long to wait before an unfinished job is handed over again, in milliseconds. */
  readonly againMs?: number;
}

/**
 * Returns a job queue on Temporal. Jobs are rows of an outbox, which workers hand over to Temporal. Enqueueing a job
 * needs neither Temporal nor its libraries.
 */
export function createTemporalQueue(options: TemporalQueueOptions): JobQueue {
  const { database, connection, namespace, onError: heard = () => undefined, againMs } = options;
  const { tenant } = database;
  const outbox = createJobOutbox(database);
  const kinds = new Set<string>();
  let temporal: Promise<Temporal> | undefined;
  let relay: ReturnType<typeof startJobRelay> | undefined;
  let closed: Promise<void> | undefined;

  const end = async (drainMs: number) => {
    const engine = await temporal?.catch(() => undefined);
    await engine?.drain(drainMs);
    await relay?.close();
    await engine?.close();
  };
  return {
    async enqueue(unit, given, { at } = {}) {
      await outbox.add(unit, parseTenantJob(tenant, given), at);
    },
    async work(kind, handler, { concurrency = 4 } = {}) {
      if (closed !== undefined || kinds.has(kind))
        throw new TradeAgentError('internal', `${kind} jobs already have a worker, or the queue is closed`);
      kinds.add(kind);
      temporal ??= openTemporal({ connection: connection(), namespace, tenant, outbox, heard });
      const engine = await temporal;
      await engine.work(kind, handler, concurrency);
      relay ??= startJobRelay({
        outbox,
        leases: postgresWorkerLeases(database),
        handOver: engine.handOver,
        heard,
        ...defined({ againMs }),
      });
    },
    dead: (limit = 100) => outbox.dead(limit),
    close: ({ drainMs = DEFAULT_DRAIN_MS } = {}) => (closed ??= end(drainMs)),
  };
}
