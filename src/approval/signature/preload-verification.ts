/** Late enough for the start, and whatever caused it, to be done. Milliseconds. */
const PRELOAD_DELAY_MS = 1_000;

/**
 * Loads the libraries that verify signatures, a moment after a home starts to serve. Loading takes a quarter of a second, for
 * which the first order after a start would otherwise wait.
 * @returns a function that cancels it, if it has not begun
 */
export function preloadVerification(
  load: () => Promise<unknown> = () => import('@simplewebauthn/server'),
  afterMs = PRELOAD_DELAY_MS,
): () => void {
  // If loading fails, the first verification reports it.
  const timer = setTimeout(() => void load().catch(() => undefined), afterMs).unref();
  return () => clearTimeout(timer);
}
