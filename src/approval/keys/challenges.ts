import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../machine/clock.ts';
import { sameSecret } from '../../secrets/constant-time.ts';

/** How long a person may take to unlock a key. */
const LIFETIME_MS = 5 * 60_000;
const TIME_BYTES = 6;
const RANDOM_BYTES = 10;
const HEAD_BYTES = TIME_BYTES + RANDOM_BYTES;
const MAC_BYTES = 16;

/**
 * Challenges that nothing has to be kept for: whoever asks for many takes no room from others. Each is for one thing, for
 * five minutes, in this process.
 */
export interface Challenges {
  /** 32 bytes: when it was drawn, something random, and a MAC over both and what it is for. */
  draw(about: readonly string[]): Buffer;
  /** Whether it was drawn for this, lately. @param challenge in base64url */
  isFor(challenge: string, about: readonly string[]): boolean;
  /** False for one that was taken before. To be called once it is known to be signed, so that strangers fill nothing. */
  take(challenge: string): boolean;
}

export function createChallenges(clock: Pick<Clock, 'now'>): Challenges {
  const secret = randomBytes(32);
  /** Taken ones, with when they may be forgotten. */
  const taken = new Map<string, number>();
  const macOf = (head: Buffer, about: readonly string[]) =>
    createHmac('sha256', secret).update(head).update(JSON.stringify(about)).digest().subarray(0, MAC_BYTES);
  return {
    draw(about) {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUIntBE(clock.now(), 0, TIME_BYTES);
      randomBytes(RANDOM_BYTES).copy(head, TIME_BYTES);
      return Buffer.concat([head, macOf(head, about)]);
    },
    isFor(challenge, about) {
      const bytes = Buffer.from(challenge, 'base64url');
      if (bytes.length !== HEAD_BYTES + MAC_BYTES) return false;
      const head = bytes.subarray(0, HEAD_BYTES);
      if (!sameSecret(bytes.subarray(HEAD_BYTES), macOf(head, about))) return false;
      const age = clock.now() - head.readUIntBE(0, TIME_BYTES);
      return age >= 0 && age <= LIFETIME_MS;
    },
    take(challenge) {
      const now = clock.now();
      for (const [one, until] of taken) if (until < now) taken.delete(one);
      const canonical = Buffer.from(challenge, 'base64url').toString('base64url');
      if (taken.has(canonical)) return false;
      taken.set(canonical, now + LIFETIME_MS);
      return true;
    },
  };
}
