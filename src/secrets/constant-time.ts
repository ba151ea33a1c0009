import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares two secrets in a time that reveals neither differences nor lengths. Returns false if either is empty. */
export function isSameSecret(one: string | Buffer, other: string | Buffer): boolean {
  return one.length > 0 && timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
