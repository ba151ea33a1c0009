import { AsyncLocalStorage } from 'node:async_hooks';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import { type Clock, systemClock } from '../../../machine/clock.ts';
import {
  type CredentialStore,
  credentialNames,
  type ExpectedValues,
  type LockPurpose,
  type ServerCredentialName,
  serverOnlyCredentialNames,
} from '../../../secrets/credential-store.ts';
import { assertValueLengths, matchesExpected, pickValues } from '../../../secrets/credential-values.ts';
import type { SealedSecret, SecretName, SecretSeal } from '../../../secrets/envelope/secret-seal.ts';
import { LOCK_WAIT_MS } from '../../../secrets/store-lock.ts';
import { isDatabaseUnavailableError } from '../store-unavailable.ts';
import type { TenantDatabase, Transaction } from '../tenant-database.ts';
import { limitToPerson, type PersonDatabase } from './person-database.ts';

export interface PostgresCredentialsOptions {
  /** A database with `stateSchema`, opened for one tenant. The caller closes it. */
  readonly database: TenantDatabase;
  /** The person's `sub` at the tenant's identity provider. */
  readonly sub: string;
  readonly seal: SecretSeal;
  readonly clock?: Clock;
  /** How long a lock lasts if its holder does not renew it, in milliseconds. */
  readonly leaseMs?: number;
}

/** Maximum length of a secret, in characters. Long enough for any access token that fits into an HTTP header. */
const MAX_VALUE_LENGTH = 16_384;

type Sealed = Partial<Record<ServerCredentialName, SealedSecret>>;

/**
 * Creates the store of one person's secrets in PostgreSQL. Secrets are sealed before they are sent, so that neither the
 * database server nor anyone with a copy of its disk can read them. Sealing and comparing secrets requires the tenant's
 * key, and therefore sometimes a request to the KMS. Both happen before the writing transaction, which only checks that
 * each row is unchanged. This check is reliable because sealing the same secret twice gives different values.
 */
export function postgresCredentialStore(options: PostgresCredentialsOptions): CredentialStore<ServerCredentialName> {
  const { sub, seal, clock = systemClock } = options;
  const database = limitToPerson(withStoreErrors(options.database), sub);
  const leases = credentialLeases(database, { clock, leaseMs: options.leaseMs });
  const named = (name: string): SecretName => ({ tenant: options.database.tenant, sub, name });

  const open = async (sealed: Sealed): Promise<Partial<Record<ServerCredentialName, string>>> => {
    const opened = Object.entries(sealed).map(async ([name, secret]) => [name, await seal.open(named(name), secret)]);
    return Object.fromEntries(await Promise.all(opened));
  };
  const readSealed = (names: readonly ServerCredentialName[]) => database.read((unit) => toSealed(unit, names));

  /**
   * Makes a change if the stored values are the expected ones. Starts over if the stored values change in the meantime.
   * @param prepare does the slow work before the transaction begins
   */
  const change = async <T>(
    expected: ExpectedValues<ServerCredentialName> | undefined,
    prepare: () => Promise<T>,
    make: (unit: Transaction, prepared: T) => Promise<void>,
  ): Promise<boolean> => {
    const names = Object.keys(expected ?? {}) as ServerCredentialName[];
    for (;;) {
      const read = names.length === 0 ? {} : await readSealed(names);
      if (!matchesExpected(await open(read), expected)) return false;
      const prepared = await prepare();
      const made = await database.write(async (unit) => {
        await lockPerson(unit);
        await leases.require(unit);
        if (names.length > 0 && !isSame(await toSealed(unit, names), read, names)) return false;
        await make(unit, prepared);
        return true;
      });
      if (made) return true;
    }
  };

  const sealAll = async (values: Partial<Record<ServerCredentialName, string>>) =>
    await Promise.all(
      Object.entries(values).map(async ([name, value]) => ({
        name,
        ...(await seal.seal(named(name), value)),
      })),
    );

  return {
    kind: 'database',
    notice: undefined,
    get: async (names) => pickValues(await open(await readSealed(names)), names),
    async set(values, expected) {
      assertValueLengths(values, MAX_VALUE_LENGTH);
      return await change(
        expected,
        () => sealAll(values),
        async (unit, sealed) => {
          for (const secret of sealed) await put(unit, secret);
        },
      );
    },
    delete: (names, expected) =>
      change(
        expected,
        async () => undefined,
        async (unit) => {
          await unit.run('DELETE FROM credentials WHERE name = ANY(@names)', { names });
        },
      ),
    unlock: async () => undefined,
    erase: async () => {
      await database.write(async (unit) => {
        await lockPerson(unit);
        await leases.require(unit);
        await unit.run('DELETE FROM credentials');
        await unit.run('DELETE FROM credential_holders WHERE person = current_person()');
      });
    },
    async probe() {
      const secret = { name: 'probe', ...(await seal.seal(named('probe'), 'probe')) };
      await database.write(async (unit) => {
        await lockPerson(unit);
        await put(unit, secret);
        await unit.run('DELETE FROM credentials WHERE name = @name', { name: secret.name });
      });
      await open(await readSealed([...credentialNames, ...serverOnlyCredentialNames]));
    },
    exclusively: (purpose, work, signal) => leases.exclusively(purpose, work, signal),
  };
}

