import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Something to do for a request. Times are milliseconds since the epoch. */
export type RingTable = ReturnType<typeof openRingTable>;

/**
 * How far the ringing is for each request: when all that can ring had rung (or failed to), when a page first showed it,
 * and when it rang once more. Beside the provider's table of requests, and joined with it: what was asked before a crash
 * is rung for after it.
 */
export function openRingTable(database: Database) {
  const waits = 'decision IS NULL AND withdrawn_at IS NULL AND expires_at > ?';
  const unrung = database.prepare<[number], { request: string; user: string }>(
    `SELECT id AS request, user FROM approval_requests LEFT JOIN request_rings ON request = id
     WHERE ${waits} AND pushed_at IS NULL ORDER BY requested_at`,
  );
  const unseen = database.prepare<[number, number], { request: string; due: number }>(
    `SELECT request, pushed_at + min(?, max(0, expires_at - pushed_at) / 3) AS due
     FROM request_rings JOIN approval_requests ON id = request
     WHERE ${waits} AND pushed_at IS NOT NULL AND seen_at IS NULL AND pushed_again_at IS NULL`,
  );
  const settled = database.prepare<[number], { request: string; pushed_at: number | null }>(
    `SELECT request, pushed_at FROM request_rings LEFT JOIN approval_requests ON id = request
     WHERE id IS NULL OR decision IS NOT NULL OR withdrawn_at IS NOT NULL OR expires_at <= ?`,
  );
  const nextExpiry = database.prepare<[number], { at: number | null }>(
    `SELECT min(expires_at) AS at FROM approval_requests WHERE ${waits}`,
  );
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
    /** Requests that wait for a decision and for which nothing was rung, oldest first. */
    unrung: (now: number): readonly { readonly request: string; readonly user: string }[] => unrung.all(now),
    /**
     * Those that wait, were rung for once, and seen by nobody.
     * @param unseenMs how long that may last before it rings again; a third of the time that was left, where that is less
     */
    unseen: (now: number, unseenMs: number): readonly { readonly request: string; readonly due: number }[] =>
      unseen.all(unseenMs, now),
    /** Those that wait no more, or are gone, and of which something is noted here. */
    settled: (now: number): readonly { readonly request: string; readonly pushedAt: number | undefined }[] =>
      settled.all(now).map((row) => ({ request: row.request, pushedAt: row.pushed_at ?? undefined })),
    /** When the next of those that wait expires; undefined where none does. */
    nextExpiry: (now: number): number | undefined => nextExpiry.get(now)?.at ?? undefined,
    pushed: (request: string, now: number): void => void pushed.run(request, now),
    seen: (request: string, now: number): void => void seen.run(request, now),
    pushedAgain: (request: string, now: number): void => void pushedAgain.run(request, now),
    /** Nothing is left to do for it. */
    over: (request: string): void => void over.run(request),
  };
}
