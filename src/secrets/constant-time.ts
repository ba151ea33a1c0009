import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether two secrets are the same, in a time that tells nothing about where they differ or how long they are. Nothing is no
 * secret: it is not the same as nothing.
 */
export function sameSecret(one: string | Buffer, other: string | Buffer): boolean {
  return one.length > 0 && timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
