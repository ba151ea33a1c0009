import type {
  Keyed,
  ProposalKey,
  ProposalStore,
  Standing,
  StandingQuery,
  StoredProposal,
} from '../proposal-store.ts';
import { epochText, latelyUntil, type ProposalRow } from '../rows/proposal-row.ts';
import { DECIDED, OPEN, TOLD } from '../rows/proposal-states.ts';
import { questionHash } from '../rows/question-id.ts';
import { gathered } from './gathered.ts';
import type { Values } from './statement.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** A row with what is sealed in it opened where it is looked at. */
export type OpenedRow = (row: ProposalRow) => StoredProposal;

export function proposalReads(database: TenantDatabase, opened: OpenedRow) {
  const proposals = async (text: string, values: Values = {}) => {
    const rows = await database.read((unit) => unit.last.all<ProposalRow>(text, values));
    return rows.map(opened);
  };
  return {
    // A change is heard of by all who wait for it, and each looks for itself.
    get: gathered(async (ids) => {
      const found = await proposals('SELECT * FROM proposals WHERE id = ANY(@ids)', { ids });
      return new Map(found.map((proposal) => [proposal.id, proposal]));
    }),
    byAuthReqId: async (authReqId: string) =>
      (
        await proposals('SELECT * FROM proposals WHERE auth_req_hash = @hash', {
          hash: questionHash(authReqId),
        })
      )[0],
    ofSubject: async (sub: string, subjectId: string) =>
      (
        await proposals('SELECT * FROM proposals WHERE sub = @sub AND subject_id = @subjectId', {
          sub,
          subjectId,
        })
      )[0],
    keyed: (key: ProposalKey) => database.read((unit) => keyedBy(unit.last, key, opened)),
    async list({ sub, party, state, limit }: Parameters<ProposalStore['list']>[0]) {
      const who =
        party !== undefined ? ['sub = @who', 'proposed_by = @who'] : sub !== undefined ? ['sub = @who'] : [];
      const open = state === 'all' ? [] : [`state IN (${OPEN})`];
      const newest = 'ORDER BY created_at DESC, place DESC LIMIT @limit::bigint';
      // Each half by an index of its own.
      const parts = (who.length === 0 ? ['true'] : who).map((whose) => {
        const where = [whose, ...open].join(' AND ');
        return `(SELECT * FROM proposals WHERE ${where} ${newest})`;
      });
      return await proposals(parts.length === 1 ? `${parts}` : `${parts.join(' UNION ALL ')} ${newest}`, {
        limit: limit ?? null,
        ...(who.length === 0 ? {} : { who: party ?? sub ?? '' }),
      });
    },
    async openIds(state?: 'unknown') {
      const rows = await database.read((unit) =>
        unit.last.all<{ id: string }>(
          `SELECT id FROM proposals WHERE state IN (${OPEN}) AND state = coalesce(@state, state)
           ORDER BY created_at, place`,
          { state: state ?? null },
        ),
      );
      return rows.map(({ id }) => id);
    },
    changedSince(party: string, after: number) {
      const changedOf = (column: 'sub' | 'proposed_by') =>
        `(SELECT * FROM proposals WHERE ${column} = @party AND version > @after ORDER BY version LIMIT 500)`;
      const text = `${changedOf('sub')} UNION ALL ${changedOf('proposed_by')} ORDER BY version LIMIT 500`;
      return proposals(text, { party, after });
    },
    async version() {
      const row = await database.read((unit) =>
        unit.last.one<{ version: number }>('SELECT version FROM heads'),
      );
      return row?.version ?? 0;
    },
    untold: () =>
      proposals(
        `SELECT * FROM proposals WHERE auth_req_hash IS NOT NULL AND told < version AND state IN (${TOLD}) ORDER BY version`,
      ),
    async sealedToken(id: string, of: 'owner' | 'second' = 'owner') {
      const row = await database.read((unit) =>
        unit.last.one<Pick<ProposalRow, 'sealed_token' | 'second_token'>>(
          'SELECT sealed_token, second_token FROM proposals WHERE id = @id',
          { id },
        ),
      );
      return row?.[of === 'owner' ? 'sealed_token' : 'second_token'] ?? undefined;
    },
    standing: (of: StandingQuery, since: number) =>
      database.read((unit) => standing(unit, of, since, opened)),
  } satisfies Partial<ProposalStore>;
}

