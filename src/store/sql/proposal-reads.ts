import { defined } from '../../values/defined.ts';
import type { KeyedProposal, KeyedRequest, ProposalKey, ProposalStore, StoredProposal } from '../proposal-store.ts';
import { hashAuthReqId } from '../rows/auth-req-id.ts';
import { formatEpoch, PROPOSAL_COLUMNS, type ProposalRow } from '../rows/proposal-row.ts';
import { OPEN_STATES_SQL, PENDING_NOTICE_SQL } from '../rows/proposal-states.ts';
import {
  lockPeople,
  MAX_COUNTED,
  one,
  run,
  type SqlTransactions,
  type SqlValues,
  type TransactionWork,
} from './sql-database.ts';

/** Converts a row to a proposal. The proposal's sealed members are opened only when they are read. */
export type ProposalRowReader = (row: ProposalRow) => StoredProposal;

/** Returns the store's methods that read proposals, and the writing methods that don't change a proposal's version. */
export function createProposalReads(database: SqlTransactions, opened: ProposalRowReader) {
  const { place, json } = database.dialect;
  const proposals = async (text: string, values?: SqlValues) =>
    (await database.all<ProposalRow>(text, values)).map(opened);
  const found = async (where: string, values: SqlValues) =>
    (await proposals(`SELECT ${PROPOSAL_COLUMNS} FROM proposals WHERE ${where}`, values))[0];
  /** Returns a query that combines one limited query per condition, so that each condition uses its own index. */
  const united = (conditions: readonly string[], first: string) => {
    const all = place === 'rowid' ? '*, rowid AS place' : '*';
    const parts = conditions.map(
      (where) => `SELECT * FROM (SELECT ${all} FROM proposals WHERE ${where} ${first}) AS part`,
    );
    return `${parts.join(' UNION ALL ')} ${first}`;
  };
  return {
    byAuthReqId: (authReqId) => found('auth_req_hash = @hash', { hash: hashAuthReqId(authReqId) }),
    bySubject: (sub, subjectId) => found('sub = @sub AND subject_id = @subjectId', { sub, subjectId }),
    async hasNamed(sub, symbol) {
      const source = `${json('shown')} -> 'provenance' -> 'fields' -> 'symbol' ->> 'source'`;
      const row = await database.one(
        `SELECT 1 AS found FROM proposals
         WHERE sub = @sub AND kind = 'order' AND ${json('subject')} ->> 'symbol' = @symbol AND ${source} = 'user' LIMIT 1`,
        { sub, symbol },
      );
      return row !== undefined;
    },
    keyed: (key) => database.read(() => findProposalByIdempotencyKey(key, opened)),
    list({ sub, party, state, limit = Number.MAX_SAFE_INTEGER }) {
      const open = state === 'all' ? 'true' : `state IN (${OPEN_STATES_SQL})`;
      const whose = party === undefined ? ['sub = @who'] : ['sub = @who', 'proposed_by = @who'];
      const who = party ?? sub;
      return proposals(
        united(
          // Uses a separate query for each condition, because an optional condition would prevent SQLite from using an
          // index.
          who === undefined ? [open] : whose.map((one) => `${one} AND ${open}`),
          'ORDER BY created_at DESC, place DESC LIMIT CAST(@limit AS bigint)',
        ).replaceAll('WHERE true ', ''),
        { limit, ...defined({ who }) },
      );
    },
    async unknownIds() {
      const rows = await database.all<{ id: string }>(
        `SELECT id FROM proposals WHERE state IN (${OPEN_STATES_SQL}) AND state = 'unknown' ORDER BY created_at, ${place}`,
      );
      return rows.map(({ id }) => id);
    },
    async openCount() {
      const row = await database.one<{ open: number }>(
        `SELECT count(*) AS open FROM (
           SELECT 1 FROM proposals WHERE state IN (${OPEN_STATES_SQL}) LIMIT ${MAX_COUNTED}) AS counted`,
      );
      return row?.open ?? 0;
    },
    changedSince: (party, after) =>
      proposals(
        united(
          ['sub', 'proposed_by'].map((column) => `${column} = @party AND version > @after`),
          'ORDER BY version LIMIT 500',
        ),
        { party, after },
      ),
    async version(party) {
      // Each subquery uses its own index.
      const row = await database.one<{ mine: number | null; proposed: number | null }>(
        `SELECT (SELECT max(version) FROM proposals WHERE sub = @party) AS mine,
           (SELECT max(version) FROM proposals WHERE proposed_by = @party) AS proposed`,
        { party },
      );
      return Math.max(row?.mine ?? 0, row?.proposed ?? 0);
    },
    unreported: () => proposals(`SELECT * FROM proposals WHERE ${PENDING_NOTICE_SQL} ORDER BY version`),
    async oldestUnreported() {
      const row = await database.one<{ at: number }>(
        `SELECT updated_at AS at FROM proposals WHERE ${PENDING_NOTICE_SQL} ORDER BY version LIMIT 1`,
      );
      return row?.at;
    },
    async sealedToken(id, of = 'owner') {
      const row = await database.one<Pick<ProposalRow, 'sealed_token' | 'second_token'>>(
        'SELECT sealed_token, second_token FROM proposals WHERE id = @id',
        { id },
      );
      return row?.[of === 'owner' ? 'sealed_token' : 'second_token'] ?? undefined;
    },
    addKey: (key, id, expected) =>
      database.write(function* () {
        const { sub } = yield* requireProposal(id, opened);
        yield* lockPeople(sub, key.sub);
        const known = yield* findProposalByIdempotencyKey(key, opened);
        if (known !== undefined) return { outcome: 'known', ...known } as const;
        if ((yield* readEpoch(sub)) !== expected.epoch) return { outcome: 'stale' } as const;
        yield* insertIdempotencyKey(key, id);
        return { outcome: 'kept' } as const;
      }),
    async setInterval(id, seconds) {
      await database.run('UPDATE proposals SET poll_interval = @seconds WHERE id = @id', { id, seconds });
    },
  } satisfies Partial<ProposalStore>;
}

