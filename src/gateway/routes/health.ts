import type { Hono } from 'hono';
import { clockOffset } from '../../auth/provider/provider-clock.ts';
import type { Clock } from '../../machine/clock.ts';
import { defined } from '../../values/defined.ts';
import type { Door } from '../door/door.ts';

export interface HealthOptions {
  /** Asks the store for next to nothing. @throws where it does not answer */
  readonly askStore: () => Promise<unknown>;
  /** Whether it lets nobody in any more. */
  readonly isShut: () => boolean;
  /** How far this machine's clock is from the others'. */
  readonly clocks?: (() => Promise<ClockOffsets>) | undefined;
}

/** Seconds that this machine's clock is ahead of each; left out where it is not known, or is the same clock. */
interface ClockOffsets {
  readonly provider?: number;
  readonly database?: number;
}

/** @param databaseTime milliseconds since the epoch */
export async function clockOffsets(
  { issuer, clock }: { readonly issuer: string; readonly clock: Clock },
  databaseTime: (() => Promise<number>) | undefined,
): Promise<ClockOffsets> {
  const provider = clockOffset(issuer, clock);
  const askedAt = clock.now();
  const database = await databaseTime?.();
  // The database said it at some time in between.
  const middle = (askedAt + clock.now()) / 2;
  return {
    ...defined({ provider }),
    ...(database === undefined ? {} : { database: Math.round((middle - database) / 1000) }),
  };
}

/** A disk, or a database elsewhere, that takes longer than this to say a number does not answer. Milliseconds. */
const STORE_MS = 2_000;

/**
 * For who looks after the process. `/healthz`: it runs, and is to be left alone. `/readyz`: 200 where it takes requests, 503
 * where none should be sent to it now: it shuts down, or its store does not answer. A broker or an identity provider that
 * is down is neither: the next gateway would have no better one. Nor is a clock that is off: it is reported, and does no harm.
 */
export function healthRoutes(app: Hono, door: Door, { askStore, isShut, clocks }: HealthOptions): void {
  app.get(
    '/healthz',
    door.open((c) => c.json({ status: 'ok' })),
  );
  app.get(
    '/readyz',
    door.open(async (c) => {
      const unready = (reason: string) =>
        c.json({ status: 'not ready', reason }, 503, { 'retry-after': '5', 'cache-control': 'no-store' });
      const reason = await unreadiness({ askStore, isShut });
      if (reason !== undefined) return unready(reason);
      const offsets = clocks === undefined ? undefined : await inTime(clocks());
      const known = offsets !== undefined && Object.keys(offsets).length > 0;
      return c.json({ status: 'ready', ...(known ? { clock_ahead_seconds: offsets } : {}) });
    }),
  );
}

/** Why nothing should be sent to the process now; undefined where it may be. */
export async function unreadiness({
  askStore,
  isShut,
}: Pick<HealthOptions, 'askStore' | 'isShut'>): Promise<'closing' | 'store' | undefined> {
  if (isShut()) return 'closing';
  const answered = await inTime(askStore().then(() => true));
  return answered === true ? undefined : 'store';
}

/** Undefined where it fails, or takes too long. */
async function inTime<T>(asked: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), STORE_MS);
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
