import { randomInt } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { drawCode, drawFreeCode } from '../../../approval/code.ts';
import type { Clock } from '../../../machine/clock.ts';

/** The true code and two others. */
const CHOICES = 3;
/** The second wrong pick denies: whoever guesses is right once in three. */
const MOST_WRONG = 2;
/** Longer than any request lives. */
const KEPT_MS = 2 * 24 * 3600 * 1000;

/** What a pick came to. */
export type Pick = 'right' | 'wrong' | 'wrong_too_often';

/** A request whose code is to be matched. */
interface Matched {
  readonly id: string;
  readonly code: string;
}

/**
 * Number matching: the person picks the terminal's code among three, which no tired thumb does by itself. The others
 * are drawn here, once for a request and session, so that a reload doesn't tell which one stays.
 */
export interface CodeChoices {
  /** The codes in the order they are shown: the same each time. */
  of(request: Matched, session: string): readonly string[];
  /** Notes a pick. Wrong ones count for the request, whichever session they came from. */
  pick(request: Matched, session: string, code: string): Pick;
  /** Whether the right one was picked in this session. */
  isPicked(id: string, session: string): boolean;
  /** Whether the wrong one was picked too often. */
  isSpent(id: string): boolean;
}

interface Row {
  readonly codes: string;
  readonly picked: 0 | 1;
}

/** The choices in SQLite. */
export function createCodeChoices(
  database: Database,
  clock: Clock,
  draw: () => string = drawCode,
): CodeChoices {
  database.exec(`
    CREATE TABLE IF NOT EXISTS code_choices (
      request TEXT NOT NULL, session TEXT NOT NULL, codes TEXT NOT NULL, picked INTEGER NOT NULL DEFAULT 0,
      drawn_at INTEGER NOT NULL, PRIMARY KEY (request, session)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS wrong_codes (
      request TEXT PRIMARY KEY, count INTEGER NOT NULL
    ) STRICT;
  `);
  database.prepare<[number]>('DELETE FROM code_choices WHERE drawn_at < ?').run(clock.now() - KEPT_MS);
  const find = database.prepare<[string, string], Row>(
    'SELECT codes, picked FROM code_choices WHERE request = ? AND session = ?',
  );
  const insert = database.prepare<[string, string, string, number]>(
    'INSERT OR IGNORE INTO code_choices (request, session, codes, drawn_at) VALUES (?, ?, ?, ?)',
  );
  const right = database.prepare<[string, string]>(
    'UPDATE code_choices SET picked = 1 WHERE request = ? AND session = ?',
  );
  const wrong = database.prepare<[string], { count: number }>(
    `INSERT INTO wrong_codes VALUES (?, 1)
     ON CONFLICT (request) DO UPDATE SET count = count + 1 RETURNING count`,
  );
  const wrongs = database.prepare<[string], { count: number }>(
    'SELECT count FROM wrong_codes WHERE request = ?',
  );
  const isSpent = (id: string) => (wrongs.get(id)?.count ?? 0) >= MOST_WRONG;

  return {
    of({ id, code }, session) {
      insert.run(id, session, JSON.stringify(shuffled(code, draw)), clock.now());
      return JSON.parse(find.get(id, session)?.codes ?? '[]');
    },
    pick({ id, code }, session, picked) {
      if (isSpent(id)) return 'wrong_too_often';
      if (picked === code) {
        insert.run(id, session, JSON.stringify(shuffled(code, draw)), clock.now());
        right.run(id, session);
        return 'right';
      }
      return (wrong.get(id)?.count ?? MOST_WRONG) >= MOST_WRONG ? 'wrong_too_often' : 'wrong';
    },
    isPicked: (id, session) => find.get(id, session)?.picked === 1,
    isSpent,
  };
}

/** The true code at a random place among others; none is like another. */
function shuffled(code: string, draw: () => string): string[] {
  const codes: string[] = [];
  while (codes.length < CHOICES - 1) codes.push(drawFreeCode([code, ...codes], draw));
  codes.splice(randomInt(CHOICES), 0, code);
  return codes;
}
