import type Database from 'better-sqlite3-multiple-ciphers';
import type { ProposalState } from '../../trading/proposal.ts';
import type { AuditNote } from '../audit.ts';
import type {
  Draft,
  Keyed,
  KeyedRequest,
  ProposalChange,
  ProposalChanged,
  ProposalKey,
  ProposalStore,
  Standing,
  StandingQuery,
  StoredProposal,
} from '../proposal-store.ts';
import {
  changeValues,
  DEFAULT_INTERVAL_S,
  draftValues,
  epochText,
  latelyUntil,
  type ProposalRow,
  proposalOf,
} from '../rows/proposal-row.ts';
import { DECIDED, OPEN, TOLD } from '../rows/proposal-states.ts';
import { QUESTION_COLUMNS, type QuestionSeal, questionHash } from '../rows/question-id.ts';
import { auditNotes } from './audit-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteProposalStore(database: Database.Database, seal: QuestionSeal): ProposalStore {
  const opened = (row: ProposalRow) => proposalOf(row, seal);
  return {
    ...reads(database, opened),
    ...standings(database, opened),
    ...drafts(database, opened),
    ...changes(database, opened, seal),
  };
}

type Opened = (row: ProposalRow) => StoredProposal;

function reads(database: Database.Database, opened: Opened) {
  const byId = database.prepare<[string], ProposalRow>('SELECT * FROM proposals WHERE id = ?');
  const byAuthReqId = database.prepare<[string], ProposalRow>(
    'SELECT * FROM proposals WHERE auth_req_hash = ?',
  );
  const untold = database.prepare<[], ProposalRow>(
    `SELECT * FROM proposals WHERE auth_req_hash IS NOT NULL AND told < version AND state IN (${TOLD}) ORDER BY version`,
  );
  const ofSubject = database.prepare<[string, string], ProposalRow>(
    'SELECT * FROM proposals WHERE sub = ? AND subject_id = ?',
  );
  const openIds = database
    .prepare<{ state: string | null }, string>(
      `SELECT id FROM proposals WHERE state IN (${OPEN}) AND state = coalesce(@state, state) ORDER BY created_at, rowid`,
    )
    .pluck();
  // Each half by an index of its own.
  const changedOf = (column: 'sub' | 'proposed_by') =>
    `SELECT * FROM (SELECT * FROM proposals WHERE ${column} = @party AND version > @after ORDER BY version LIMIT 500)`;
  const changed = database.prepare<unknown[], ProposalRow>(
    `${changedOf('sub')} UNION ALL ${changedOf('proposed_by')} ORDER BY version LIMIT 500`,
  );
  const version = latestVersion(database);
  const keyed = keyedBy(database, opened);
  const read = (row: ProposalRow | undefined) => row && opened(row);
  return {
    get: async (id) => read(byId.get(id)),
    byAuthReqId: async (authReqId) => read(byAuthReqId.get(questionHash(authReqId))),
    ofSubject: async (sub, subjectId) => read(ofSubject.get(sub, subjectId)),
    keyed: async (key) => keyed(key),
    async list({ sub, party, state, limit = -1 }) {
      // Named one by one: a condition that may be switched off would keep SQLite from using an index.
      const who =
        party !== undefined
          ? ['sub = @party', 'proposed_by = @party']
          : sub !== undefined
            ? ['sub = @sub']
            : [''];
      const open = state === 'all' ? '' : `state IN (${OPEN})`;
      const newest = 'ORDER BY created_at DESC, place DESC LIMIT @limit';
      const parts = who.map((whose) => {
        const conditions = [whose, open].filter((condition) => condition !== '').join(' AND ');
        const where = conditions === '' ? '' : `WHERE ${conditions}`;
        return `SELECT * FROM (SELECT *, rowid AS place FROM proposals ${where} ${newest})`;
      });
      return database
        .prepare<unknown[], ProposalRow>(`${parts.join(' UNION ALL ')} ${newest}`)
        .all({ ...(party !== undefined ? { party } : sub !== undefined ? { sub } : {}), limit })
        .map(opened);
    },
    openIds: async (state) => openIds.all({ state: state ?? null }),
    changedSince: async (party, after) => changed.all({ party, after }).map(opened),
    version: async () => version(),
    untold: async () => untold.all().map(opened),
    sealedToken: async (id, of = 'owner') =>
      byId.get(id)?.[of === 'owner' ? 'sealed_token' : 'second_token'] ?? undefined,
  } satisfies Partial<ProposalStore>;
}

