import type { Database } from 'better-sqlite3-multiple-ciphers';
import { endGrants } from '../../../store/home/oidc-store.ts';
import type { Dialect } from '../../../store/sql/sql-database.ts';
import { createWorkRunner } from '../../../store/sqlite/sql-database.ts';
import { type Company, findCompany } from '../companies/company.ts';
import type { SignalEffect } from './security-events.ts';
import { MAX_EVENT_AGE_S, type Signal } from './signal-token.ts';

/** The effect of a signal on a person, stored until the other databases reflect it too. */
export interface PendingSignal {
  readonly id: number;
  readonly user: string;
  readonly issuer: string;
  readonly effect: SignalEffect;
  readonly event: string;
  readonly reason: string;
  readonly jti: string;
  readonly at: number;
}

/**
 * Access that companies' signals have revoked. Sign-ins and outgoing orders are checked against these rows each time, so
 * a revocation takes effect when the signal is committed.
 */
export type CompanyRevocations = ReturnType<typeof openCompanyRevocations>;

/** Seconds for which a received event is remembered. Must exceed an event's maximum age plus the clock skew. */
const SEEN_RETENTION_S = MAX_EVENT_AGE_S + 24 * 3600;

interface RevocationRow {
  readonly revoked_before: number;
  readonly disabled_at: number | null;
}

export function openCompanyRevocations(options: {
  readonly database: Database;
  readonly companies: readonly Company[];
  readonly dialect: Dialect;
  readonly now: () => number;
}) {
  const { database, companies, dialect, now } = options;
  const rows = openTables(database);
  const runWork = createWorkRunner(database);

  const endCompanyGrants = ({ clients }: Company, sub: string) => {
    for (const { client_id: clientId } of clients) runWork(endGrants(dialect, { sub, clientId }));
  };
  const take = database.transaction((signal: Signal): 'taken' | 'known' | 'replayed' => {
    const { company, jti, digest, issuedAt, about } = signal;
    const at = now();
    const seconds = Math.floor(at / 1000);
    const seen = rows.seen.get(company.issuer, jti);
    if (seen !== undefined) return seen === digest ? 'known' : 'replayed';
    rows.forget.run(seconds);
    rows.see.run(company.issuer, jti, digest, seconds + SEEN_RETENTION_S);
    const user = about && companyUser(company, about.subject);
    if (about === undefined || user === undefined) return 'taken';
    const { effect, event, reason, subject } = about;
    const of = { issuer: company.issuer, subject, user };
    if (effect === 'enabled') rows.enable.run(of);
    else {
      // Assertions have whole seconds of the company's clock, so one made in this same second counts as earlier.
      const revokedBefore = Math.max(seconds, Math.floor(issuedAt)) + 1;
      rows.revoke.run({ ...of, revokedBefore, disabledAt: effect === 'disabled' ? seconds : null });
      endCompanyGrants(company, user);
    }
    rows.insert.run({ ...of, effect, event, reason, jti, at });
    return 'taken';
  });

  return {
    /**
     * Stores a signal and, in the same transaction, ends the person's grants through this company with all their
     * tokens. Afterwards, earlier assertions are rejected. Changes nothing if it returns `known` (the same token was
     * received before) or `replayed` (a different token had this `jti`).
     */
    take: (signal: Signal): 'taken' | 'known' | 'replayed' => take.immediate(signal),
    /** Returns why an assertion issued at `issuedAt` (seconds since the epoch) is no longer valid. */
    refusal(issuer: string, subject: string, issuedAt: number): 'revoked' | 'disabled' | undefined {
      const row = rows.standing.get(issuer, subject);
      if (row === undefined) return undefined;
      if (isDisabled(row, enabledAtTime(companies, issuer, subject))) return 'disabled';
      return issuedAt < row.revoked_before ? 'revoked' : undefined;
    },
    /**
     * Returns whether the access that a client used for a person at `at` (milliseconds since the epoch) has since been
     * revoked. Without a client, checks the person's advance approvals, which any of their companies can suspend.
     */
    isRevokedBySignal({ sub, client }: { readonly sub: string; readonly client?: string }, at: number): boolean {
      const company = client === undefined ? undefined : findCompany(companies, client);
      if (client !== undefined && company === undefined) return false;
      const before = rows.revokedBefore.get({ user: sub, issuer: company?.issuer ?? null });
      return before != null && at < before * 1000;
    },
    /** Returns the signals whose clean-up in the other databases is not complete yet, oldest first. */
    unended: (): PendingSignal[] => rows.unended.all(),
    ended: ({ id }: PendingSignal): void => {
      rows.ended.run(now(), id);
    },
  };
}

function companyUser({ people }: Company, subject: string): string | undefined {
  return Object.hasOwn(people, subject) ? people[subject] : undefined;
}

/** Returns whether the account is still disabled. The home's operator may have enabled it again after the signal. */
function isDisabled({ disabled_at }: RevocationRow, enabledAt: string | undefined): boolean {
  return disabled_at !== null && !(enabledAt !== undefined && Date.parse(enabledAt) / 1000 > disabled_at);
}

function enabledAtTime(companies: readonly Company[], issuer: string, subject: string): string | undefined {
  const enabled = companies.find((one) => one.issuer === issuer)?.signals?.enabled ?? {};
  return Object.hasOwn(enabled, subject) ? enabled[subject] : undefined;
}

function openTables(database: Database) {
  return {
    seen: database
      .prepare<[string, string], string>('SELECT digest FROM signals_seen WHERE issuer = ? AND jti = ?')
      .pluck(),
    see: database.prepare<[string, string, string, number]>('INSERT INTO signals_seen VALUES (?, ?, ?, ?)'),
    forget: database.prepare<[number]>('DELETE FROM signals_seen WHERE kept_until < ?'),
    standing: database.prepare<[string, string], RevocationRow>(
      'SELECT revoked_before, disabled_at FROM company_standing WHERE issuer = ? AND subject = ?',
    ),
    revokedBefore: database
      .prepare<[{ user: string; issuer: string | null }], number | null>(
        `SELECT max(revoked_before) FROM company_standing
         WHERE user = @user AND (@issuer IS NULL OR issuer = @issuer)`,
      )
      .pluck(),
    revoke: database.prepare(`
      INSERT INTO company_standing VALUES (@issuer, @subject, @user, @revokedBefore, @disabledAt)
      ON CONFLICT (issuer, subject) DO UPDATE SET user = excluded.user,
        revoked_before = max(revoked_before, excluded.revoked_before),
        disabled_at = coalesce(excluded.disabled_at, disabled_at)`),
    enable: database.prepare(
      'UPDATE company_standing SET disabled_at = NULL WHERE issuer = @issuer AND subject = @subject',
    ),
    insert: database.prepare(`
      INSERT INTO signalled (user, issuer, effect, event, reason, jti, at)
      VALUES (@user, @issuer, @effect, @event, @reason, @jti, @at)`),
    unended: database.prepare<[], PendingSignal>(
      'SELECT id, user, issuer, effect, event, reason, jti, at FROM signalled WHERE ended_at IS NULL ORDER BY id',
    ),
    ended: database.prepare<[number, number]>('UPDATE signalled SET ended_at = ? WHERE id = ?'),
  };
}
