import type Database from 'better-sqlite3-multiple-ciphers';
import type { ProposalState } from '../../trading/proposal.ts';
import { NOTIFY_CHECK_MS } from '../proposal-queue.ts';
import type { ProposalChangeResult, ProposalSnapshot, ProposalStore, SnapshotQuery } from '../proposal-store.ts';
import type { AuthReqIdSeal } from '../rows/auth-req-id.ts';
import {
  DEFAULT_POLL_INTERVAL_S,
  type ProposalRow,
  recentProposalsEnd,
  toChangeClause,
  toChangeValues,
  toDraftValues,
  toProposal,
  toTokenValues,
} from '../rows/proposal-row.ts';
import { DECIDED_STATES_SQL, OPEN_STATES_SQL } from '../rows/proposal-states.ts';
import { addLine } from '../sql/audit-store.ts';
import {
  createProposalReads,
  EPOCH_COLUMNS,
  type EpochRow,
  findProposalByIdempotencyKey,
  insertIdempotencyKey,
  type ProposalRowReader,
  readEpoch,
  requireProposal,
  SET_NOTIFIED_VERSION,
  toEpoch,
} from '../sql/proposal-reads.ts';
import { one, run, type SqlTransactions } from '../sql/sql-database.ts';
import { createSqliteTransactions } from './sql-database.ts';

/** @param database the gateway's database, migrated to the latest version */
export function createSqliteProposalStore(database: Database.Database, seal: AuthReqIdSeal): ProposalStore {
  const opened: ProposalRowReader = (row) => toProposal(row, seal);
  const shared = createSqliteTransactions(database);
  const byId = database.prepare<[string], ProposalRow>('SELECT * FROM proposals WHERE id = ?');
  const version = latestVersion(database);
  return {
    ...createProposalReads(shared, opened),
    async get(id) {
      const row = byId.get(id);
      return row && opened(row);
    },
    ...snapshotMethods(database, opened),
    ...draftMethods(shared, version, opened),
    ...changeMethods(shared, version, opened, seal),
  };
}

function snapshotMethods(database: Database.Database, opened: ProposalRowReader) {
  const epoch = database.prepare<[{ sub: string }], EpochRow>(`SELECT ${EPOCH_COLUMNS}`);
  const openCodes = database
    .prepare<[string], string>(`SELECT code FROM proposals WHERE sub = ? AND state IN (${OPEN_STATES_SQL})`)
    .pluck();
  // Each count is a subquery, so that each uses its own index.
  const usage = database.prepare<unknown[], { open: number; lastHour: number }>(`
    SELECT
      (SELECT count(*) FROM proposals
       WHERE sub = @sub AND client = @client AND typed = @typed AND proposed_by IS @proposedBy AND state IN (${OPEN_STATES_SQL})) AS open,
      (SELECT count(*) FROM proposals
       WHERE sub = @sub AND client = @client AND typed = @typed AND proposed_by IS @proposedBy AND created_at > @since AND created_at < @until)
        AS "lastHour"`);
  const decided = database.prepare<unknown[], { state: ProposalState; at: number }>(`
    SELECT state, updated_at AS at FROM proposals
    WHERE sub = @sub AND client = @client AND proposed_by IS @proposedBy AND state IN (${DECIDED_STATES_SQL})
    ORDER BY updated_at DESC, version DESC LIMIT 2`);
  const sameOpen = database.prepare<unknown[], ProposalRow>(`
    SELECT * FROM proposals WHERE sub = @sub AND client = @client AND fingerprint = @fingerprint
      AND proposed_by IS @proposedBy AND state IN ('drafted', 'requested') ORDER BY created_at LIMIT 1`);
  const sameCount = database
    .prepare<unknown[], number>(
      'SELECT count(*) FROM proposals WHERE sub = @sub AND fingerprint = @fingerprint AND created_at > @since AND created_at < @until',
    )
    .pluck();
  const snapshot = database.transaction(
    ({ sub, client, typed, fingerprint, ...by }: SnapshotQuery, since: number): ProposalSnapshot => {
      const proposedBy = by.proposedBy ?? null;
      const same = fingerprint === undefined ? undefined : sameOpen.get({ sub, client, proposedBy, fingerprint });
      const row = epoch.get({ sub }) as EpochRow;
      return {
        epoch: toEpoch(row),
        haltedAt: row.halted ?? undefined,
        openCodes: openCodes.all(sub),
        ...(usage.get({
          sub,
          client,
          proposedBy,
          typed: typed ? 1 : 0,
          since,
          until: recentProposalsEnd(since),
        }) ?? { open: 0, lastHour: 0 }),
        decided: decided.all({ sub, client, proposedBy }),
        sameOpen: same && opened(same),
        sameRecently:
          fingerprint === undefined
            ? 0
            : (sameCount.get({ sub, fingerprint, since, until: recentProposalsEnd(since) }) ?? 0),
      };
    },
  );
  return { snapshot: async (of, since) => snapshot.deferred(of, since) } satisfies Partial<ProposalStore>;
}

