import { createHash, randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import type { PeopleStore } from './people.ts';

/** Crockford's base32 (without I, L, O and U), which encodes five bits per character. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUP_COUNT = 6;
const GROUP_LENGTH = 4;

interface RecoveryCode {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly usedAt: number | undefined;
}

/**
 * Recovery codes for people who have lost all of their passkeys. A code, kept on paper, lets a person view and deny
 * requests and sign browsers out. It stays valid until a new code is issued: a one-time code could lock a person out,
 * which does more harm than a leaked code, because a code allows so little.
 */
export type RecoveryCodeStore = ReturnType<typeof createRecoveryCodeStore>;

/** Creates the store of recovery codes in SQLite. Only the codes' digests are stored. */
export function createRecoveryCodeStore(options: {
  readonly database: Database;
  readonly people: PeopleStore;
  readonly clock: Clock;
}) {
  const { database, people, clock } = options;
  const put = database.prepare<[string, string, number]>(
    'INSERT OR REPLACE INTO recovery_codes VALUES (?, ?, ?, NULL)',
  );
  const get = database.prepare<[string], { digest: string; issued_at: number; used_at: number | null }>(
    'SELECT digest, issued_at, used_at FROM recovery_codes WHERE user = ?',
  );
  const end = database.prepare<[string]>('DELETE FROM recovery_codes WHERE user = ?');
  const used = database.prepare<[number, string]>('UPDATE recovery_codes SET used_at = ? WHERE user = ?');

  return {
    /**
     * Issues a new code, which replaces the person's old one.
     * @returns the code, to be shown once, such as `7K2M-Q9XD-0HVT-B4NE-6RWA-31CZ`. It has 120 random bits, so storing
     * a plain hash is safe
     * @throws {RangeError} if there is no such person
     */
    issue(username: string): string {
      if (people.find(username) === undefined) throw new RangeError('there is no such person');
      const code = Array.from({ length: GROUP_COUNT * GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(
        '',
      );
      put.run(username, digest(username, code), clock.now());
      return code.replace(/.{4}(?=.)/g, '$&-');
    },
    /** Returns whether a person's code is correct. Ignores case and spaces, and accepts look-alike letters. */
    check(username: string, typed: string): boolean {
      const row = people.find(username) === undefined ? undefined : get.get(username);
      // Compares even if the name is unknown, so that the response time does not reveal which names exist.
      const right = isSameSecret(row?.digest ?? '', digest(username, normalizeCode(typed)));
      if (row === undefined || !right) return false;
      used.run(clock.now(), username);
      return true;
    },
    find(username: string): RecoveryCode | undefined {
      const row = get.get(username);
      return row === undefined ? undefined : { issuedAt: row.issued_at, usedAt: row.used_at ?? undefined };
    },
    end: (username: string): void => void end.run(username),
  };
}

/**
 * Normalizes a typed code: converts it to upper case, removes separators, and replaces letters that Crockford's
 * alphabet omits with the characters that they look like.
 */
function normalizeCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replace(/[IL]/g, '1')
    .replaceAll('O', '0');
}

const digest = (username: string, code: string) =>
  createHash('sha256')
    .update(JSON.stringify([username, code]))
    .digest('base64url');
