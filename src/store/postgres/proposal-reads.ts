import type { ProposalState } from '../../trading/proposal.ts';
import type { Keyed, ProposalKey, ProposalStore, StandingQuery, StoredProposal } from '../proposal-store.ts';
import { epochText, type ProposalRow } from '../rows/proposal-row.ts';
import { DECIDED, OPEN, TOLD } from '../rows/proposal-states.ts';
import { questionHash } from '../rows/question-id.ts';
import { gathered } from './gathered.ts';
import { haltedAt } from './halts.ts';
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
    async byAuthReqId(clear: string) {
      // Each half by an index of its own: rows from before it was sealed have it in clear.
      const [found] = await proposals(
        `SELECT * FROM proposals WHERE auth_req_hash = @hash UNION ALL SELECT * FROM proposals WHERE auth_req_id = @clear`,
        { hash: questionHash(clear), clear },
      );
      return found;
    },
    ofSubject: async (sub: string, subjectId: string) =>
      (
        await proposals('SELECT * FROM proposals WHERE sub = @sub AND subject_id = @subjectId', {
          ...{ sub, subjectId },
        })
      )[0],
    keyed: (key: ProposalKey) => database.read((unit) => keyedBy(unit, key, opened)),
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
    async openIds() {
      const rows = await database.read((unit) =>
        unit.last.all<{ id: string }>(
          `SELECT id FROM proposals WHERE state IN (${OPEN}) ORDER BY created_at, place`,
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
    untold() {
      const untoldOf = (column: 'auth_req_hash' | 'auth_req_id') =>
        `SELECT * FROM proposals WHERE ${column} IS NOT NULL AND told < version AND state IN (${TOLD})`;
      return proposals(`${untoldOf('auth_req_hash')} UNION ALL ${untoldOf('auth_req_id')} ORDER BY version`);
    },
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

async function standing(
  unit: Unit,
  { sub, client, typed, fingerprint, ...by }: StandingQuery,
  since: number,
  opened: OpenedRow,
) {
  const asker = { sub, client, proposedBy: by.proposedBy ?? null };
  const mine = `sub = @sub AND client = @client AND proposed_by IS NOT DISTINCT FROM @proposedBy`;
  const alike = fingerprint === undefined ? undefined : { sub, fingerprint };
  const [epoch, halted, codes, usage, decided, same, lately] = await Promise.all([
    epochOf(unit, sub),
    haltedAt(unit, sub),
    unit.all<{ code: string }>(`SELECT code FROM proposals WHERE sub = @sub AND state IN (${OPEN})`, { sub }),
    // Each count by an index of its own.
    unit.one<{ open: number; lately: number }>(
      `SELECT
         (SELECT count(*) FROM proposals WHERE ${mine} AND typed = @typed AND state IN (${OPEN})) AS open,
         (SELECT count(*) FROM proposals WHERE ${mine} AND typed = @typed AND created_at > @since) AS lately`,
      { ...asker, typed, since },
    ),
    unit.all<{ state: ProposalState; at: number }>(
      `SELECT state, updated_at AS at FROM proposals WHERE ${mine} AND state IN (${DECIDED})
       ORDER BY updated_at DESC, version DESC LIMIT 2`,
      asker,
    ),
    alike &&
      unit.one<ProposalRow>(
        `SELECT * FROM proposals WHERE ${mine} AND fingerprint = @fingerprint AND state IN ('drafted', 'requested')
         ORDER BY created_at, place LIMIT 1`,
        { ...asker, ...alike },
      ),
    alike &&
      unit.one<{ count: number }>(
        'SELECT count(*) FROM proposals WHERE sub = @sub AND fingerprint = @fingerprint AND created_at > @since',
        { ...alike, since },
      ),
  ]);
  return {
    epoch,
    haltedAt: halted,
    openCodes: codes.map(({ code }) => code),
    ...(usage ?? { open: 0, lately: 0 }),
    decided,
    sameOpen: same && opened(same),
    sameLately: lately?.count ?? 0,
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
  unit: Unit,
  { sub, client, key }: ProposalKey,
  opened: OpenedRow,
): Promise<Keyed | undefined> {
  const found = await unit.one<{ request: string; proposal: string }>(
    'SELECT request, proposal FROM proposal_keys WHERE sub = @sub AND client = @client AND key = @key',
    { sub, client, key },
  );
  return found && { request: found.request, proposal: await existing(unit, found.proposal, opened) };
}

/** Every change of a proposal gives it a version above all others. */
export async function epochOf(unit: Unit, sub: string): Promise<string> {
  const [row, halted] = await Promise.all([
    unit.one<{ latest: number | null }>('SELECT max(version) AS latest FROM proposals WHERE sub = @sub', {
      sub,
    }),
    haltedAt(unit, sub),
  ]);
  return epochText(row?.latest ?? 0, halted);
}