function draftMethods(database: SqlTransactions, version: () => number, opened: ProposalRowReader) {
  return {
    draft: (draft, key, expected, line, now) =>
      database.write(function* () {
        const known = yield* findProposalByIdempotencyKey(key, opened);
        if (known !== undefined) return { outcome: 'known', ...known } as const;
        if ((yield* readEpoch(draft.sub)) !== expected.epoch) return { outcome: 'stale' } as const;
        yield* run(DRAFT, { ...toDraftValues(draft), now, version: version() + 1 });
        yield* insertIdempotencyKey(key, draft.id);
        yield* addLine(line, now);
        return { outcome: 'drafted', proposal: yield* requireProposal(draft.id, opened) } as const;
      }),
  } satisfies Partial<ProposalStore>;
}

const DRAFT = `
  INSERT INTO proposals (id, sub, proposed_by, second, client, username, email, kind, state, code, subject, subject_id, fingerprint, digest,
    nonce, shown, again, typed, created_at, updated_at, version, deadline, expires_at, poll_interval, due_at)
  VALUES (@id, @sub, @proposedBy, @second, @client, @username, @email, @kind, 'drafted', @code, @subject, @subjectId, @fingerprint, @digest,
    @nonce, @shown, @again, @typed, @now, @now, @version, @deadline, @deadline, ${DEFAULT_POLL_INTERVAL_S}, @now)`;

function changeMethods(
  database: SqlTransactions,
  version: () => number,
  opened: ProposalRowReader,
  seal: AuthReqIdSeal,
) {
  return {
    change: ({ id, version: seen }, change, line, { now, unlessHalted = false }) =>
      database.write<ProposalChangeResult>(function* () {
        const before = yield* requireProposal(id, opened);
        if (before.version !== seen) return { outcome: 'stale', proposal: before };
        const { halted } = (yield* one<EpochRow>(`SELECT ${EPOCH_COLUMNS}`, { sub: before.sub })) as EpochRow;
        if (unlessHalted && halted !== null) return { outcome: 'halted', proposal: before };
        yield* run(
          `UPDATE proposals SET ${toChangeClause(change, { next: '@next', notifyCheckAt: `@now + ${NOTIFY_CHECK_MS}` })} WHERE id = @id`,
          {
            ...toChangeValues(id, change, seal),
            ...toTokenValues(change.token),
            now,
            next: version() + 1,
          },
        );
        yield* addLine(line, now);
        return { outcome: 'moved', proposal: yield* requireProposal(id, opened) };
      }),
    async markReported(id, told) {
      await database.run(SET_NOTIFIED_VERSION, { id, told });
    },
  } satisfies Partial<ProposalStore>;
}

/** Returns a function that reads the highest version of all proposals, or 0 if there are none. */
function latestVersion(database: Database.Database): () => number {
  const select = database.prepare<[], number>('SELECT coalesce(max(version), 0) FROM proposals').pluck();
  return () => select.get() ?? 0;
}
