import { createHash } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The `Idempotency-Key` of one attempt: stable when its node runs again, different for a re-proposal. `ta-` and 32
 * base-32 characters (160 bits) of SHA-256 over the JSON of the parts, so that no two triples collide.
 */
export function proposalKey(thread: string, toolCallId: string, attempt: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([thread, toolCallId, attempt]))
    .digest();
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of digest) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < 32) {
      text += alphabet[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= 0xff;
  }
  return `ta-${text}`;
}
