import { endGrants } from '../../../store/home/oidc-store.ts';
import {
  type Dialect,
  lock,
  one,
  run,
  type SqlTransactions,
  type TransactionWork,
} from '../../../store/sql/sql-database.ts';
import { type Company, findCompany } from '../companies/company.ts';
import type { SignalEffect } from './security-events.ts';
import { MAX_EVENT_AGE_S, type Signal } from './signal-token.ts';

/** The effect of a signal on a person. Stored until the other databases reflect it. */
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
 * Access that companies' signals have revoked. Each sign-in and outgoing order is checked against these rows, so a
 * revocation takes effect as soon as the signal is committed.
 */
export type CompanyRevocations = ReturnType<typeof openCompanyRevocations>;

/** Seconds for which a received event is remembered. Must exceed an event's maximum age plus the clock skew. */
const SEEN_RETENTION_S = MAX_EVENT_AGE_S + 24 * 3600;

interface RevocationRow {
  readonly revoked_before: number;
  readonly disabled_at: number | null;
}

/** Locks a person's status at a company, so that a signal and an assertion's check don't run concurrently. */
const lockStanding = (issuer: string, subject: string) => lock('company standing', issuer, subject);

export function openCompanyRevocations(options: {
  readonly database: SqlTransactions;
  readonly companies: readonly Company[];
  readonly now: () => number;
}) {
  const { database, companies, now } = options;
  const { dialect } = database;

  function* apply({ company, jti, issuedAt }: Signal, about: Subject): TransactionWork<void> {
    const { effect, event, reason, subject, user } = about;
    const at = now();
    const seconds = Math.floor(at / 1000);
    const of = { issuer: company.issuer, subject, user };
    if (effect === 'enabled') yield* run(ENABLE, of);
    else {
      // The company's clock has whole seconds, so an assertion from the same second as the signal counts as earlier.
      const revokedBefore = Math.max(seconds, Math.floor(issuedAt)) + 1;
      const disabledAt = effect === 'disabled' ? seconds : null;
      yield* run(revoke(dialect), { ...of, revokedBefore, disabledAt });
      for (const { client_id: clientId } of company.clients) yield* endGrants(dialect, { sub: user, clientId });
    }
    yield* run(
      `INSERT INTO signalled (username, issuer, effect, event, reason, jti, at)
       VALUES (@user, @issuer, @effect, @event, @reason, @jti, @at)`,
      { ...of, effect, event, reason, jti, at },
    );
  }

  return {
    /**
     * Stores a signal. In the same transaction, ends the person's grants through this company with all their tokens.
     * From then on, earlier assertions are rejected. Changes nothing if it returns `known` (the same token was received
     * before) or `replayed` (a different token had this `jti`).
     */
    take: (signal: Signal): Promise<'taken' | 'known' | 'replayed'> =>
      database.write(function* () {
        const { company, jti, digest, about } = signal;
        const { issuer } = company;
        const seconds = Math.floor(now() / 1000);
        yield* run('DELETE FROM signals_seen WHERE kept_until < @seconds', { seconds });
        const isNew = yield* run(
          `INSERT INTO signals_seen (issuer, jti, digest, kept_until) VALUES (@issuer, @jti, @digest, @keptUntil)
           ON CONFLICT DO NOTHING`,
          { issuer, jti, digest, keptUntil: seconds + SEEN_RETENTION_S },
        );
        if (isNew === 0) {
          const text = 'SELECT digest FROM signals_seen WHERE issuer = @issuer AND jti = @jti';
          return (yield* one<{ digest: string }>(text, { issuer, jti }))?.digest === digest ? 'known' : 'replayed';
        }
        const user = about && companyUser(company, about.subject);
        if (about === undefined || user === undefined) return 'taken';
        yield* lockStanding(issuer, about.subject);
        yield* apply(signal, { ...about, user });
        return 'taken';
      }),
    /**
     * Returns why an assertion issued at `issuedAt` (seconds since the epoch) is no longer valid. Waits while another
     * process stores a signal, so that either the signal ends the grant or this check rejects the assertion.
     */
    async refusal(issuer: string, subject: string, issuedAt: number): Promise<'revoked' | 'disabled' | undefined> {
      const row = await database.write(function* () {
        yield* lockStanding(issuer, subject);
        return yield* one<RevocationRow>(
          'SELECT revoked_before, disabled_at FROM company_standing WHERE issuer = @issuer AND subject = @subject',
          { issuer, subject },
        );
      });
      if (row === undefined) return undefined;
      if (isDisabled(row, enabledAtTime(companies, issuer, subject))) return 'disabled';
      return issuedAt < row.revoked_before ? 'revoked' : undefined;
    },
    /**
     * Returns whether a signal after `at` (epoch milliseconds) revoked a company client's access to a person's account.
     * If no client is given, checks the person's advance approvals, which any of their companies can suspend.
     */
    async isRevokedBySignal(
      { sub, client }: { readonly sub: string; readonly client?: string },
      at: number,
    ): Promise<boolean> {
      const company = client === undefined ? undefined : findCompany(companies, client);
      if (client !== undefined && company === undefined) return false;
      const row = await database.one<{ before: number | null }>(
        `SELECT max(revoked_before) AS before FROM company_standing
         WHERE username = @sub AND (CAST(@issuer AS text) IS NULL OR issuer = @issuer)`,
        { sub, issuer: company?.issuer ?? null },
      );
      return row?.before != null && at < row.before * 1000;
    },
    /** Returns the signals whose cleanup in the other databases is not complete yet, oldest first. */
    unended: (): Promise<PendingSignal[]> =>
      database.all<PendingSignal>(
        `SELECT id, username AS "user", issuer, effect, event, reason, jti, at FROM signalled
         WHERE ended_at IS NULL ORDER BY id`,
      ),
    async ended({ id }: PendingSignal): Promise<void> {
      const text = 'UPDATE signalled SET ended_at = @now WHERE id = @id AND ended_at IS NULL';
      await database.run(text, { id, now: now() });
    },
  };
}

/** A signal's event, and the home's user whom it affects. */
type Subject = NonNullable<Signal['about']> & { readonly user: string };

const ENABLE = 'UPDATE company_standing SET disabled_at = NULL WHERE issuer = @issuer AND subject = @subject';

const revoke = ({ tenant }: Dialect) => `
  INSERT INTO company_standing (issuer, subject, username, revoked_before, disabled_at)
  VALUES (@issuer, @subject, @user, @revokedBefore, @disabledAt)
  ON CONFLICT (${tenant}issuer, subject) DO UPDATE SET username = excluded.username,
    revoked_before = CASE WHEN company_standing.revoked_before > excluded.revoked_before
      THEN company_standing.revoked_before ELSE excluded.revoked_before END,
    disabled_at = coalesce(excluded.disabled_at, company_standing.disabled_at)`;

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