/** Locks all of a person's secrets until the transaction ends, and prevents other transactions from adding secrets. */
async function lockPerson(unit: Transaction): Promise<void> {
  await unit.run(
    `INSERT INTO credential_holders (person) VALUES (current_person())
     ON CONFLICT (tenant, person) DO UPDATE SET person = excluded.person`,
  );
}

async function put(
  unit: Transaction,
  { name, keyVersion, sealed }: SealedSecret & { readonly name: string },
): Promise<void> {
  await unit.run(
    `INSERT INTO credentials (name, key_version, sealed) VALUES (@name, @keyVersion, @sealed)
     ON CONFLICT (tenant, person, name) DO UPDATE SET key_version = excluded.key_version, sealed = excluded.sealed`,
    { name, keyVersion, sealed },
  );
}

async function toSealed(unit: Transaction, names: readonly ServerCredentialName[]): Promise<Sealed> {
  const rows = await unit.all<{ name: string; key_version: number; sealed: Buffer }>(
    'SELECT name, key_version, sealed FROM credentials WHERE name = ANY(@names)',
    { names },
  );
  return Object.fromEntries(rows.map(({ name, key_version: keyVersion, sealed }) => [name, { keyVersion, sealed }]));
}

function isSame(now: Sealed, read: Sealed, names: readonly ServerCredentialName[]): boolean {
  return names.every((name) => {
    const [there, seen] = [now[name]?.sealed, read[name]?.sealed];
    return there === undefined || seen === undefined ? there === seen : there.equals(seen);
  });
}

/** Converts database errors to the store's errors, without a `cause`, which may contain the values that were sent. */
function withStoreErrors({ read, write }: TenantDatabase): PersonDatabase {
  const told =
    (ask: PersonDatabase['write']): PersonDatabase['write'] =>
    async (work, person) => {
      try {
        return await ask(work, person);
      } catch (error) {
        if (isTradeAgentError(error)) throw error;
        const { code = 'no response' } = error as { code?: unknown };
        throw new TradeAgentError('credential_store_unavailable', `the credentials database is unavailable (${code})`, {
          hint: 'Try again in a moment.',
          details: { state: 'database', away: isDatabaseUnavailableError(error) },
        });
      }
    };
  return { read: told(read), write: told(write) };
}

/**
 * How long a lease lasts before another process may take it over, in milliseconds. The holder renews the lease three
 * times in this period, so that one renewal may fail.
 */
const LEASE_MS = 15_000;

interface LeaseOptions {
  readonly clock: Clock;
  readonly leaseMs?: number | undefined;
}

