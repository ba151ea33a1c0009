import type { Hono } from 'hono';
import { clockOffset } from '../../auth/provider/provider-clock.ts';
import type { Clock } from '../../machine/clock.ts';
import { defined } from '../../values/defined.ts';
import type { Authenticator } from '../auth/authenticator.ts';

export interface HealthOptions {
  /** Runs a cheap query. @throws if the store does not respond */
  readonly askStore: () => Promise<unknown>;
  readonly isShut: () => boolean;
  readonly clocks?: (() => Promise<ClockOffsets>) | undefined;
}

/** Seconds by which this machine's clock is ahead of another clock. Absent if unknown or if both are the same clock. */
interface ClockOffsets {
  readonly provider?: number;
  readonly database?: number;
}

/** Measures the offsets of this machine's clock. @param databaseTime returns milliseconds since the epoch */
export async function measureClockOffsets(
  { issuer, clock }: { readonly issuer: string; readonly clock: Clock },
  databaseTime: (() => Promise<number>) | undefined,
): Promise<ClockOffsets> {
  const provider = clockOffset(issuer, clock);
  const askedAt = clock.now();
  const database = await databaseTime?.();
  // The database read its clock at some time between the request and the response, so the middle is the best estimate.
  const middle = (askedAt + clock.now()) / 2;
  return {
    ...defined({ provider }),
    ...(database === undefined ? {} : { database: Math.round(middle - database) / 1000 }),
  };
}

/** Timeout of the query, in milliseconds. A store that takes longer counts as down. */
const STORE_TIMEOUT_MS = 2_000;

/**
 * Adds `/healthz`, which returns 200 while the process runs, and `/readyz`, which returns 503 if the gateway is
 * shutting down or its store does not respond. `/readyz` still returns 200 if a clock is wrong, but reports it. It does
 * not check brokers and the provider, because all gateways share them.
 */
export function addHealthRoutes(
  app: Hono,
  authenticator: Authenticator,
  { askStore, isShut, clocks }: HealthOptions,
): void {
  app.get(
    '/healthz',
    authenticator.open((c) => c.json({ status: 'ok' })),
  );
  app.get(
    '/readyz',
    authenticator.open(async (c) => {
      const unready = (reason: string) =>
        c.json({ status: 'not ready', reason }, 503, { 'retry-after': '5', 'cache-control': 'no-store' });
      const reason = await findReasonNotReady({ askStore, isShut });
      if (reason !== undefined) return unready(reason);
      const offsets = clocks === undefined ? undefined : await withTimeout(clocks());
      const known = offsets !== undefined && Object.keys(offsets).length > 0;
      return c.json({ status: 'ready', ...(known ? { clock_ahead_seconds: offsets } : {}) });
    }),
  );
}

/** Returns why the gateway is not ready; undefined if it is ready. */
export async function findReasonNotReady({
  askStore,
  isShut,
}: Pick<HealthOptions, 'askStore' | 'isShut'>): Promise<'closing' | 'store' | undefined> {
  if (isShut()) return 'closing';
  const answered = await withTimeout(askStore().then(() => true));
  return answered === true ? undefined : 'store';
}

async function withTimeout<T>(asked: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), STORE_TIMEOUT_MS);
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
