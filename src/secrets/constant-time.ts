import { timingSafeEqual } from 'node:crypto';

/** Compares without telling by its time how much was right. */
export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
