import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two secrets are equal, in a time that reveals neither differences nor lengths. Empty secrets never are. */
export function isSameSecret(one: string | Buffer, other: string | Buffer): boolean {
  return one.length > 0 && timingSafeEqual(digest(one), digest(other));
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
