import { AsyncLocalStorage } from 'node:async_hooks';
import { isTradeAgentError, TradeAgentError } from '../../../errors/errors.ts';
import { type Clock, systemClock } from '../../../machine/clock.ts';
import {
  type CredentialStore,
  credentialNames,
  type Expected,
  type LockPurpose,
  type ServedName,
  servedNames,
} from '../../../secrets/credential-store.ts';
import { assertLengths, holds, pick } from '../../../secrets/credential-values.ts';
import type { SealedSecret, SecretName, SecretSeal } from '../../../secrets/envelope/secret-seal.ts';
import { LOCK_WAIT_MS } from '../../../secrets/store-lock.ts';
import { isStoreAway } from '../store-away.ts';
import type { TenantDatabase, Unit } from '../tenant-database.ts';
import { type PersonDatabase, personDatabase } from './person-database.ts';

export interface PostgresCredentialsOptions {
  /** A tenant's part of a database with the tables of `stateSchema`; its owner closes it. */
  readonly database: TenantDatabase;
  /** Whose they are: the subject at the tenant's identity provider. */
  readonly sub: string;
  readonly seal: SecretSeal;
  readonly clock?: Clock;
  /** Milliseconds that a lock holds without a word of its holder. */
  readonly leaseMs?: number;
}

/** Characters: an access token of some providers says much of its person; no header that carries one is longer. */
const LONGEST_VALUE = 16_384;

type Sealed = Partial<Record<ServedName, SealedSecret>>;

/**
 * One person's secrets in PostgreSQL, sealed before they go there: neither server nor whoever copies its disk can read them. To
 * compare what is kept with what is expected takes the tenant's key, and the key may take a question to the KMS, so both are
 * done before the unit that writes, which asks whether each row is as it was read: no two sealings are the same.
 */
export function postgresCredentialStore(options: PostgresCredentialsOptions): CredentialStore<ServedName> {
  const { sub, seal, clock = systemClock } = options;
  const database = personDatabase(asking(options.database), sub);
  const leases = credentialLeases(database, { clock, leaseMs: options.leaseMs });
  const named = (name: string): SecretName => ({ tenant: options.database.tenant, sub, name });

  const open = async (sealed: Sealed): Promise<Partial<Record<ServedName, string>>> => {
    const opened = Object.entries(sealed).map(async ([name, secret]) => [
      name,
      await seal.open(named(name), secret),
    ]);
    return Object.fromEntries(await Promise.all(opened));
  };
  const readSealed = (names: readonly ServedName[]) => database.read((unit) => sealedOf(unit, names));

  /**
   * Makes a change once it is known to hold of what is expected, from the start where that was changed meanwhile.
   * @param prepare what takes time; made before the unit of work begins
   */
  const change = async <T>(
    expected: Expected<ServedName> | undefined,
    prepare: () => Promise<T>,
    make: (unit: Unit, prepared: T) => Promise<void>,
  ): Promise<boolean> => {
    const names = Object.keys(expected ?? {}) as ServedName[];
    for (;;) {
      const read = names.length === 0 ? {} : await readSealed(names);
      if (!holds(await open(read), expected)) return false;
      const prepared = await prepare();
      const made = await database.write(async (unit) => {
        await lockPerson(unit);
        await leases.require(unit);
        if (names.length > 0 && !isSame(await sealedOf(unit, names), read, names)) return false;
        await make(unit, prepared);
        return true;
      });
      if (made) return true;
    }
  };

  const sealAll = async (values: Partial<Record<ServedName, string>>) =>
    await Promise.all(
      Object.entries(values).map(async ([name, value]) => ({
        name,
        ...(await seal.seal(named(name), value)),
      })),
    );

  return {
    kind: 'database',
    notice: undefined,
    get: async (names) => pick(await open(await readSealed(names)), names),
    async set(values, expected) {
      assertLengths(values, LONGEST_VALUE);
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
      await open(await readSealed([...credentialNames, ...servedNames]));
    },
    exclusively: (purpose, work, signal) => leases.exclusively(purpose, work, signal),
  };
}

