import type Database from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../machine/clock.ts';
import type { ProposalKind, ProposalState } from '../trading/proposal.ts';
import type { AuditChain, AuditEvent } from './audit-chain.ts';
import { decidedStates, namesOf, toldStates } from './proposal-tables.ts';
import { isSettled, openStates, transitions } from './states.ts';
import type { Move, ProposalKey, ProposalStore, Reason, StoredProposal } from './stored-proposal.ts';
import type { TokenSeal } from './token-seal.ts';

interface Row {
  id: string;
  sub: string;
  client: string;
  username: string | null;
  email: string | null;
  kind: ProposalKind;
  state: ProposalState;
  code: string;
  subject: string;
  subject_id: string;
  fingerprint: string;
  digest: string;
  shown: string;
  again: number | null;
  typed: number;
  created_at: number;
  updated_at: number;
  version: number;
  deadline: number;
  expires_at: number;
  auth_req_id: string | null;
  notification_token: string | null;
  poll_interval: number;
  asked: number;
  sealed_token: Buffer | null;
  token_expires_at: number | null;
  result: string | null;
  reason: string | null;
}

/** The parts of a row that only people read. */
type Shown = Pick<StoredProposal, 'worstCase' | 'warnings' | 'shows' | 'provenance' | 'requestedBy'>;

/** Seconds between polls where the provider names none (CIBA Core §7.3). */
const DEFAULT_INTERVAL_S = 5;

