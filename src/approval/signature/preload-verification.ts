/** Delay before the libraries are loaded, in milliseconds, so that loading does not slow down the start. */
const PRELOAD_DELAY_MS = 1_000;

/**
 * Loads the libraries that verify signatures, shortly after a home has started. Loading takes a quarter of a second,
 * which would otherwise delay the first order after a start.
 * @returns a function that cancels the loading, if it has not begun
 */
export function preloadVerification(
  load: () => Promise<unknown> = () => import('@simplewebauthn/server'),
  afterMs = PRELOAD_DELAY_MS,
): () => void {
  // If loading fails, the first verification reports it.
  const timer = setTimeout(() => void load().catch(() => undefined), afterMs).unref();
  return () => clearTimeout(timer);
}
