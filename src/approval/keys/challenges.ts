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
export class Challenges {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #secret = randomBytes(32);
  /** Taken ones, with when they may be forgotten. */
  readonly #taken = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** 32 bytes: when it was drawn, something random, and a MAC over both and what it is for. */
  draw(about: readonly string[]): Buffer {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(this.#clock.now(), 0, TIME_BYTES);
    randomBytes(RANDOM_BYTES).copy(head, TIME_BYTES);
    return Buffer.concat([head, this.#macOf(head, about)]);
  }

  /** Whether it was drawn for this, lately. @param challenge in base64url */
  isFor(challenge: string, about: readonly string[]): boolean {
    const bytes = Buffer.from(challenge, 'base64url');
    if (bytes.length !== HEAD_BYTES + MAC_BYTES) return false;
    const head = bytes.subarray(0, HEAD_BYTES);
    if (!sameSecret(bytes.subarray(HEAD_BYTES), this.#macOf(head, about))) return false;
    const age = this.#clock.now() - head.readUIntBE(0, TIME_BYTES);
    return age >= 0 && age <= LIFETIME_MS;
  }

  /** False for one that was taken before. To be called once it is known to be signed, so that strangers fill nothing. */
  take(challenge: string): boolean {
    const now = this.#clock.now();
    for (const [one, until] of this.#taken) if (until < now) this.#taken.delete(one);
    const canonical = Buffer.from(challenge, 'base64url').toString('base64url');
    if (this.#taken.has(canonical)) return false;
    this.#taken.set(canonical, now + LIFETIME_MS);
    return true;
  }

  #macOf(head: Buffer, about: readonly string[]): Buffer {
    const mac = createHmac('sha256', this.#secret).update(head).update(JSON.stringify(about));
    return mac.digest().subarray(0, MAC_BYTES);
  }
}
