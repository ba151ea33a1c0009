import { run, type SqlTransactions } from '../sql/sql-database.ts';
import { createClaims } from './claims.ts';

/** Records the notifications of approval requests on people's phones. Times are milliseconds since the epoch. */
export type RequestNotificationStore = ReturnType<typeof createRequestNotificationStore>;

/** Work on a request: notifying the person, reminding them, or withdrawing the notification. */
type NotificationWork = 'notify' | 'remind' | 'withdraw';

/** SQL conditions for work that is not done yet. Another process may have done it since this process read the rows. */
const isToDo: Readonly<Record<NotificationWork, string>> = {
  notify: 'pushed_at IS NULL',
  remind: 'seen_at IS NULL AND pushed_again_at IS NULL',
  withdraw: '1 = 1',
};

const OPEN = 'decision IS NULL AND withdrawn_at IS NULL AND expires_at > @now';

/**
 * Creates the store. For each approval request, it records when the person's devices were notified (or notifying them
 * failed), when a page first showed the request, and when the reminder was sent. Queries join these records with the
 * provider's table of requests, so that people are notified even if the home crashes after storing a request.
 */
export function createRequestNotificationStore(database: SqlTransactions, now: () => number) {
  const { dialect } = database;
  const { claim, hold } = createClaims(database, 'request_notifications', 'request', now);
  const note = async (column: 'pushed_at' | 'seen_at' | 'pushed_again_at', request: string, now: number) => {
    // Completed work releases its claim. Showing a request on a page is not claimed work.
    const released = column === 'seen_at' ? '' : ', claimed_until = 0';
    await database.run(
      `INSERT INTO request_notifications (request, ${column}) VALUES (@request, @now)
       ON CONFLICT (${dialect.tenant}request) DO UPDATE
         SET ${column} = coalesce(request_notifications.${column}, excluded.${column})${released}`,
      { request, now },
    );
  };
  return {
    /** Returns pending requests that nobody has been notified of yet. Oldest first. */
    unnotified: (now: number): Promise<{ readonly request: string; readonly user: string }[]> =>
      database.all(
        `SELECT id AS request, username AS "user"
         FROM approval_requests LEFT JOIN request_notifications ON request = id
         WHERE ${OPEN} AND pushed_at IS NULL ORDER BY requested_at, approval_requests.${dialect.place}`,
        { now },
      ),
    /**
     * Returns pending requests that no page has shown and that have no reminder yet, and when each reminder is due.
     * @param unseenMs delay of the reminder after the notification, in milliseconds; limited to a third of the time
     * until the request expires
     */
    unseen: (now: number, unseenMs: number): Promise<{ readonly request: string; readonly due: number }[]> =>
      database.all(
        `SELECT request, pushed_at + CASE
           WHEN expires_at <= pushed_at THEN 0
           WHEN (expires_at - pushed_at) / 3 < @unseenMs THEN (expires_at - pushed_at) / 3
           ELSE @unseenMs END AS due
         FROM request_notifications JOIN approval_requests ON id = request
         WHERE ${OPEN} AND pushed_at IS NOT NULL AND seen_at IS NULL AND pushed_again_at IS NULL`,
        { now, unseenMs },
      ),
    /** Returns recorded requests that are no longer pending or no longer exist. */
    async settled(now: number): Promise<{ readonly request: string; readonly pushedAt: number | undefined }[]> {
      const rows = await database.all<{ request: string; pushed_at: number | null }>(
        `SELECT request, pushed_at FROM request_notifications LEFT JOIN approval_requests ON id = request
         WHERE id IS NULL OR decision IS NOT NULL OR withdrawn_at IS NOT NULL OR expires_at <= @now`,
        { now },
      );
      return rows.map(({ request, pushed_at }) => ({ request, pushedAt: pushed_at ?? undefined }));
    },
    /** Returns the time when the next pending request expires, or undefined if no request is pending. */
    async nextExpiry(now: number): Promise<number | undefined> {
      const row = await database.one<{ at: number | null }>(
        `SELECT min(expires_at) AS at FROM approval_requests WHERE ${OPEN}`,
        { now },
      );
      return row?.at ?? undefined;
    },
    /**
     * Claims the work on a request, so that no other process does it.
     * @returns false if another process does the work or has done it
     */
    claim: (request: string, work: NotificationWork): Promise<boolean> =>
      database.write(function* () {
        if (work === 'notify')
          yield* run('INSERT INTO request_notifications (request) VALUES (@request) ON CONFLICT DO NOTHING', {
            request,
          });
        return yield* claim(request, isToDo[work]);
      }),
    hold,
    pushed: (request: string, now: number) => note('pushed_at', request, now),
    seen: (request: string, now: number) => note('seen_at', request, now),
    pushedAgain: (request: string, now: number) => note('pushed_again_at', request, now),
    async remove(request: string): Promise<void> {
      await database.run('DELETE FROM request_notifications WHERE request = @request', { request });
    },
  };
}
