import { createHash, randomInt } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * Four Crockford base-32 characters, shown alike on terminal and phone. Drawn here, at random: a code that followed
 * from the draft could be ground by whoever writes the draft.
 */
export function drawCode(): string {
  return Array.from({ length: 4 }, () => CROCKFORD[randomInt(32)]).join('');
}

/**
 * A code that none of these has. Of what waits at the same time each has a code of its own: by it the person tells one from
 * the other.
 * @param taken the codes of all that is open of the person
 */
export function drawFreeCode(taken: readonly string[], draw: () => string = drawCode): string {
  for (;;) {
    const code = draw();
    if (!taken.includes(code)) return code;
  }
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `pr_` and sixteen random characters. */
export function drawProposalId(): string {
  return `pr_${Array.from({ length: 16 }, () => BASE62[randomInt(62)]).join('')}`;
}

/** `client_order_id` and the like, 27 characters: the same for the same person, client and key, and nobody else's. */
export function subjectIdOf(sub: string, client: string, key: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([sub, client, key]))
    .digest('base64url');
  return `ta-${hash.slice(0, 24)}`;
}