/** Until the unit ends nobody else changes what this person has, be it there or not. */
async function lockPerson(unit: Unit): Promise<void> {
  await unit.run(
    `INSERT INTO credential_holders (person) VALUES (current_person())
     ON CONFLICT (tenant, person) DO UPDATE SET person = excluded.person`,
  );
}

async function put(
  unit: Unit,
  { name, keyVersion, sealed }: SealedSecret & { readonly name: string },
): Promise<void> {
  await unit.run(
    `INSERT INTO credentials (name, key_version, sealed) VALUES (@name, @keyVersion, @sealed)
     ON CONFLICT (tenant, person, name) DO UPDATE SET key_version = excluded.key_version, sealed = excluded.sealed`,
    { name, keyVersion, sealed },
  );
}

async function sealedOf(unit: Unit, names: readonly ServedName[]): Promise<Sealed> {
  const rows = await unit.all<{ name: string; key_version: number; sealed: Buffer }>(
    'SELECT name, key_version, sealed FROM credentials WHERE name = ANY(@names)',
    { names },
  );
  return Object.fromEntries(
    rows.map(({ name, key_version: keyVersion, sealed }) => [name, { keyVersion, sealed }]),
  );
}

function isSame(now: Sealed, read: Sealed, names: readonly ServedName[]): boolean {
  return names.every((name) => {
    const [there, seen] = [now[name]?.sealed, read[name]?.sealed];
    return there === undefined || seen === undefined ? there === seen : there.equals(seen);
  });
}

/** What the database can't do, as the store's own error: without a cause, since that may quote what was sent. */
function asking({ read, write }: TenantDatabase): PersonDatabase {
  const told =
    (ask: PersonDatabase['write']): PersonDatabase['write'] =>
    async (work, person) => {
      try {
        return await ask(work, person);
      } catch (error) {
        if (isTradeAgentError(error)) throw error;
        const { code = 'no answer' } = error as { code?: unknown };
        throw new TradeAgentError(
          'credential_store_unavailable',
          `the database of the credentials can't be used (${code})`,
          { hint: 'Try again in a moment.', details: { state: 'database', away: isStoreAway(error) } },
        );
      }
    };
  return { read: told(read), write: told(write) };
}

/**
 * How long a lease holds without a word of its holder: after that others take over from a machine that is gone. Renewed at a
 * third of it, so that one answer may be missing.
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
 * One person's locks, as rows: no transaction is open while somebody talks to a provider. A lease can be lost by a process that
 * stood still for longer than it holds; each write within it therefore asks in its own unit whether it is still held, and is
 * refused once it is another's.
 */
interface CredentialLeases {
  /** @throws {TradeAgentError} `busy` when it isn't free in time; the reason of `signal` when it aborts */
  exclusively<T>(purpose: LockPurpose, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Has what this unit writes be within the leases that the caller is in, until it ends.
   * @throws {TradeAgentError} `busy` where one is another's
   */
  require(unit: Unit): Promise<void>;
}

function credentialLeases(
  database: PersonDatabase,
  { clock, leaseMs = LEASE_MS }: LeaseOptions,
): CredentialLeases {
  /** Which leases the code that runs is within. */
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
        throw new TradeAgentError('busy', 'another process holds the credentials and does not let go', {
          hint: 'Wait until it has finished, then try again.',
        });
      }
      // Uneven steps, so that waiters do not knock all at once.
      await clock.sleep(25 + Math.random() * 75, signal);
    }
  };
  const setUntil = (lease: Lease, until: string): Promise<number> =>
    database.write((unit) =>
      unit.last.run(
        `UPDATE credential_leases SET until = ${until} WHERE purpose = @purpose AND epoch = @epoch`,
        {
          purpose: lease.purpose,
          epoch: lease.epoch,
        },
      ),
    );
  const keep = async (lease: Lease, signal: AbortSignal): Promise<void> => {
    const until = `clock_timestamp() + interval '${leaseMs} milliseconds'`;
    while (
      await clock.sleep(leaseMs / 3, signal).then(
        () => true,
        () => false,
      )
    ) {
      // Where the database does not answer the next try may come in time.
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
        // Otherwise it ends by its time.
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
        throw new TradeAgentError('busy', 'another process has taken over the credentials meanwhile', {
          hint: 'Nothing was changed by this one. Try again.',
        });
      }
    },
  };
}