export function createProposalStore(
  database: Database.Database,
  seal: TokenSeal,
  clock: Clock,
  audit: Pick<AuditChain, 'note'>,
): ProposalStore {
  const open = namesOf(openStates);
  const byId = database.prepare<[string], Row>('SELECT * FROM proposals WHERE id = ?');
  const byAuthReqId = database.prepare<[string], Row>('SELECT * FROM proposals WHERE auth_req_id = ?');
  const byKey = database.prepare<ProposalKey[], { request: string; proposal: string }>(
    'SELECT request, proposal FROM proposal_keys WHERE sub = @sub AND client = @client AND key = @key',
  );
  const keep = database.prepare(
    'INSERT INTO proposal_keys (sub, client, key, request, proposal) VALUES (@sub, @client, @key, @request, @id)',
  );
  const insert = database.prepare(`
    INSERT INTO proposals (id, sub, client, username, email, kind, state, code, subject, subject_id, fingerprint, digest,
      shown, again, typed, created_at, updated_at, version, deadline, expires_at, poll_interval)
    VALUES (@id, @sub, @client, @username, @email, @kind, 'drafted', @code, @subject, @subjectId, @fingerprint, @digest,
      @shown, @again, @typed, @now, @now, @version, @deadline, @deadline, ${DEFAULT_INTERVAL_S})`);
  const latest = database.prepare<[], { version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM proposals',
  );
  const update = database.prepare(`
    UPDATE proposals SET state = @to, auth_req_id = @authReqId, notification_token = @notificationToken,
      poll_interval = @interval, expires_at = @expiresAt, asked = @asked, sealed_token = @sealed,
      token_expires_at = @tokenExpiresAt, result = @result, reason = @reason, updated_at = @now, version = @version
    WHERE id = @id`);
  const setInterval = database.prepare('UPDATE proposals SET poll_interval = ? WHERE id = ?');
  const setResult = database.prepare(
    `UPDATE proposals SET result = @result, updated_at = @now, version = @version
     WHERE id = @id AND state = 'executed'`,
  );
  const setTold = database.prepare('UPDATE proposals SET told = ? WHERE id = ? AND told < ?');
  const untold = database.prepare<[], Row>(`
    SELECT * FROM proposals WHERE auth_req_id IS NOT NULL AND told < version AND state IN (${namesOf(toldStates)})
    ORDER BY version`);
  // Each count by an index of its own.
  const usage = database.prepare<unknown[], { open: number; lately: number }>(`
    SELECT
      (SELECT count(*) FROM proposals
       WHERE sub = @sub AND client = @client AND typed = @typed AND state IN (${open})) AS open,
      (SELECT count(*) FROM proposals
       WHERE sub = @sub AND client = @client AND typed = @typed AND created_at > @since) AS lately`);
  const decided = database.prepare<unknown[], { state: ProposalState; at: number }>(`
    SELECT state, updated_at AS at FROM proposals
    WHERE sub = @sub AND client = @client AND state IN (${namesOf(decidedStates)})
    ORDER BY updated_at DESC, version DESC LIMIT @limit`);
  const sameOpen = database.prepare<unknown[], Row>(`
    SELECT * FROM proposals WHERE sub = @sub AND client = @client AND fingerprint = @fingerprint
      AND state IN ('drafted', 'requested') ORDER BY created_at LIMIT 1`);
  const sameCount = database.prepare<unknown[], { count: number }>(`
    SELECT count(*) AS count FROM proposals
    WHERE sub = @sub AND fingerprint = @fingerprint AND created_at > @since`);
  const openIds = database
    .prepare<[], string>(`SELECT id FROM proposals WHERE state IN (${open}) ORDER BY created_at, rowid`)
    .pluck();
  const changed = database.prepare<[string, number], Row>(
    'SELECT * FROM proposals WHERE sub = ? AND version > ? ORDER BY version LIMIT 500',
  );

  const nextVersion = () => (latest.get()?.version ?? 0) + 1;
  const sealContext = (row: Row) => `${row.id} ${row.digest}`;
  const existing = (id: string): Row => {
    const row = byId.get(id);
    if (row !== undefined) return row;
    throw new Error(`the store has lost proposal ${id}`);
  };

  const store: ProposalStore = {
    keyed(key) {
      const found = byKey.get(key);
      return found === undefined
        ? undefined
        : { request: found.request, proposal: read(existing(found.proposal)) };
    },
    alias: (key, request, id) => void keep.run({ ...key, request, id }),
    draft(draft, key, request) {
      const { worstCase, warnings, shows, provenance, requestedBy } = draft;
      insert.run({
        ...draft,
        username: draft.username ?? null,
        email: draft.email ?? null,
        again: draft.again ?? null,
        typed: draft.typed ? 1 : 0,
        subject: JSON.stringify(draft.subject),
        shown: JSON.stringify({ worstCase, warnings, shows, provenance, requestedBy }),
        now: clock.now(),
        version: nextVersion(),
      });
      keep.run({ ...key, request, id: draft.id });
      const drafted = read(existing(draft.id));
      audit.note('proposed', auditFacts(drafted));
      return drafted;
    },
    get(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : read(row);
    },
    byAuthReqId(authReqId) {
      const row = byAuthReqId.get(authReqId);
      return row === undefined ? undefined : read(row);
    },
    list({ sub, state, limit = -1 }) {
      // Named one by one: a condition that may be switched off would keep SQLite from using an index.
      const conditions = [
        ...(sub === undefined ? [] : ['sub = @sub']),
        ...(state === 'all' ? [] : [`state IN (${open})`]),
      ];
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      return database
        .prepare<unknown[], Row>(
          `SELECT * FROM proposals ${where} ORDER BY created_at DESC, rowid DESC LIMIT @limit`,
        )
        .all({ ...(sub === undefined ? {} : { sub }), limit })
        .map(read);
    },
    openIds: () => openIds.all(),
    changedSince: (sub, version) => changed.all(sub, version).map(read),
    version: () => latest.get()?.version ?? 0,
    move(id, to, changes = {}, guard = {}) {
      return store.inOneCommit((): Move => {
        const row = existing(id);
        const allowed =
          transitions[row.state].includes(to) &&
          (guard.from === undefined || guard.from === row.state) &&
          (guard.authReqId === undefined || guard.authReqId === row.auth_req_id);
        if (!allowed) return { moved: false, proposal: read(row) };
        const again = to === 'drafted';
        const over = isSettled(to);
        update.run({
          id,
          to,
          // Kept where it is over: the phone is told by it what became of the question.
          authReqId: again ? null : (changes.authReqId ?? row.auth_req_id),
          notificationToken: again || over ? null : (changes.notificationToken ?? row.notification_token),
          interval: changes.interval ?? row.poll_interval,
          expiresAt: changes.expiresAt ?? row.expires_at,
          asked: to === 'requested' ? row.asked + 1 : row.asked,
          sealed:
            again || over
              ? null
              : changes.token === undefined
                ? row.sealed_token
                : seal.seal(changes.token.value, sealContext(row)),
          tokenExpiresAt: again || over ? null : (changes.token?.expiresAt ?? row.token_expires_at),
          result: changes.result === undefined ? row.result : JSON.stringify(changes.result),
          reason: changes.reason === undefined ? null : JSON.stringify(changes.reason),
          now: clock.now(),
          version: nextVersion(),
        });
        const proposal = read(existing(id));
        audit.note(auditEvent(row.state, to), auditFacts(proposal));
        return { moved: true, proposal };
      });
    },
    setInterval: (id, seconds) => void setInterval.run(seconds, id),
    updateResult(id, result) {
      return store.inOneCommit(() => {
        setResult.run({ id, result: JSON.stringify(result), now: clock.now(), version: nextVersion() });
        const proposal = read(existing(id));
        audit.note('executed', auditFacts(proposal));
        return proposal;
      });
    },
    told: (id, version) => void setTold.run(version, id, version),
    untold: () => untold.all().map(read),
    token(id) {
      const row = existing(id);
      return row.sealed_token === null ? undefined : seal.open(row.sealed_token, sealContext(row));
    },
    usage: (of, since) => usage.get({ ...of, typed: of.typed ? 1 : 0, since }) ?? { open: 0, lately: 0 },
    decided: (of, limit) => decided.all({ ...of, limit }),
    same(of, since) {
      const found = sameOpen.get(of);
      const { sub, fingerprint } = of;
      const count = sameCount.get({ sub, fingerprint, since })?.count ?? 0;
      return { ...(found === undefined ? {} : { open: read(found) }), count };
    },
    inOneCommit: (work) => (database.inTransaction ? work() : database.transaction(work).immediate()),
  };
  return store;
}

