import type { Hono } from 'hono';
import type { Door } from '../door/door.ts';

export interface HealthOptions {
  /** Asks the store for next to nothing. @throws where it does not answer */
  readonly askStore: () => Promise<unknown>;
  /** Whether it lets nobody in any more. */
  readonly isShut: () => boolean;
}

/** A disk, or a database elsewhere, that takes longer than this to say a number does not answer. Milliseconds. */
const STORE_MS = 2_000;

/**
 * For who looks after the process. `/healthz`: it runs, and is to be left alone. `/readyz`: 200 where it takes requests, 503
 * where none should be sent to it now: it shuts down, or its store does not answer. A broker or an identity provider that
 * is down is neither: the next gateway would have no better one.
 */
export function healthRoutes(app: Hono, door: Door, { askStore, isShut }: HealthOptions): void {
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
      return reason === undefined ? c.json({ status: 'ready' }) : unready(reason);
    }),
  );
}

/** Why nothing should be sent to the process now; undefined where it may be. */
export async function unreadiness({
  askStore,
  isShut,
}: HealthOptions): Promise<'closing' | 'store' | undefined> {
  if (isShut()) return 'closing';
  return (await answers(askStore)) ? undefined : 'store';
}

async function answers(askStore: HealthOptions['askStore']): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), STORE_MS);
  const asked = askStore().then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
