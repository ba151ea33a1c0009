import type { Database } from 'better-sqlite3-multiple-ciphers';

/** Which approval requests people were notified of on their phones. Times are milliseconds since the epoch. */
export type RequestNotificationStore = ReturnType<typeof createRequestNotificationStore>;

/**
 * Creates the store. For each approval request, it records when the person's devices were notified (or notifying them
 * failed), when a page first showed the request, and when the reminder was sent. Queries join it with the provider's
 * table of requests, so that people are notified even if the home crashes after storing a request.
 */
export function createRequestNotificationStore(database: Database) {
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
    /** Returns pending requests that nobody has been notified of yet. Oldest first. */
    unnotified: (now: number): readonly { readonly request: string; readonly user: string }[] => unrung.all(now),
    /**
     * Returns pending requests that no page has shown and that have no reminder yet, and when each reminder is due.
     * @param unseenMs delay of the reminder after the notification, in milliseconds; limited to a third of the time
     * until the request expires
     */
    unseen: (now: number, unseenMs: number): readonly { readonly request: string; readonly due: number }[] =>
      unseen.all(unseenMs, now),
    /** Returns recorded requests that are no longer pending or no longer exist. */
    settled: (now: number): readonly { readonly request: string; readonly pushedAt: number | undefined }[] =>
      settled.all(now).map((row) => ({ request: row.request, pushedAt: row.pushed_at ?? undefined })),
    /** Returns the time when the next pending request expires, or undefined if no request is pending. */
    nextExpiry: (now: number): number | undefined => nextExpiry.get(now)?.at ?? undefined,
    pushed: (request: string, now: number): void => void pushed.run(request, now),
    seen: (request: string, now: number): void => void seen.run(request, now),
    pushedAgain: (request: string, now: number): void => void pushedAgain.run(request, now),
    remove: (request: string): void => void over.run(request),
  };
}
