import { isSettledState } from '../../trading/proposal.ts';
import {
  type LeasedThread,
  type StoredThreadStatus,
  type Thread,
  type ThreadStore,
  TITLE_LENGTH,
} from '../thread-store.ts';
import { heldLease } from './held-lease.ts';
import type { StateDatabase } from './state-database.ts';
import { sqliteThreadProposals } from './thread-proposals.ts';

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

export function sqliteThreadStore(database: StateDatabase): ThreadStore {
  const byId = database.prepare<[string], Row>('SELECT * FROM threads WHERE id = ?');
  const isHeld = heldLease(database);
  return {
    async find(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : leasedThread(row);
    },
    list: async ({ profile, sub }) =>
      database
        .prepare<[string, string | null], Row>(
          'SELECT * FROM threads WHERE profile = ? AND (sub IS NULL OR sub = ?) ORDER BY updated_at DESC, rowid DESC',
        )
        .all(profile, sub ?? null)
        .map(threadOf),
    begin: beginning(database),
    isHeld: async (lease) => isHeld(lease),
    renew: async (holder, ids, until) =>
      database
        .prepare<[number, string, string], string>(
          `UPDATE threads SET lease_until = ?
           WHERE lease_owner = ? AND id IN (SELECT value FROM json_each(?)) RETURNING id`,
        )
        .pluck()
        .all(until, holder, JSON.stringify(ids)),
    async end(lease, status, now) {
      const { thread, holder, epoch } = lease;
      database
        .transaction(() => {
          if (status !== undefined && isHeld(lease)) {
            database
              .prepare('UPDATE threads SET status = ?, updated_at = ? WHERE id = ?')
              .run(status, now, thread);
          }
          database
            .prepare(
              `UPDATE threads SET lease_owner = NULL, lease_until = 0
               WHERE id = ? AND lease_owner = ? AND lease_epoch = ?`,
            )
            .run(thread, holder, epoch);
        })
        .immediate();
    },
    async reconciled(id) {
      database.prepare(`UPDATE threads SET status = 'pending' WHERE id = ? AND status = 'unknown'`).run(id);
    },
    remove: removal(database),
  };
}

function beginning(database: StateDatabase): ThreadStore['begin'] {
  const byId = database.prepare<[string], Row>('SELECT * FROM threads WHERE id = ?');
  const begin = database.transaction(
    ({ id, owner, title, holder, expected, now, until }: Parameters<ThreadStore['begin']>[0]) => {
      const found = byId.get(id);
      if (found?.lease_epoch !== expected) return { outcome: 'stale' } as const;
      if (found === undefined) {
        database
          .prepare(
            'INSERT INTO threads (id, profile, sub, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
          )
          .run(id, owner.profile, owner.sub ?? null, (title ?? '').slice(0, TITLE_LENGTH), now, now);
      } else if (title !== undefined) {
        database
          .prepare(
            `UPDATE threads SET status = 'running', updated_at = ?, sub = coalesce(sub, ?) WHERE id = ?`,
          )
          .run(now, owner.sub ?? null, id);
      }
      const epoch = (expected ?? 0) + 1;
      database
        .prepare('UPDATE threads SET lease_owner = ?, lease_epoch = ?, lease_until = ? WHERE id = ?')
        .run(holder, epoch, until, id);
      const thread = threadOf(byId.get(id) as Row);
      return { outcome: 'begun', thread, lease: { thread: id, holder, epoch } } as const;
    },
  );
  return async (run) => begin.immediate(run);
}

function removal(database: StateDatabase): ThreadStore['remove'] {
  const epoch = database.prepare<[string], number>('SELECT lease_epoch FROM threads WHERE id = ?').pluck();
  const { proposalsOf } = sqliteThreadProposals(database);
  const remove = database.transaction((id: string, expected: number) => {
    const isOpen = proposalsOf(id).some(({ proposal }) => !isSettledState(proposal.state));
    if (epoch.get(id) !== expected || isOpen) return 'stale' as const;
    for (const table of ['checkpoints', 'writes', 'messages']) {
      database.prepare(`DELETE FROM ${table} WHERE thread_id = ?`).run(id);
    }
    database.prepare('DELETE FROM thread_proposals WHERE thread = ?').run(id);
    database.prepare('DELETE FROM threads WHERE id = ?').run(id);
    return 'removed' as const;
  });
  return async (id, expected) => remove.immediate(id, expected.epoch);
}

function threadOf({ id, profile, sub, title, status, updated_at }: Row): Thread {
  return { id, profile, sub: sub ?? undefined, title, status, updatedAt: updated_at };
}

function leasedThread(row: Row): LeasedThread {
  const { lease_owner, lease_epoch: epoch, lease_until: until } = row;
  return { ...threadOf(row), holder: lease_owner ?? undefined, epoch, until };
}
