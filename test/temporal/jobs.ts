import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import type { JobQueue } from '../../src/jobs/job-queue.ts';
import { createTemporalQueue } from '../../src/jobs/temporal/temporal-queue.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import type { OpenedJobs } from '../contract/jobs/job-queue.ts';
import type { TestDatabase } from '../postgres/support/database.ts';
import { NAMESPACE, startTemporal, type TemporalServer } from './temporal-server.ts';

/** @throws {Error} where there is none on this machine */
export const startedTemporal = (): Promise<TemporalServer> => startTemporal(inject('temporalBinary') ?? '');

interface QueueOptions {
  readonly heard?: (error: unknown) => void;
  readonly againMs?: number;
}

export const queueAt = (address: string, database: TenantDatabase, options: QueueOptions = {}): JobQueue =>
  createTemporalQueue({
    ...{ database, connection: () => ({ address, tls: false }), namespace: NAMESPACE },
    ...options,
  });

/** A script that takes one job after the other and ends none; and what it is given. */
export const hangingWorker = (address: string, server: TestDatabase, tenant: string): readonly string[] => [
  fileURLToPath(new URL('hanging-worker.ts', import.meta.url)),
  ...[address, NAMESPACE, server.app, tenant],
];

/** Jobs of a new tenant. */
export async function openJobs(server: TestDatabase, temporal: TemporalServer): Promise<OpenedJobs> {
  const { address } = temporal;
  const database = await server.open();
  const opened: JobQueue[] = [];
  const open = async (tenant = database.tenant) => {
    const jobs = queueAt(address, await server.open(tenant));
    opened.push(jobs);
    return jobs;
  };
  return {
    database,
    open: () => open(),
    async openOther() {
      const other = await server.open();
      return { database: other, jobs: await open(other.tenant) };
    },
    // Three tries take three seconds.
    hurry: async () => undefined,
    hangingWorker: hangingWorker(address, server, database.tenant),
    // Each is a workflow of its own, of a server on the same processors.
    perSecond: 2,
    close: async () => void (await Promise.all(opened.map((jobs) => jobs.close({ drainMs: 0 })))),
  };
}