const EPOCH = `(SELECT max(version) FROM proposals WHERE sub = @sub) AS latest,
  (SELECT halted_at FROM halts WHERE sub = @sub) AS halted`;

interface EpochRow {
  readonly latest: number | null;
  readonly halted: number | null;
}

const MINE = 'sub = @sub AND client = @client AND proposed_by IS NOT DISTINCT FROM @proposedBy';

/** Each count by an index of its own. */
const STANDING = `
  SELECT ${EPOCH},
    (SELECT coalesce(array_agg(code), '{}') FROM proposals WHERE sub = @sub AND state IN (${OPEN})) AS codes,
    (SELECT count(*) FROM proposals WHERE ${MINE} AND typed = @typed AND state IN (${OPEN})) AS open,
    (SELECT count(*) FROM proposals WHERE ${MINE} AND typed = @typed AND created_at > @since AND created_at < @until) AS lately,
    (
      SELECT count(*) FROM proposals
      WHERE sub = @sub AND fingerprint = @fingerprint AND created_at > @since AND created_at < @until
    ) AS alike,
    (
      SELECT coalesce(json_agg(json_build_object('state', state, 'at', at) ORDER BY at DESC, version DESC), '[]')
      FROM (
        SELECT state, updated_at AS at, version FROM proposals WHERE ${MINE} AND state IN (${DECIDED})
        ORDER BY updated_at DESC, version DESC LIMIT 2
      ) AS last
    ) AS decided`;

interface StandingRow extends EpochRow {
  readonly codes: readonly string[];
  readonly open: number;
  readonly lately: number;
  readonly alike: number;
  readonly decided: Standing['decided'];
}

const SAME_OPEN = `
  SELECT * FROM proposals WHERE ${MINE} AND fingerprint = @fingerprint AND state IN ('drafted', 'requested')
  ORDER BY created_at, place LIMIT 1`;

async function standing(
  unit: Unit,
  { sub, client, typed, fingerprint, ...by }: StandingQuery,
  since: number,
  opened: OpenedRow,
): Promise<Standing> {
  const asker = { sub, client, proposedBy: by.proposedBy ?? null };
  const asked = { ...asker, typed, since, until: latelyUntil(since), fingerprint: fingerprint ?? null };
  const [same, found] = await Promise.all([
    fingerprint === undefined ? undefined : unit.one<ProposalRow>(SAME_OPEN, { ...asker, fingerprint }),
    unit.last.one<StandingRow>(STANDING, asked),
  ]);
  const { codes, open, lately, alike, decided, ...row } = found as StandingRow;
  return {
    epoch: epochIn(row),
    haltedAt: row.halted ?? undefined,
    openCodes: codes,
    open,
    lately,
    decided,
    sameOpen: same && opened(same),
    sameLately: alike,
  };
}

export async function existing(
  unit: Pick<Unit, 'one'>,
  id: string,
  opened: OpenedRow,
): Promise<StoredProposal> {
  const row = await unit.one<ProposalRow>('SELECT * FROM proposals WHERE id = @id', { id });
  if (row !== undefined) return opened(row);
  throw new Error(`the store has lost proposal ${id}`);
}

export async function keyedBy(
  unit: Pick<Unit, 'one'>,
  key: ProposalKey,
  opened: OpenedRow,
): Promise<Keyed | undefined> {
  const found = await unit.one<ProposalRow & { readonly request: string }>(
    `SELECT proposals.*, keys.request FROM proposal_keys AS keys JOIN proposals ON proposals.id = keys.proposal
     WHERE keys.sub = @sub AND keys.client = @client AND keys.key = @key`,
    { sub: key.sub, client: key.client, key: key.key },
  );
  if (found === undefined) return undefined;
  const { request, ...row } = found;
  return { request, proposal: opened(row) };
}

/** Every change of a proposal gives it a version above all others. */
export async function epochOf(unit: Pick<Unit, 'one'>, sub: string): Promise<string> {
  return epochIn((await unit.one<EpochRow>(`SELECT ${EPOCH}`, { sub })) as EpochRow);
}

function epochIn({ latest, halted }: EpochRow): string {
  return epochText(latest ?? 0, halted ?? undefined);
}
