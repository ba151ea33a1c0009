import type { JobKind } from './job.ts';

/** How often one is tried again. What fails thrice is not mended by time, and whoever waits for it is to be told. */
export const RETRY_LIMIT = 2;
/** Before it is tried again, seconds: twice as long each time. */
export const RETRY_SECONDS = 1;
/** How often a worker says that it lives, milliseconds: thrice before its jobs count as lost. */
export const RENEW_MS = 3_000;
/** A worker that says nothing for so long has lost its jobs; the least that pg-boss takes. */
export const HEARTBEAT_SECONDS = 10;
/** The dead are for people to look at. */
export const KEEP_DEAD_SECONDS = 30 * 24 * 3600;
/** So long has what is under way to end where it closes, milliseconds: less than what orchestrators wait before they kill. */
export const DRAIN_MS = 20_000;
/** So long has a job to end once its signal aborted, milliseconds. */
export const ABORT_MS = 2_000;

/** How long one may take, seconds. A run asks a language model many times; the others ask a gateway or send a message. */
export const expireInSeconds: Readonly<Record<JobKind, number>> = {
  run: 900,
  collect: 120,
  check: 300,
  notice: 120,
  reconcile: 120,
};
