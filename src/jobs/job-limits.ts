import type { JobKind } from './job.ts';

/** Retries. A job that fails three times won't succeed later, and its waiter must be told. */
export const RETRY_LIMIT = 2;
/** The first retry delay, seconds; doubles each time. */
export const RETRY_SECONDS = 1;
/** A worker's heartbeat interval: three before its jobs count as lost. */
export const RENEW_MS = 3_000;
/** A worker silent for so long has lost its jobs; pg-boss's minimum. */
export const HEARTBEAT_SECONDS = 10;
/** Dead jobs are kept for people to inspect. */
export const KEEP_DEAD_SECONDS = 30 * 24 * 3600;
/** How long running jobs may take when closing: less than orchestrators wait before they kill. */
export const DRAIN_MS = 20_000;
/** How long a job may take after its signal aborted. */
export const ABORT_MS = 2_000;

/** A job's time limit, seconds. A run asks a language model many times; the others ask a gateway or send a message. */
export const expireInSeconds: Readonly<Record<JobKind, number>> = {
  run: 900,
  collect: 120,
  check: 300,
  notice: 120,
  reconcile: 120,
};
