import { isSettledState } from '../../trading/proposal.ts';
import {
  type LeasedThread,
  type StoredThreadStatus,
  type Thread,
  type ThreadLease,
  type ThreadStore,
  TITLE_LENGTH,
} from '../thread-store.ts';
import { all, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';
import { readThreadProposals } from './thread-proposal-store.ts';

interface Row {
  readonly id: string;
  readonly profile: string;
  readonly sub: string | null;
  readonly title: string;
  readonly status: StoredThreadStatus;
  readonly updated_at: number;
  readonly lease_owner: string | null;
  readonly lease_epoch: number;
  readonly lease_until: number;
}

const IS_HELD = 'id = @thread AND lease_owner = @holder AND lease_epoch = @epoch';

/**
 * Returns whether the lease is still held.
 * @param lock PostgreSQL's clause that locks the row, so that the lease stays held until the end of the transaction
 */
export function* isHeldLease(
  { thread, holder, epoch }: ThreadLease,
  lock: '' | ' FOR SHARE' = '',
): TransactionWork<boolean> {
  const found = yield* one(`SELECT 1 AS held FROM threads WHERE ${IS_HELD}${lock}`, {
    thread,
    holder,
    epoch,
  });
  return found !== undefined;
}

export function createThreadStore(database: SqlTransactions): ThreadStore {
  const { place, forUpdate, each } = database.dialect;
  return {
    async find(id) {
      const row = await database.one<Row>('SELECT * FROM threads WHERE id = @id', { id });
      return row && toLeasedThread(row);
    },
    async list({ profile, sub }) {
      const rows = await database.all<Row>(
        `SELECT * FROM threads WHERE profile = @profile AND (sub IS NULL OR sub = @sub)
         ORDER BY updated_at DESC, ${place} DESC`,
        { profile, sub: sub ?? null },
      );
      return rows.map(toThread);
    },
    begin: (asked) => database.write(() => takeLease(asked)),
    isHeld: (lease) => database.read(() => isHeldLease(lease)),
    async renew(holder, ids, until) {
      const rows = await database.write(() =>
        all<{ id: string }>(
          `UPDATE threads SET lease_until = @until
           WHERE lease_owner = @holder AND id IN (SELECT value ->> 'id' FROM ${each('@ids')}) RETURNING id`,
          { holder, until, ids: JSON.stringify(ids.map((id) => ({ id }))) },
        ),
      );
      return rows.map(({ id }) => id);
    },
    async end({ thread, holder, epoch }, status, now) {
      await database.run(
        `UPDATE threads SET lease_owner = NULL, lease_until = 0, status = coalesce(@status, status),
           updated_at = CASE WHEN CAST(@status AS text) IS NULL THEN updated_at ELSE @now END
         WHERE ${IS_HELD}`,
        { thread, holder, epoch, status: status ?? null, now },
      );
    },
    async reconciled(id) {
      await database.run("UPDATE threads SET status = 'pending' WHERE id = @id AND status = 'unknown'", {
        id,
      });
    },
    remove: (id, { epoch }) =>
      database.write(function* () {
        // Locks the thread until the end of the transaction, so that nobody takes its lease or adds a proposal.
        const found = yield* one(`SELECT id FROM threads WHERE id = @id AND lease_epoch = @epoch${forUpdate}`, {
          id,
          epoch,
        });
        const seen = yield* readThreadProposals(database.dialect, id);
        if (found === undefined || seen.some(({ proposal }) => !isSettledState(proposal.state))) return 'stale';
        for (const table of ['checkpoints', 'writes', 'messages'])
          yield* run(`DELETE FROM ${table} WHERE thread_id = @id`, { id });
        yield* run('DELETE FROM thread_proposals WHERE thread = @id', { id });
        yield* run('DELETE FROM threads WHERE id = @id', { id });
        return 'removed';
      }),
  };
}

/** Takes a thread's lease by compare-and-set. If several callers pass the same epoch, only one of them succeeds. */
function* takeLease(
  asked: Parameters<ThreadStore['begin']>[0],
): TransactionWork<Awaited<ReturnType<ThreadStore['begin']>>> {
  const { id, owner, title, holder, expected, now, until } = asked;
  const values = { id, holder, now, until, sub: owner.sub ?? null };
  const row =
    expected === undefined
      ? yield* one<Row>(
          `INSERT INTO threads (id, profile, sub, title, created_at, updated_at, lease_owner, lease_epoch, lease_until)
           VALUES (@id, @profile, @sub, @title, @now, @now, @holder, 1, @until)
           ON CONFLICT DO NOTHING RETURNING *`,
          { ...values, profile: owner.profile, title: storableTitle(title ?? '') },
        )
      : yield* one<Row>(
          `UPDATE threads SET lease_owner = @holder, lease_epoch = lease_epoch + 1, lease_until = @until,
             status = CASE WHEN @speaks = 1 THEN 'running' ELSE status END,
             updated_at = CASE WHEN @speaks = 1 THEN @now ELSE updated_at END,
             sub = CASE WHEN @speaks = 1 THEN coalesce(sub, @sub) ELSE sub END
           WHERE id = @id AND lease_epoch = @expected RETURNING *`,
          { ...values, expected, speaks: title === undefined ? 0 : 1 },
        );
  if (row === undefined) return { outcome: 'stale' };
  return { outcome: 'begun', thread: toThread(row), lease: { thread: id, holder, epoch: row.lease_epoch } };
}

/** Shortens a title and replaces NUL, which PostgreSQL can't store, but which piped input may contain. */
function storableTitle(title: string): string {
  return title.slice(0, TITLE_LENGTH).replaceAll('\0', '\u{fffd}');
}

function toThread({ id, profile, sub, title, status, updated_at }: Row): Thread {
  return { id, profile, sub: sub ?? undefined, title, status, updatedAt: updated_at };
}

function toLeasedThread(row: Row): LeasedThread {
  const { lease_owner, lease_epoch: epoch, lease_until: until } = row;
  return { ...toThread(row), holder: lease_owner ?? undefined, epoch, until };
}
