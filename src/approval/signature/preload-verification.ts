/** After the start itself, and whatever asked for it, is done. */
const AFTER_MS = 1_000;

/**
 * Loads what signatures are verified by, a moment after a home has begun to serve: a quarter of a second, for which the first
 * order after a start would wait.
 * @returns stops it, where it has not begun
 */
export function preloadVerification(
  load: () => Promise<unknown> = () => import('@simplewebauthn/server'),
  afterMs = AFTER_MS,
): () => void {
  // Where it fails, the one who needs it says so.
  const timer = setTimeout(() => void load().catch(() => undefined), afterMs).unref();
  return () => clearTimeout(timer);
}