function auditEvent(from: ProposalState, to: ProposalState): AuditEvent {
  if (to === 'drafted') return 'asked_again';
  if (to === 'approved' && from === 'executing') return 'not_taken';
  return to;
}

/** What the record says of a proposal: everything but tokens. */
function auditFacts(proposal: StoredProposal): Record<string, unknown> {
  const { id, sub, client, kind, state, code, digest, subject, worstCase, requestedBy, provenance } =
    proposal;
  const { reason, result, authReqId } = proposal;
  return {
    proposal: id,
    sub,
    client,
    kind,
    state,
    code,
    digest,
    subject,
    worst_case: worstCase,
    requested_by: requestedBy,
    provenance,
    ...(authReqId === undefined ? {} : { auth_req_id: authReqId }),
    ...(reason === undefined ? {} : { reason }),
    ...(result === undefined ? {} : { result }),
  };
}

function read(row: Row): StoredProposal {
  return {
    id: row.id,
    sub: row.sub,
    client: row.client,
    username: row.username ?? undefined,
    email: row.email ?? undefined,
    kind: row.kind,
    state: row.state,
    code: row.code,
    subject: JSON.parse(row.subject),
    subjectId: row.subject_id,
    fingerprint: row.fingerprint,
    digest: row.digest,
    ...(JSON.parse(row.shown) as Shown),
    again: row.again ?? undefined,
    typed: row.typed === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
    deadline: row.deadline,
    expiresAt: row.expires_at,
    authReqId: row.auth_req_id ?? undefined,
    notificationToken: row.notification_token ?? undefined,
    interval: row.poll_interval,
    asked: row.asked,
    hasToken: row.sealed_token !== null,
    tokenExpiresAt: row.token_expires_at ?? undefined,
    result: row.result === null ? undefined : JSON.parse(row.result),
    reason: row.reason === null ? undefined : (JSON.parse(row.reason) as Reason),
  };
}
