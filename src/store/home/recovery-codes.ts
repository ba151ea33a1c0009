import { createHash, randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import { sameSecret } from '../../secrets/constant-time.ts';
import type { People } from './people.ts';

/** Crockford's base32 without I, L, O and U: five bits a character. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 6;
const GROUP = 4;

interface RecoveryCode {
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly usedAt: number | undefined;
}

/**
 * What is left to a person who has lost every passkey: a code on paper, to read, deny, and sign browsers out. It can be
 * used until a new one is issued: somebody who is locked out after the first use would be worse off than one whose code,
 * which opens so little, was seen.
 */
export type RecoveryCodes = ReturnType<typeof createRecoveryCodes>;

/** Recovery codes in SQLite, as digests. */
export function createRecoveryCodes(options: {
  readonly database: Database;
  readonly people: People;
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
     * A new one; an older one ends.
     * @returns 120 bits, to be shown once: `7K2M-Q9XD-0HVT-B4NE-6RWA-31CZ`. One hash keeps so many
     * @throws {RangeError} for nobody of this home
     */
    issue(username: string): string {
      if (people.find(username) === undefined) throw new RangeError('nobody of that name lives here');
      const code = Array.from({ length: GROUPS * GROUP }, () => ALPHABET[randomInt(ALPHABET.length)]).join(
        '',
      );
      put.run(username, digest(username, code), clock.now());
      return code.replace(/.{4}(?=.)/g, '$&-');
    },
    /** Whether it is this person's, however it was typed. */
    check(username: string, typed: string): boolean {
      const row = people.find(username) === undefined ? undefined : get.get(username);
      // Compared even for an unknown name, so that the time taken doesn't tell which names exist.
      const right = sameSecret(row?.digest ?? '', digest(username, asIssued(typed)));
      if (row === undefined || !right) return false;
      used.run(clock.now(), username);
      return true;
    },
    find(username: string): RecoveryCode | undefined {
      const row = get.get(username);
      return row === undefined ? undefined : { issuedAt: row.issued_at, usedAt: row.used_at ?? undefined };
    },
    /** Ends the one there is. */
    end: (username: string): void => void end.run(username),
  };
}

/** As people type it: small letters, spaces, and the letters that Crockford's alphabet leaves out for looking alike. */
function asIssued(typed: string): string {
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
