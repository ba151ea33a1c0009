import type { Database } from 'better-sqlite3-multiple-ciphers';

/** How far the ringing for one request is, which is pending or was. Times are milliseconds since the epoch. */
export interface Ring {
  readonly request: string;
  /** When all that can ring had rung, or failed; undefined where a page showed it before. */
  readonly pushedAt: number | undefined;
  readonly seenAt: number | undefined;
  readonly pushedAgainAt: number | undefined;
}

export interface RingTable {
  /** Requests that wait for a decision and for which nothing was rung, oldest first. */
  unrung(now: number): string[];
  /** Those for which something was rung, and is not withdrawn. */
  rung(): Ring[];
  pushed(request: string, now: number): void;
  seen(request: string, now: number): void;
  pushedAgain(request: string, now: number): void;
  /** Nothing is left to do for it. */
  over(request: string): void;
}

/** Beside the provider's table of requests, and joined with it: what was asked before a crash is rung for after it. */
export function openRingTable(database: Database): RingTable {
  database.exec(`
    CREATE TABLE IF NOT EXISTS request_rings (
      request TEXT PRIMARY KEY, pushed_at INTEGER, seen_at INTEGER, pushed_again_at INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS approval_requests_waiting ON approval_requests (expires_at)
      WHERE decision IS NULL AND withdrawn_at IS NULL;
  `);
  const unrung = database.prepare<[number], { id: string }>(
    `SELECT id FROM approval_requests LEFT JOIN request_rings ON request = id
     WHERE decision IS NULL AND withdrawn_at IS NULL AND expires_at > ? AND pushed_at IS NULL
     ORDER BY requested_at`,
  );
  const rung = database.prepare<
    [],
    { request: string; pushed_at: number | null; seen_at: number | null; pushed_again_at: number | null }
  >('SELECT * FROM request_rings');
  const note = (column: 'pushed_at' | 'seen_at' | 'pushed_again_at') =>
    database.prepare<[string, number]>(
      `INSERT INTO request_rings (request, ${column}) VALUES (?, ?)
       ON CONFLICT (request) DO UPDATE SET ${column} = coalesce(${column}, excluded.${column})`,
    );
  const pushed = note('pushed_at');
  const seen = note('seen_at');
  const pushedAgain = note('pushed_again_at');
  const over = database.prepare<[string]>('DELETE FROM request_rings WHERE request = ?');
  return {
    unrung: (now) => unrung.all(now).map(({ id }) => id),
    rung: () =>
      rung.all().map(({ request, pushed_at, seen_at, pushed_again_at }) => ({
        request,
        pushedAt: pushed_at ?? undefined,
        seenAt: seen_at ?? undefined,
        pushedAgainAt: pushed_again_at ?? undefined,
      })),
    pushed: (request, now) => void pushed.run(request, now),
    seen: (request, now) => void seen.run(request, now),
    pushedAgain: (request, now) => void pushedAgain.run(request, now),
    over: (request) => void over.run(request),
  };
}
