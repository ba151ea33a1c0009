import { randomBytes } from 'node:crypto';

/** Crockford's base 32 in lower case, without i, l, o and u. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

export function createShortId(prefix: string, length: number): string {
  return prefix + Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join('');
}
