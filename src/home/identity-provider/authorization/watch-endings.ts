import type { Granted } from '../standing-grants.ts';
import type { AuthorizedClients } from './authorized-clients.ts';

/** How long what a client has open may outlive its tokens, where another process ended it. */
const EVERY_MS = 1000;

/**
 * Acts on the endings that this process or another has written down: at once, again where it failed, and after a crash.
 * @returns `now` is for whoever has just written one here
 */
export function watchEndings(
  authorized: Pick<AuthorizedClients, 'endings'>,
  on: { readonly onRevoked: (who: Granted) => Promise<void>; readonly onError: (message: string) => void },
): { readonly now: () => Promise<void>; readonly stop: () => void } {
  let stopped = false;
  const now = async () => {
    if (stopped) return;
    await authorized.endings(on.onRevoked).catch((error: Error) => on.onError(error.message));
  };
  const timer = setInterval(now, EVERY_MS).unref();
  return {
    now,
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}