function standings(database: Database.Database, opened: Opened) {
  const epoch = epochOf(database);
  const halted = haltOf(database);
  const openCodes = database
    .prepare<[string], string>(`SELECT code FROM proposals WHERE sub = ? AND state IN (${OPEN})`)
    .pluck();
  // Each count by an index of its own.
  const usage = database.prepare<unknown[], { open: number; lately: number }>(`
    SELECT
      (SELECT count(*) FROM proposals
       WHERE sub = @sub AND client = @client AND typed = @typed AND proposed_by IS @proposedBy AND state IN (${OPEN})) AS open,
      (SELECT count(*) FROM proposals
       WHERE sub = @sub AND client = @client AND typed = @typed AND proposed_by IS @proposedBy AND created_at > @since AND created_at < @until)
        AS lately`);
  const decided = database.prepare<unknown[], { state: ProposalState; at: number }>(`
    SELECT state, updated_at AS at FROM proposals
    WHERE sub = @sub AND client = @client AND proposed_by IS @proposedBy AND state IN (${DECIDED})
    ORDER BY updated_at DESC, version DESC LIMIT 2`);
  const sameOpen = database.prepare<unknown[], ProposalRow>(`
    SELECT * FROM proposals WHERE sub = @sub AND client = @client AND fingerprint = @fingerprint
      AND proposed_by IS @proposedBy AND state IN ('drafted', 'requested') ORDER BY created_at LIMIT 1`);
  const sameCount = database
    .prepare<unknown[], number>(
      'SELECT count(*) FROM proposals WHERE sub = @sub AND fingerprint = @fingerprint AND created_at > @since AND created_at < @until',
    )
    .pluck();
  const standing = database.transaction(
    ({ sub, client, typed, fingerprint, ...by }: StandingQuery, since: number): Standing => {
      const proposedBy = by.proposedBy ?? null;
      const same =
        fingerprint === undefined ? undefined : sameOpen.get({ sub, client, proposedBy, fingerprint });
      return {
        epoch: epoch(sub),
        haltedAt: halted(sub),
        openCodes: openCodes.all(sub),
        ...(usage.get({
          sub,
          client,
          proposedBy,
          typed: typed ? 1 : 0,
          since,
          until: latelyUntil(since),
        }) ?? { open: 0, lately: 0 }),
        decided: decided.all({ sub, client, proposedBy }),
        sameOpen: same && opened(same),
        sameLately:
          fingerprint === undefined
            ? 0
            : (sameCount.get({ sub, fingerprint, since, until: latelyUntil(since) }) ?? 0),
      };
    },
  );
  return { standing: async (of, since) => standing.deferred(of, since) } satisfies Partial<ProposalStore>;
}

function drafts(database: Database.Database, opened: Opened) {
  const note = auditNotes(database);
  const epoch = epochOf(database);
  const version = latestVersion(database);
  const keyed = keyedBy(database, opened);
  const existing = existingIn(database, opened);
  const keep = database.prepare(
    'INSERT INTO proposal_keys (sub, client, key, request, proposal) VALUES (@sub, @client, @key, @request, @id)',
  );
  const insert = database.prepare(`
    INSERT INTO proposals (id, sub, proposed_by, second, client, username, email, kind, state, code, subject, subject_id, fingerprint, digest,
      nonce, shown, again, typed, created_at, updated_at, version, deadline, expires_at, poll_interval)
    VALUES (@id, @sub, @proposedBy, @second, @client, @username, @email, @kind, 'drafted', @code, @subject, @subjectId, @fingerprint, @digest,
      @nonce, @shown, @again, @typed, @now, @now, @version, @deadline, @deadline, ${DEFAULT_INTERVAL_S})`);
  const draft = database.transaction(
    (drafted: Draft, key: KeyedRequest, expected: string, line: AuditNote, now: number) => {
      const known = keyed(key);
      if (known !== undefined) return { outcome: 'known', ...known } as const;
      if (epoch(drafted.sub) !== expected) return { outcome: 'stale' } as const;
      insert.run({ ...draftValues(drafted), now, version: version() + 1 });
      keep.run({ ...key, id: drafted.id });
      note(line, now);
      return { outcome: 'drafted', proposal: existing(drafted.id) } as const;
    },
  );
  const alias = database.transaction((key: KeyedRequest, id: string, expected: string) => {
    const known = keyed(key);
    if (known !== undefined) return { outcome: 'known', ...known } as const;
    if (epoch(existing(id).sub) !== expected) return { outcome: 'stale' } as const;
    keep.run({ ...key, id });
    return { outcome: 'kept' } as const;
  });
  return {
    draft: async (drafted, key, expected, line, now) =>
      draft.immediate(drafted, key, expected.epoch, line, now),
    alias: async (key, proposal, expected) => alias.immediate(key, proposal, expected.epoch),
  } satisfies Partial<ProposalStore>;
}

