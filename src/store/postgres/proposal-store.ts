import { type AuditNote, toLineValues } from '../audit.ts';
import { DRAFT_CLAIM_MS, NOTIFY_CHECK_MS } from '../proposal-queue.ts';
import type {
  KeyedRequest,
  ProposalChange,
  ProposalChangeResult,
  ProposalDraft,
  ProposalSnapshot,
  ProposalStore,
  SnapshotQuery,
  StoredProposal,
} from '../proposal-store.ts';
import type { AuthReqIdSeal } from '../rows/auth-req-id.ts';
import {
  DEFAULT_POLL_INTERVAL_S,
  PROPOSAL_COLUMNS,
  type ProposalRow,
  recentProposalsEnd,
  toChangeClause,
  toChangeValues,
  toDraftValues,
  toProposal,
  toTokenValues,
} from '../rows/proposal-row.ts';
import { DECIDED_STATES_SQL, OPEN_STATES_SQL } from '../rows/proposal-states.ts';
import {
  createProposalReads,
  EPOCH_COLUMNS,
  type EpochRow,
  findProposalByIdempotencyKey,
  type ProposalRowReader,
  readEpoch,
  requireProposal,
  SET_NOTIFIED_VERSION,
  toEpoch,
} from '../sql/proposal-reads.ts';
import { lockPeople } from '../sql/sql-database.ts';
import { timeAfterMs } from './proposal-queue.ts';
import { postgresTransactions, runTransactionWork } from './sql-database.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

export function postgresProposalStore(database: TenantDatabase, seal: AuthReqIdSeal): ProposalStore {
  const opened: ProposalRowReader = (row) => toProposal(row, seal);
  return {
    ...createProposalReads(postgresTransactions(database, 'place'), opened),
    // Reads are batched, because after a proposal changes, every request that waits for it reads it.
    get: createBatchedLookup(async (ids) => {
      const rows = await database.read((unit) =>
        unit.last.all<ProposalRow>(`SELECT ${PROPOSAL_COLUMNS} FROM proposals WHERE id = ANY(@ids)`, { ids }),
      );
      return new Map(rows.map((row) => [row.id, opened(row)]));
    }),
    snapshot: (of, since) => database.read((unit) => readSnapshot(unit, of, since, opened)),
    ...draftMethods(database, opened),
    ...changeMethods(database, opened, seal),
  };
}

function draftMethods(database: TenantDatabase, opened: ProposalRowReader) {
  return {
    draft: (
      draft: ProposalDraft,
      key: KeyedRequest,
      expected: { readonly epoch: string },
      note: AuditNote,
      now: number,
    ) =>
      database.write(async (unit) => {
        // The statements are sent together. Each sees all earlier commits, also those that the lock waited for.
        const [, known, epoch] = await Promise.all([
          runTransactionWork(unit, lockPeople(draft.sub, draft.proposedBy, key.sub)),
          runTransactionWork(unit, findProposalByIdempotencyKey(key, opened)),
          runTransactionWork(unit, readEpoch(draft.sub)),
        ]);
        if (known !== undefined) return { outcome: 'known', ...known } as const;
        if (epoch !== expected.epoch) return { outcome: 'stale' } as const;
        const row = await unit.last.one<ProposalRow>(DRAFT, {
          ...toDraftValues(draft),
          keySub: key.sub,
          keyClient: key.client,
          key: key.key,
          request: key.request,
          now,
          ...toLineValues(note, now),
        });
        return { outcome: 'drafted', proposal: opened(row as ProposalRow) } as const;
      }),
  } satisfies Partial<ProposalStore>;
}

/** Returns a common table expression that adds an audit log line, if the common table expression `rows` has a row. */
const insertLine = (rows: string) =>
  `line AS (INSERT INTO record_lines (sub, about, line) SELECT @lineSub, @lineAbout, @line FROM ${rows})`;

/** Inserts a draft with its key and its audit log entry. Must be the transaction's last statement. */
const DRAFT = `
  WITH drafted AS (
    INSERT INTO proposals (id, sub, proposed_by, second, client, username, email, kind, state, code, subject,
      subject_id, fingerprint, digest, nonce, shown, again, typed, created_at, updated_at, deadline,
      expires_at, poll_interval, due_at)
    VALUES (@id, @sub, @proposedBy, @second, @client, @username, @email, @kind, 'drafted', @code, @subject,
      @subjectId, @fingerprint, @digest, @nonce, @shown, @again, @typed, @now, @now, @deadline,
      @deadline, ${DEFAULT_POLL_INTERVAL_S}, ${timeAfterMs(DRAFT_CLAIM_MS)})
    RETURNING ${PROPOSAL_COLUMNS}
  ),
  keyed AS (
    INSERT INTO proposal_keys (sub, client, key, request, proposal)
    SELECT @keySub, @keyClient, @key, @request, id FROM drafted
  ),
  ${insertLine('drafted')}
  SELECT ${PROPOSAL_COLUMNS} FROM drafted`;

