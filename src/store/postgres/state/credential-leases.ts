import { AsyncLocalStorage } from 'node:async_hooks';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { LockPurpose } from '../../../secrets/credential-store.ts';
import { LOCK_WAIT_MS } from '../../../secrets/store-lock.ts';
import type { Unit } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

/**
 * How long a lease holds without a word of its holder: after that others take over from a machine that is gone. Renewed at a
 * third of it, so that one answer may be missing.
 */
const LEASE_MS = 15_000;

export interface LeaseOptions {
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
export interface CredentialLeases {
  /** @throws {TradeAgentError} `busy` when it isn't free in time; the reason of `signal` when it aborts */
  exclusively<T>(purpose: LockPurpose, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Has what this unit writes be within the leases that the caller is in, until it ends.
   * @throws {TradeAgentError} `busy` where one is another's
   */
  require(unit: Unit): Promise<void>;
}

export function credentialLeases(
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