function changes(database: Database.Database, opened: Opened, seal: QuestionSeal) {
  const note = auditNotes(database);
  const halted = haltOf(database);
  const version = latestVersion(database);
  const existing = existingIn(database, opened);
  const columns = `state = @state, ${QUESTION_COLUMNS},
    poll_interval = @interval, expires_at = @expiresAt, asked = @asked, result = @result, reason = @reason,
    updated_at = @now, version = @next`;
  const second = 'second_token = coalesce(@secondToken, second_token)';
  const update = database.prepare(
    `UPDATE proposals SET ${columns}, ${second} WHERE id = @id AND version = @seen`,
  );
  const updateToken = database.prepare(
    `UPDATE proposals SET ${columns}, ${second}, sealed_token = @sealed, token_expires_at = @tokenExpiresAt
     WHERE id = @id AND version = @seen`,
  );
  const eraseTokens = database.prepare(
    `UPDATE proposals SET ${columns}, second_token = NULL, sealed_token = NULL, token_expires_at = NULL
     WHERE id = @id AND version = @seen`,
  );
  const setInterval = database.prepare('UPDATE proposals SET poll_interval = ? WHERE id = ?');
  const setTold = database.prepare('UPDATE proposals SET told = ? WHERE id = ? AND told < ?');
  const change = database.transaction(
    (
      { id, version: seen }: Pick<StoredProposal, 'id' | 'version'>,
      after: ProposalChange,
      line: AuditNote,
      { now, unlessHalted = false }: { readonly now: number; readonly unlessHalted?: boolean },
    ): ProposalChanged => {
      const before = existing(id);
      if (before.version !== seen) return { outcome: 'stale', proposal: before };
      if (unlessHalted && halted(before.sub) !== undefined) return { outcome: 'halted', proposal: before };
      const { token } = after;
      const values = { ...changeValues(id, after, seal), seen, now, next: version() + 1 };
      if (token === 'kept') update.run(values);
      else if (token === 'erased') eraseTokens.run(values);
      else updateToken.run({ ...values, sealed: token.sealed, tokenExpiresAt: token.expiresAt });
      note(line, now);
      return { outcome: 'moved', proposal: existing(id) };
    },
  );
  return {
    change: async (seen, after, line, options) => change.immediate(seen, after, line, options),
    setInterval: async (id, seconds) => void setInterval.run(seconds, id),
    told: async (id, told) => void setTold.run(told, id, told),
  } satisfies Partial<ProposalStore>;
}

/** The latest version of any proposal; 0 where there is none. */
function latestVersion(database: Database.Database): () => number {
  const select = database.prepare<[], number>('SELECT coalesce(max(version), 0) FROM proposals').pluck();
  return () => select.get() ?? 0;
}

function existingIn(database: Database.Database, opened: Opened): (id: string) => StoredProposal {
  const select = database.prepare<[string], ProposalRow>('SELECT * FROM proposals WHERE id = ?');
  return (id) => {
    const row = select.get(id);
    if (row !== undefined) return opened(row);
    throw new Error(`the store has lost proposal ${id}`);
  };
}

function keyedBy(database: Database.Database, opened: Opened): (key: ProposalKey) => Keyed | undefined {
  const existing = existingIn(database, opened);
  const select = database.prepare<[string, string, string], { request: string; proposal: string }>(
    'SELECT request, proposal FROM proposal_keys WHERE sub = ? AND client = ? AND key = ?',
  );
  return ({ sub, client, key }) => {
    const found = select.get(sub, client, key);
    return found === undefined ? undefined : { request: found.request, proposal: existing(found.proposal) };
  };
}

function haltOf(database: Database.Database): (sub: string) => number | undefined {
  const select = database.prepare<[string], number>('SELECT halted_at FROM halts WHERE sub = ?').pluck();
  return (sub) => select.get(sub);
}

/** Every change of a proposal gives it a version above all others. */
function epochOf(database: Database.Database): (sub: string) => string {
  const halted = haltOf(database);
  const latest = database
    .prepare<[string], number>('SELECT coalesce(max(version), 0) FROM proposals WHERE sub = ?')
    .pluck();
  return (sub) => epochText(latest.get(sub) ?? 0, halted(sub));
}