export function* requireProposal(id: string, opened: ProposalRowReader): TransactionWork<StoredProposal> {
  const row = yield* one<ProposalRow>(`SELECT ${PROPOSAL_COLUMNS} FROM proposals WHERE id = @id`, { id });
  if (row !== undefined) return opened(row);
  throw new Error(`proposal ${id} is missing in the store`);
}

export function* findProposalByIdempotencyKey(
  { sub, client, key }: ProposalKey,
  opened: ProposalRowReader,
): TransactionWork<KeyedProposal | undefined> {
  const found = yield* one<ProposalRow & { readonly request: string }>(
    `SELECT proposals.*, keys.request FROM proposal_keys AS keys JOIN proposals ON proposals.id = keys.proposal
     WHERE keys.sub = @sub AND keys.client = @client AND keys.key = @key`,
    { sub, client, key },
  );
  if (found === undefined) return undefined;
  const { request, ...row } = found;
  return { request, proposal: opened(row) };
}

export const insertIdempotencyKey = ({ sub, client, key, request }: KeyedRequest, id: string) =>
  run('INSERT INTO proposal_keys (sub, client, key, request, proposal) VALUES (@sub, @client, @key, @request, @id)', {
    sub,
    client,
    key,
    request,
    id,
  });

/** Records that the phone was notified, and plans no further check unless the proposal has changed since. */
export const SET_NOTIFIED_VERSION = `
  UPDATE proposals SET told = @told,
    due_at = CASE WHEN state IN (${OPEN_STATES_SQL}) OR version > @told THEN due_at END
  WHERE id = @id AND told < @told`;

export const EPOCH_COLUMNS = `(SELECT max(version) FROM proposals WHERE sub = @sub) AS latest,
  (SELECT halted_at FROM halts WHERE sub = @sub) AS halted`;

export interface EpochRow {
  readonly latest: number | null;
  readonly halted: number | null;
}

/**
 * Returns a person's epoch. The epoch changes whenever one of the person's proposals changes, because each change
 * gives that proposal a higher version than all of the person's other proposals.
 */
export function* readEpoch(sub: string): TransactionWork<string> {
  return toEpoch((yield* one<EpochRow>(`SELECT ${EPOCH_COLUMNS}`, { sub })) as EpochRow);
}

export function toEpoch({ latest, halted }: EpochRow): string {
  return formatEpoch(latest ?? 0, halted ?? undefined);
}
