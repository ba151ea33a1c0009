import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { StandingGrants } from '../../../store/home/oidc-store.ts';
import { type Company, companyOf } from '../companies/company.ts';
import type { SignalEffect } from './security-events.ts';
import { OLDEST_EVENT_S, type Signal } from './signal-token.ts';

/** What a signal took from a person, until it has ended elsewhere, too. */
export interface Signalled {
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
 * What companies' signals have taken back. Sign-ins and outgoing orders are checked against these rows at each use, so it
 * holds from the commit that keeps the signal.
 */
export type CompanyStanding = ReturnType<typeof openCompanyStanding>;

/** Longer than an event's maximum age plus clock skew. */
const SEEN_KEPT_S = OLDEST_EVENT_S + 24 * 3600;

interface StandingRow {
  readonly revoked_before: number;
  readonly disabled_at: number | null;
}

export function openCompanyStanding(options: {
  readonly database: Database;
  readonly companies: readonly Company[];
  readonly grants: Pick<StandingGrants, 'endGrants'>;
  readonly now: () => number;
}) {
  const { database, companies, grants, now } = options;
  const rows = openTables(database);

  const endGrants = ({ clients }: Company, sub: string) => {
    for (const { client_id: clientId } of clients) grants.endGrants({ sub, clientId });
  };
  const take = database.transaction((signal: Signal): 'taken' | 'known' | 'replayed' => {
    const { company, jti, digest, issuedAt, about } = signal;
    const at = now();
    const seconds = Math.floor(at / 1000);
    const seen = rows.seen.get(company.issuer, jti);
    if (seen !== undefined) return seen === digest ? 'known' : 'replayed';
    rows.forget.run(seconds);
    rows.see.run(company.issuer, jti, digest, seconds + SEEN_KEPT_S);
    const user = about && userOf(company, about.subject);
    if (about === undefined || user === undefined) return 'taken';
    const { effect, event, reason, subject } = about;
    const of = { issuer: company.issuer, subject, user };
    if (effect === 'enabled') rows.enable.run(of);
    else {
      // Assertions carry seconds of the company's clock: one made in this second is from before.
      const revokedBefore = Math.max(seconds, Math.floor(issuedAt)) + 1;
      rows.revoke.run({ ...of, revokedBefore, disabledAt: effect === 'disabled' ? seconds : null });
      endGrants(company, user);
    }
    rows.insert.run({ ...of, effect, event, reason, jti, at });
    return 'taken';
  });

  return {
    /**
     * Keeps a signal and, in the same transaction, ends the person's grants by this company with every token under them; no
     * earlier assertion is accepted. `known`: the same token came before. `replayed`: another one had its `jti`. Both change
     * nothing.
     */
    take: (signal: Signal): 'taken' | 'known' | 'replayed' => take.immediate(signal),
    /** Why an assertion made at a time (seconds since the epoch) is no longer valid. */
    refusal(issuer: string, subject: string, issuedAt: number): 'revoked' | 'disabled' | undefined {
      const row = rows.standing.get(issuer, subject);
      if (row === undefined) return undefined;
      if (isDisabled(row, enabledBy(companies, issuer, subject))) return 'disabled';
      return issuedAt < row.revoked_before ? 'revoked' : undefined;
    },
    /**
     * Whether what a client did for a person at a time (milliseconds since the epoch) was taken back since; without a client:
     * what they allowed in advance, which any company of theirs can suspend.
     */
    isTakenBack({ sub, client }: { readonly sub: string; readonly client?: string }, at: number): boolean {
      const company = client === undefined ? undefined : companyOf(companies, client);
      if (client !== undefined && company === undefined) return false;
      const before = rows.revokedBefore.get({ user: sub, issuer: company?.issuer ?? null });
      return before != null && at < before * 1000;
    },
    /** Signals whose effects have not all ended yet, oldest first. */
    unended: (): Signalled[] => rows.unended.all(),
    ended: ({ id }: Signalled): void => {
      rows.ended.run(now(), id);
    },
  };
}

function userOf({ people }: Company, subject: string): string | undefined {
  return Object.hasOwn(people, subject) ? people[subject] : undefined;
}

/** The home's operator may have enabled the account again since. */
function isDisabled({ disabled_at }: StandingRow, enabledAt: string | undefined): boolean {
  return disabled_at !== null && !(enabledAt !== undefined && Date.parse(enabledAt) / 1000 > disabled_at);
}

function enabledBy(companies: readonly Company[], issuer: string, subject: string): string | undefined {
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
    standing: database.prepare<[string, string], StandingRow>(
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
    unended: database.prepare<[], Signalled>(
      'SELECT id, user, issuer, effect, event, reason, jti, at FROM signalled WHERE ended_at IS NULL ORDER BY id',
    ),
    ended: database.prepare<[number, number]>('UPDATE signalled SET ended_at = ? WHERE id = ?'),
  };
}
