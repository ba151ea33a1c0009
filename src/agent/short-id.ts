import { randomBytes } from 'node:crypto';

/** Crockford's base 32 in lower case: no i, l, o, u to misread. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** `prefix` and `length` random characters of five bits each. */
export function shortId(prefix: string, length: number): string {
  return prefix + Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join('');
}
