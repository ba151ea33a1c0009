import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether two secrets are equal, in a time that reveals neither where they differ nor their lengths. Empty secrets are never
 * equal.
 */
export function sameSecret(one: string | Buffer, other: string | Buffer): boolean {
  return one.length > 0 && timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