interface Lease {
  readonly purpose: LockPurpose;
  readonly epoch: number;
}

/**
 * One person's locks. They are rows with a lease, so that no transaction stays open during a request to a provider. A
 * process that is suspended for longer than its lease loses the lease, so each write checks in its own transaction that
 * the process still holds its leases, and fails if another process has taken one of them.
 */
interface CredentialLeases {
  /** @throws {TradeAgentError} `busy` if the lock does not become free in time; the reason of `signal` if it aborts */
  exclusively<T>(purpose: LockPurpose, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Checks that the caller still holds its leases, and locks them until the end of this transaction.
   * @throws {TradeAgentError} `busy` if another process has taken one of the leases
   */
  require(unit: Transaction): Promise<void>;
}

function credentialLeases(database: PersonDatabase, { clock, leaseMs = LEASE_MS }: LeaseOptions): CredentialLeases {
  const within = new AsyncLocalStorage<readonly Lease[]>();

  const take = async (purpose: LockPurpose): Promise<Lease | undefined> => {
    const taken = await database.write((unit) =>
      unit.last.one<{ epoch: number }>(
        `INSERT INTO credential_leases AS lease (purpose, epoch, until)
         VALUES (@purpose, 1, clock_timestamp() + @leaseMs * interval '1 millisecond')
         ON CONFLICT (tenant, person, purpose) DO UPDATE SET epoch = lease.epoch + 1, until = excluded.until
         WHERE lease.until < clock_timestamp() RETURNING epoch`,
        { purpose, leaseMs },
      ),
    );
    return taken && { purpose, epoch: taken.epoch };
  };
  const waitFor = async (purpose: LockPurpose, signal: AbortSignal | undefined): Promise<Lease> => {
    const deadline = clock.now() + LOCK_WAIT_MS;
    for (;;) {
      signal?.throwIfAborted();
      const lease = await take(purpose);
      if (lease !== undefined) return lease;
      if (clock.now() > deadline) {
        throw new TradeAgentError('busy', 'another process has locked the credentials', {
          hint: 'Wait until the other process has finished, then try again.',
        });
      }
      // Random delays keep waiting processes from retrying at the same time.
      await clock.sleep(25 + Math.random() * 75, signal);
    }
  };
  const setUntil = (lease: Lease, until: string): Promise<number> =>
    database.write((unit) =>
      unit.last.run(`UPDATE credential_leases SET until = ${until} WHERE purpose = @purpose AND epoch = @epoch`, {
        purpose: lease.purpose,
        epoch: lease.epoch,
      }),
    );
  const keep = async (lease: Lease, signal: AbortSignal): Promise<void> => {
    const until = `clock_timestamp() + interval '${leaseMs} milliseconds'`;
    while (
      await clock.sleep(leaseMs / 3, signal).then(
        () => true,
        () => false,
      )
    ) {
      // If the database does not respond, the next attempt may still be in time.
      if ((await setUntil(lease, until).catch(() => undefined)) === 0) return;
    }
  };

  return {
    async exclusively(purpose, work, signal) {
      const lease = await waitFor(purpose, signal);
      const done = new AbortController();
      const kept = keep(lease, done.signal);
      try {
        return await within.run([...(within.getStore() ?? []), lease], work);
      } finally {
        done.abort();
        await kept;
        // If this fails, the lease ends when it expires.
        await setUntil(lease, "'-infinity'").catch(() => undefined);
      }
    },
    async require(unit) {
      for (const { purpose, epoch } of within.getStore() ?? []) {
        const held = await unit.one(
          'SELECT FROM credential_leases WHERE purpose = @purpose AND epoch = @epoch FOR SHARE',
          { purpose, epoch },
        );
        if (held !== undefined) continue;
        throw new TradeAgentError('busy', 'another process has taken over the lock on the credentials', {
          hint: 'Nothing was changed. Try again.',
        });
      }
    },
  };
}