function changeMethods(database: TenantDatabase, opened: ProposalRowReader, seal: AuthReqIdSeal) {
  return {
    change: (
      { id, version: seen, sub, proposedBy }: Pick<StoredProposal, 'id' | 'version' | 'sub' | 'proposedBy'>,
      change: ProposalChange,
      note: AuditNote,
      { now, unlessHalted = false }: { readonly now: number; readonly unlessHalted?: boolean },
    ) =>
      database
        .write(async (unit) => {
          const [, row] = await Promise.all([
            runTransactionWork(unit, lockPeople(sub, proposedBy)),
            unit.last.one<ProposalRow>(updateProposal(change, unlessHalted), {
              ...toChangeValues(id, change, seal),
              ...toTokenValues(change.token),
              now,
              seen,
              ...toLineValues(note, now),
            }),
          ]);
          return row;
        })
        .then(async (row): Promise<ProposalChangeResult> => {
          if (row !== undefined) return { outcome: 'moved', proposal: opened(row) };
          const proposal = await database.read((unit) => runTransactionWork(unit.last, requireProposal(id, opened)));
          // The version is unchanged, so only a halt can have prevented the update.
          return { outcome: unlessHalted && proposal.version === seen ? 'halted' : 'stale', proposal };
        }),
    // The write need not be durable. If a power failure undoes it, the phone is notified again.
    markReported: async (id: string, told: number) =>
      void (await database.writeUnsynced((unit) => unit.last.run(SET_NOTIFIED_VERSION, { id, told }))),
  } satisfies Partial<ProposalStore>;
}

/**
 * Returns the statement that updates a proposal and writes the audit log entry, if the proposal's version is unchanged.
 * Must be the transaction's last statement.
 */
function updateProposal(change: ProposalChange, unlessHalted: boolean): string {
  const unless = unlessHalted ? 'AND NOT EXISTS (SELECT FROM halts WHERE halts.sub = proposals.sub)' : '';
  return `
    WITH moved AS (
      UPDATE proposals SET ${toChangeClause(change, { next: "nextval('proposal_versions')", notifyCheckAt: timeAfterMs(NOTIFY_CHECK_MS) })}
      WHERE id = @id AND version = @seen ${unless}
      RETURNING ${PROPOSAL_COLUMNS}
    ),
    ${insertLine('moved')}
    SELECT ${PROPOSAL_COLUMNS} FROM moved`;
}

const SAME_PROPOSER = 'sub = @sub AND client = @client AND proposed_by IS NOT DISTINCT FROM @proposedBy';

/** Each count is a subquery, so that each uses its own index. */
const SNAPSHOT = `
  SELECT ${EPOCH_COLUMNS},
    (SELECT coalesce(array_agg(code), '{}') FROM proposals WHERE sub = @sub AND state IN (${OPEN_STATES_SQL})) AS codes,
    (SELECT count(*) FROM proposals WHERE ${SAME_PROPOSER} AND typed = @typed AND state IN (${OPEN_STATES_SQL})) AS open,
    (SELECT count(*) FROM proposals WHERE ${SAME_PROPOSER} AND typed = @typed AND created_at > @since AND created_at < @until) AS "lastHour",
    (
      SELECT count(*) FROM proposals
      WHERE sub = @sub AND fingerprint = @fingerprint AND created_at > @since AND created_at < @until
    ) AS alike,
    (
      SELECT coalesce(json_agg(json_build_object('state', state, 'at', at) ORDER BY at DESC, version DESC), '[]')
      FROM (
        SELECT state, updated_at AS at, version FROM proposals WHERE ${SAME_PROPOSER} AND state IN (${DECIDED_STATES_SQL})
        ORDER BY updated_at DESC, version DESC LIMIT 2
      ) AS last
    ) AS decided`;

interface SnapshotRow extends EpochRow {
  readonly codes: readonly string[];
  readonly open: number;
  readonly lastHour: number;
  readonly alike: number;
  readonly decided: ProposalSnapshot['decided'];
}

const SAME_OPEN = `
  SELECT * FROM proposals WHERE ${SAME_PROPOSER} AND fingerprint = @fingerprint AND state IN ('drafted', 'requested')
  ORDER BY created_at, place LIMIT 1`;

async function readSnapshot(
  unit: Transaction,
  { sub, client, typed, fingerprint, ...by }: SnapshotQuery,
  since: number,
  opened: ProposalRowReader,
): Promise<ProposalSnapshot> {
  const asker = { sub, client, proposedBy: by.proposedBy ?? null };
  const asked = { ...asker, typed, since, until: recentProposalsEnd(since), fingerprint: fingerprint ?? null };
  const [same, found] = await Promise.all([
    fingerprint === undefined ? undefined : unit.one<ProposalRow>(SAME_OPEN, { ...asker, fingerprint }),
    unit.last.one<SnapshotRow>(SNAPSHOT, asked),
  ]);
  const { codes, open, lastHour, alike, decided, ...row } = found as SnapshotRow;
  return {
    epoch: toEpoch(row),
    haltedAt: row.halted ?? undefined,
    openCodes: codes,
    open,
    lastHour,
    decided,
    sameOpen: same && opened(same),
    sameRecently: alike,
  };
}

/**
 * Returns a lookup function that combines all calls in one turn of the event loop into one query, without duplicate
 * IDs. The query is sent after the turn's last call, so that no caller gets a state that is older than its call.
 * @param look returns the items that exist; if it rejects, all calls of the turn reject
 */
export function createBatchedLookup<T>(
  look: (ids: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (id: string) => Promise<T | undefined> {
  let turn: { readonly ids: Set<string>; readonly found: Promise<ReadonlyMap<string, T>> } | undefined;
  const begin = () => {
    const ids = new Set<string>();
    const found = new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
      turn = undefined;
      return look([...ids]);
    });
    return { ids, found };
  };
  return async (id) => {
    turn ??= begin();
    turn.ids.add(id);
    return (await turn.found).get(id);
  };
}
