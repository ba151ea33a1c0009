import { createHash, randomInt } from 'node:crypto';
import type { Clock } from '../../machine/clock.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import type { SqlTransactions } from '../sql/sql-database.ts';

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

/** Creates the store of recovery codes. Only the codes' digests are stored. */
export function createRecoveryCodeStore(options: { readonly database: SqlTransactions; readonly clock: Clock }) {
  const { database, clock } = options;
  return {
    /**
     * Issues a new code, which replaces the person's old one.
     * @returns the code, to be shown once, such as `7K2M-Q9XD-0HVT-B4NE-6RWA-31CZ`. It has 120 random bits, so storing
     * a plain hash is safe
     * @throws {RangeError} if there is no such person
     */
    async issue(username: string): Promise<string> {
      const code = Array.from({ length: GROUP_COUNT * GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(
        '',
      );
      const issued = await database.run(
        `INSERT INTO recovery_codes (username, digest, issued_at)
         SELECT username, @digest, @now FROM people WHERE username = @username AND removed_at IS NULL
         ON CONFLICT (${database.dialect.tenant}username) DO UPDATE
         SET digest = excluded.digest, issued_at = excluded.issued_at, used_at = NULL`,
        { username, digest: digest(username, code), now: clock.now() },
      );
      if (issued === 0) throw new RangeError('there is no such person');
      return code.replace(/.{4}(?=.)/g, '$&-');
    },
    /** Returns whether a person's code is correct. Ignores case and spaces, and accepts look-alike letters. */
    async check(username: string, typed: string): Promise<boolean> {
      const row = await database.one<{ digest: string }>(
        `SELECT digest FROM recovery_codes WHERE username = @username
           AND username IN (SELECT username FROM people WHERE removed_at IS NULL)`,
        { username },
      );
      const given = digest(username, normalizeCode(typed));
      // Compares even if the name is unknown, so that the response time does not reveal which names exist.
      const right = isSameSecret(row?.digest ?? '', given);
      if (row === undefined || !right) return false;
      // Rejects a code that another process has just replaced.
      const text = 'UPDATE recovery_codes SET used_at = @now WHERE username = @username AND digest = @given';
      return (await database.run(text, { username, given, now: clock.now() })) === 1;
    },
    async find(username: string): Promise<RecoveryCode | undefined> {
      const row = await database.one<{ issued_at: number; used_at: number | null }>(
        'SELECT issued_at, used_at FROM recovery_codes WHERE username = @username',
        { username },
      );
      return row === undefined ? undefined : { issuedAt: row.issued_at, usedAt: row.used_at ?? undefined };
    },
    async end(username: string): Promise<void> {
      await database.run('DELETE FROM recovery_codes WHERE username = @username', { username });
    },
  };
}

/**
 * Normalizes a typed code: converts it to upper case, removes separators, and replaces letters that Crockford's
 * alphabet omits with the characters that they look like.
 */
export function normalizeCode(typed: string): string {
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
