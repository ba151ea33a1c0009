import type { AuditNote } from '../audit.ts';
import type {
  Draft,
  KeyedRequest,
  ProposalChange,
  ProposalChanged,
  ProposalStore,
  StoredProposal,
} from '../proposal-store.ts';
import {
  changeValues,
  DEFAULT_INTERVAL_S,
  draftValues,
  type ProposalRow,
  proposalOf,
} from '../rows/proposal-row.ts';
import { QUESTION_COLUMNS, type QuestionSeal } from '../rows/question-id.ts';
import { headAfter, lookingWithHead, withHead } from './head.ts';
import { epochOf, existing, keyedBy, type OpenedRow, proposalReads } from './proposal-reads.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

export function postgresProposalStore(database: TenantDatabase, seal: QuestionSeal): ProposalStore {
  const opened: OpenedRow = (row) => proposalOf(row, seal);
  return {
    ...proposalReads(database, opened),
    ...drafts(database, opened),
    ...changes(database, opened, seal),
  };
}

function drafts(database: TenantDatabase, opened: OpenedRow) {
  return {
    draft: (
      draft: Draft,
      key: KeyedRequest,
      expected: { readonly epoch: string },
      note: AuditNote,
      now: number,
    ) =>
      lookingWithHead(
        database,
        (unit) => Promise.all([keyedBy(unit, key, opened), epochOf(unit, draft.sub)]),
        async (unit, head, [known, epoch]) => {
          if (known !== undefined) return { outcome: 'known', ...known } as const;
          if (epoch !== expected.epoch) return { outcome: 'stale' } as const;
          const row = await unit.last.one<ProposalRow>(DRAFT, {
            ...draftValues(draft),
            keySub: key.sub,
            keyClient: key.client,
            key: key.key,
            request: key.request,
            now,
            version: head.nextVersion(),
            ...head.lastly(note, now),
          });
          return { outcome: 'drafted', proposal: opened(row as ProposalRow) } as const;
        },
      ),
    alias: (key: KeyedRequest, proposal: string, expected: { readonly epoch: string }) =>
      withHead(database, async (unit) => {
        const known = await keyedBy(unit, key, opened);
        if (known !== undefined) return { outcome: 'known', ...known } as const;
        const { sub } = await existing(unit, proposal, opened);
        if ((await epochOf(unit, sub)) !== expected.epoch) return { outcome: 'stale' } as const;
        await keep(unit, key, proposal);
        return { outcome: 'kept' } as const;
      }),
  } satisfies Partial<ProposalStore>;
}

/** Last of all, with its key and its line. */
const DRAFT = `
  WITH drafted AS (
    INSERT INTO proposals (id, sub, proposed_by, second, client, username, email, kind, state, code, subject,
      subject_id, fingerprint, digest, nonce, shown, again, typed, created_at, updated_at, place, version, deadline,
      expires_at, poll_interval)
    VALUES (@id, @sub, @proposedBy, @second, @client, @username, @email, @kind, 'drafted', @code, @subject,
      @subjectId, @fingerprint, @digest, @nonce, @shown, @again, @typed, @now, @now, @version, @version, @deadline,
      @deadline, ${DEFAULT_INTERVAL_S})
    RETURNING *
  ),
  keyed AS (
    INSERT INTO proposal_keys (sub, client, key, request, proposal)
    SELECT @keySub, @keyClient, @key, @request, id FROM drafted
  ),
  ${headAfter('drafted')}
  SELECT * FROM drafted`;

async function keep(unit: Unit, { sub, client, key, request }: KeyedRequest, id: string): Promise<void> {
  await unit.run(
    'INSERT INTO proposal_keys (sub, client, key, request, proposal) VALUES (@sub, @client, @key, @request, @id)',
    { sub, client, key, request, id },
  );
}

function changes(database: TenantDatabase, opened: OpenedRow, seal: QuestionSeal) {
  return {
    change: (
      { id, version: seen }: Pick<StoredProposal, 'id' | 'version'>,
      change: ProposalChange,
      note: AuditNote,
      { now, unlessHalted = false }: { readonly now: number; readonly unlessHalted?: boolean },
    ) =>
      withHead(database, async (unit, head) => {
        const row = await unit.last.one<ProposalRow>(changing(change.token, unlessHalted), {
          ...changeValues(id, change, seal),
          ...tokenValues(change.token),
          now,
          seen,
          next: head.nextVersion(),
          ...head.lastly(note, now),
        });
        return row;
      }).then(async (row): Promise<ProposalChanged> => {
        if (row !== undefined) return { outcome: 'moved', proposal: opened(row) };
        const proposal = await database.read((unit) => existing(unit.last, id, opened));
        // As it was seen, and not changed: that is what a halt alone does.
        return { outcome: unlessHalted && proposal.version === seen ? 'halted' : 'stale', proposal };
      }),
    setInterval: async (id: string, seconds: number) =>
      void (await database.write((unit) =>
        unit.last.run('UPDATE proposals SET poll_interval = @seconds WHERE id = @id', { id, seconds }),
      )),
    // Where this is lost with the power, the phone is told again.
    told: async (id: string, told: number) =>
      void (await database.writeUnsynced((unit) =>
        unit.last.run('UPDATE proposals SET told = @told WHERE id = @id AND told < @told', { id, told }),
      )),
  } satisfies Partial<ProposalStore>;
}

/** Last of all, with its line, where it is as it was seen. */
function changing(token: ProposalChange['token'], unlessHalted: boolean): string {
  const unless = unlessHalted ? 'AND NOT EXISTS (SELECT FROM halts WHERE halts.sub = proposals.sub)' : '';
  return `
    WITH moved AS (
      UPDATE proposals SET state = @state, ${QUESTION_COLUMNS},
        poll_interval = @interval, expires_at = @expiresAt, asked = @asked, result = @result, reason = @reason,
        updated_at = @now, version = @next, ${tokens(token)}
      WHERE id = @id AND version = @seen ${unless}
      RETURNING *
    ),
    ${headAfter('moved')}
    SELECT * FROM moved`;
}

/** What becomes of the tokens. */
function tokens(token: ProposalChange['token']): string {
  if (token === 'erased') return 'second_token = NULL, sealed_token = NULL, token_expires_at = NULL';
  const second = 'second_token = coalesce(@secondToken, second_token)';
  return token === 'kept' ? second : `${second}, sealed_token = @sealed, token_expires_at = @tokenExpiresAt`;
}

function tokenValues(token: ProposalChange['token']) {
  return typeof token === 'string' ? {} : { sealed: token.sealed, tokenExpiresAt: token.expiresAt };
}
