import type { Clock } from '../../machine/clock.ts';
import type { StateDatabase } from '../../store/sqlite/state-database.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { ThreadStatus } from '../events.ts';
import { shortId } from '../short-id.ts';
import { isGone } from './holder.ts';

export interface Thread {
  readonly id: string;
  readonly profile: string;
  /** Whose it is; undefined for one begun before anyone signed in. */
  readonly sub: string | undefined;
  /** The first prompt, cut short. */
  readonly title: string;
  readonly status: ThreadStatus;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** The right to drive a thread: one run at a time. */
export interface ThreadLease {
  /** False once another holds it. */
  isHeld(): boolean;
  release(): void;
}

/** Longer than any pause of a healthy process between two renewals. */
export const THREAD_LEASE_MS = 30_000;

export interface ThreadStore {
  /** All that `work` stores, at once or not at all: each commit waits for the disk. */
  inOneCommit<T>(work: () => T): T;
  /** Creates a thread, or returns the one of this id. @throws {TradeAgentError} `usage`, `not_found` */
  open(id: string | undefined, owner: { profile: string; sub: string | undefined }, title: string): Thread;
  /** @throws {TradeAgentError} `not_found`, also for another user's thread */
  get(id: string, owner: { profile: string; sub: string | undefined }): Thread;
  /** Newest first. */
  list(owner: { profile: string; sub: string | undefined }): Thread[];
  /** Notes that a thread of unknown outcome has none any more: what is left is to resume it. */
  reconciled(id: string): void;
  /** Notes how the latest run ended. */
  ended(id: string, status: ThreadStatus): void;
  /** @throws {TradeAgentError} `busy` */
  lease(id: string, holder: string): ThreadLease;
  /** Keeps a holder's leases of these threads for another while. Returns the ids of those that it still holds. */
  renewAll(holder: string, ids: readonly string[]): string[];
}

interface Row {
  id: string;
  profile: string;
  sub: string | null;
  title: string;
  status: ThreadStatus;
  updated_at: number;
  lease_owner: string | null;
  lease_epoch: number;
  lease_until: number;
}

const read = (row: Row): Thread => ({
  id: row.id,
  profile: row.profile,
  sub: row.sub ?? undefined,
  title: row.title,
  status: row.status,
  updatedAt: row.updated_at,
});

export function createThreadStore(database: StateDatabase, clock: Clock): ThreadStore {
  const byId = database.prepare<[string], Row>('SELECT * FROM threads WHERE id = ?');

  const notFound = (id: string) =>
    new TradeAgentError('not_found', `there is no thread ${id}`, {
      hint: 'List yours with "trade-agent threads".',
    });

  const own = (
    row: Row | undefined,
    id: string,
    owner: { profile: string; sub: string | undefined },
  ): Row => {
    if (row === undefined || row.profile !== owner.profile) throw notFound(id);
    if (row.sub !== null && row.sub !== owner.sub) throw notFound(id);
    return row;
  };

  return {
    inOneCommit: (work) => database.transaction(work).immediate(),

    open(id, owner, title) {
      if (id !== undefined && !/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
        throw new TradeAgentError('usage', 'a thread’s id has 1 to 64 letters, digits, "-" and "_"', {
          hint: 'Choose another id, or leave it out to get a new one.',
        });
      }
      const thread = id ?? shortId('th_', 10);
      return database
        .transaction(() => {
          const now = clock.now();
          const found = byId.get(thread);
          if (found === undefined) {
            database
              .prepare(
                'INSERT INTO threads (id, profile, sub, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
              )
              .run(thread, owner.profile, owner.sub ?? null, title.slice(0, 80), now, now);
          } else {
            own(found, thread, owner);
            // A thread begun before signing in becomes the user's with their first word in it.
            database
              .prepare(
                `UPDATE threads SET status = 'running', updated_at = ?, sub = coalesce(sub, ?) WHERE id = ?`,
              )
              .run(now, owner.sub ?? null, thread);
          }
          return read(byId.get(thread) as Row);
        })
        .immediate();
    },

    get: (id, owner) => read(own(byId.get(id), id, owner)),

    list: (owner) =>
      database
        .prepare<[string, string | null], Row>(
          'SELECT * FROM threads WHERE profile = ? AND (sub IS NULL OR sub = ?) ORDER BY updated_at DESC, rowid DESC',
        )
        .all(owner.profile, owner.sub ?? null)
        .map(read),

    reconciled(id) {
      database.prepare(`UPDATE threads SET status = 'pending' WHERE id = ? AND status = 'unknown'`).run(id);
    },

    ended(id, status) {
      database
        .prepare('UPDATE threads SET status = ?, updated_at = ? WHERE id = ?')
        .run(status, clock.now(), id);
    },

    lease(id, holder) {
      const epoch = database
        .transaction(() => {
          const row = byId.get(id);
          if (row === undefined) throw notFound(id);
          const now = clock.now();
          const held = row.lease_owner !== null && row.lease_until > now && !isGone(row.lease_owner);
          if (held) return undefined;
          const epoch = row.lease_epoch + 1;
          database
            .prepare('UPDATE threads SET lease_owner = ?, lease_epoch = ?, lease_until = ? WHERE id = ?')
            .run(holder, epoch, now + THREAD_LEASE_MS, id);
          return epoch;
        })
        .immediate();
      if (epoch === undefined) {
        throw new TradeAgentError('busy', `another run holds thread ${id}`, {
          hint: 'Wait for it to end, or start a new thread.',
        });
      }
      return {
        isHeld: () => {
          const row = byId.get(id);
          return row?.lease_owner === holder && row.lease_epoch === epoch;
        },
        release: () => {
          database
            .prepare(
              `UPDATE threads SET lease_owner = NULL, lease_until = 0
               WHERE id = ? AND lease_owner = ? AND lease_epoch = ?`,
            )
            .run(id, holder, epoch);
        },
      };
    },

    renewAll(holder, ids) {
      return database
        .prepare<[number, string, string], string>(
          `UPDATE threads SET lease_until = ?
           WHERE lease_owner = ? AND id IN (SELECT value FROM json_each(?)) RETURNING id`,
        )
        .pluck()
        .all(clock.now() + THREAD_LEASE_MS, holder, JSON.stringify(ids));
    },
  };
}
