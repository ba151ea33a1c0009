import { isSettledState } from '../../../trading/proposal.ts';
import {
  type LeasedThread,
  type StoredThreadStatus,
  type Thread,
  type ThreadStore,
  TITLE_LENGTH,
} from '../../thread-store.ts';
import { isHeldLease } from './held-lease.ts';
import type { PersonDatabase } from './person-database.ts';
import { proposalsOf } from './thread-proposals.ts';

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

export function postgresThreadStore(database: PersonDatabase): ThreadStore {
  return {
    async find(id) {
      const row = await database.read((unit) =>
        unit.last.one<Row>('SELECT * FROM threads WHERE id = @id', { id }),
      );
      return row === undefined ? undefined : leasedThread(row);
    },
    async list({ profile, sub }) {
      const rows = await database.read((unit) =>
        unit.last.all<Row>(
          `SELECT * FROM threads WHERE profile = @profile AND (sub IS NULL OR sub = @sub)
           ORDER BY updated_at DESC, seq DESC`,
          { profile, sub: sub ?? null },
        ),
      );
      return rows.map(threadOf);
    },
    begin: beginning(database),
    isHeld: (lease) => database.read((unit) => isHeldLease(unit, lease, { keep: false })),
    async renew(holder, ids, until) {
      const rows = await database.write((unit) =>
        unit.last.all<{ id: string }>(
          'UPDATE threads SET lease_until = @until WHERE lease_owner = @holder AND id = ANY(@ids) RETURNING id',
          { holder, ids, until },
        ),
      );
      return rows.map(({ id }) => id);
    },
    async end({ thread, holder, epoch }, status, now) {
      await database.write((unit) =>
        unit.last.run(
          `UPDATE threads SET lease_owner = NULL, lease_until = 0, status = coalesce(@status, status),
             updated_at = CASE WHEN @status::text IS NULL THEN updated_at ELSE @now END
           WHERE id = @thread AND lease_owner = @holder AND lease_epoch = @epoch`,
          { thread, holder, epoch, status: status ?? null, now },
        ),
      );
    },
    async reconciled(id) {
      await database.write((unit) =>
        unit.last.run(`UPDATE threads SET status = 'pending' WHERE id = @id AND status = 'unknown'`, { id }),
      );
    },
    remove: removal(database),
  };
}

/** A compare-and-set in one statement: of several who saw the same epoch, or none, one finds it so. */
function beginning(database: PersonDatabase): ThreadStore['begin'] {
  return async ({ id, owner, title, holder, expected, now, until }) => {
    const values = { id, holder, now, until, sub: owner.sub ?? null };
    const row = await database.write((unit) =>
      expected === undefined
        ? unit.one<Row>(
            `INSERT INTO threads (id, profile, sub, title, created_at, updated_at, lease_owner, lease_epoch, lease_until)
             VALUES (@id, @profile, @sub, @title, @now, @now, @holder, 1, @until)
             ON CONFLICT DO NOTHING RETURNING *`,
            { ...values, profile: owner.profile, title: storable(title ?? '') },
          )
        : unit.one<Row>(
            `UPDATE threads SET lease_owner = @holder, lease_epoch = lease_epoch + 1, lease_until = @until,
               status = CASE WHEN @speaks THEN 'running' ELSE status END,
               updated_at = CASE WHEN @speaks THEN @now ELSE updated_at END,
               sub = CASE WHEN @speaks THEN coalesce(sub, @sub) ELSE sub END
             WHERE id = @id AND lease_epoch = @expected RETURNING *`,
            { ...values, expected, speaks: title !== undefined },
          ),
    );
    if (row === undefined) return { outcome: 'stale' };
    return { outcome: 'begun', thread: threadOf(row), lease: { thread: id, holder, epoch: row.lease_epoch } };
  };
}

function removal(database: PersonDatabase): ThreadStore['remove'] {
  return async (id, { epoch }) =>
    await database.write(async (unit) => {
      // Held until the end: neither is it taken meanwhile, nor is a proposal noted of it.
      const found = await unit.one('SELECT FROM threads WHERE id = @id AND lease_epoch = @epoch FOR UPDATE', {
        id,
        epoch,
      });
      if (found === undefined) return 'stale';
      const seen = await proposalsOf(unit, id);
      if (seen.some(({ proposal }) => !isSettledState(proposal.state))) return 'stale';
      for (const table of ['checkpoints', 'writes', 'messages'])
        await unit.run(`DELETE FROM ${table} WHERE thread_id = @id`, { id });
      await unit.run('DELETE FROM thread_proposals WHERE thread = @id', { id });
      await unit.run('DELETE FROM threads WHERE id = @id', { id });
      return 'removed';
    });
}

/** PostgreSQL's text has no NUL; what a person pipes in may. */
function storable(title: string): string {
  return title.slice(0, TITLE_LENGTH).replaceAll('\0', '\u{fffd}');
}

function threadOf({ id, profile, sub, title, status, updated_at }: Row): Thread {
  return { id, profile, sub: sub ?? undefined, title, status, updatedAt: updated_at };
}

function leasedThread(row: Row): LeasedThread {
  const { lease_owner, lease_epoch: epoch, lease_until: until } = row;
  return { ...threadOf(row), holder: lease_owner ?? undefined, epoch, until };
}
