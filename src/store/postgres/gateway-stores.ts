import { createHash } from 'node:crypto';
import type { GatewayStores } from '../gateway-stores.ts';
import { type AuthReqIdSeal, noAuthReqIdSeal } from '../rows/auth-req-id.ts';
import type { RuleStore } from '../rule-store.ts';
import { addLine } from '../sql/audit-store.ts';
import { createSharedStores } from '../sql/gateway-stores.ts';
import { createProofStore } from '../sql/proof-store.ts';
import { all, lock, run, type SqlTransactions } from '../sql/sql-database.ts';
import { postgresOrderJournal } from './order-journal.ts';
import { postgresOtherProcesses } from './other-processes.ts';
import { postgresProposalQueue } from './proposal-queue.ts';
import { postgresProposalStore } from './proposal-store.ts';
import { postgresRateBuckets } from './rate-buckets.ts';
import { postgresTransactions } from './sql-database.ts';
import type { TenantDatabase } from './tenant-database.ts';

/**
 * @param database a database with `gatewaySchema`; the caller closes it
 * @param seal encrypts the IDs of CIBA requests; needed only by callers that send or read CIBA requests
 */
export function postgresGatewayStores(database: TenantDatabase, seal: AuthReqIdSeal = noAuthReqIdSeal): GatewayStores {
  const shared = postgresTransactions(database, 'place');
  return {
    ...createSharedStores(shared),
    rules: postgresRuleStore(shared),
    orders: postgresOrderJournal(database),
    proofs: createProofStore(shared, 'gateway_dpop_proofs'),
    proposals: postgresProposalStore(database, seal),
    queue: postgresProposalQueue(database),
    others: postgresOtherProcesses(database),
    buckets: postgresRateBuckets(database),
    connections: { pools: () => database.pools(), lockWaits: () => countLockWaits(database) },
    databaseTime: () =>
      database.read(async (unit) => {
        const row = await unit.last.one<{ ms: number }>(
          'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms',
        );
        return Number(row?.ms);
      }),
  };
}

/** Timeout for counting the lock waits, in milliseconds. */
const COUNT_TIMEOUT_MS = 1_000;

/** Queries through the pool whose commits don't wait for the disk, because locks may block all other connections. */
function countLockWaits(database: TenantDatabase): Promise<number> {
  return database.writeUnsynced(async (unit) => {
    const [, row] = await Promise.all([
      unit.run(`SET LOCAL statement_timeout = ${COUNT_TIMEOUT_MS}`),
      unit.last.one<{ waits: number }>(
        `SELECT count(*) AS waits FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      ),
    ]);
    return row?.waits ?? 0;
  });
}

interface RuleRow {
  readonly name: string;
  readonly digest: string;
}

const SELECT_VERSION = 'SELECT name, digest FROM rules ORDER BY name COLLATE "C"';

/** Creates the store of the rules that a tenant's gateways share. Every gateway sees a change as soon as it commits. */
function postgresRuleStore(database: SqlTransactions): RuleStore {
  return {
    version: async () => toVersion(await database.all<RuleRow>(SELECT_VERSION)),
    async read() {
      const rows = await database.all<RuleRow & { readonly text: string }>(
        'SELECT name, digest, text FROM rules ORDER BY name COLLATE "C"',
      );
      return { version: toVersion(rows), texts: Object.fromEntries(rows.map(({ name, text }) => [name, text])) };
    },
    replace: (read, { texts, isLimited, note }, now) =>
      database.write(function* () {
        yield* lock('rules');
        if (toVersion(yield* all<RuleRow>(SELECT_VERSION)) !== read) return false;
        for (const [name, text] of Object.entries(texts)) {
          if (text === null) yield* run('DELETE FROM rules WHERE name = @name', { name });
          else {
            yield* run(
              `INSERT INTO rules (name, text, digest) VALUES (@name, @text, @digest)
               ON CONFLICT (tenant, name) DO UPDATE SET text = excluded.text, digest = excluded.digest`,
              { name, text, digest: createHash('sha256').update(text).digest('hex') },
            );
          }
        }
        if (isLimited) yield* run('INSERT INTO limits_seen (since) VALUES (@now) ON CONFLICT DO NOTHING', { now });
        else yield* run('DELETE FROM limits_seen');
        if (note !== undefined) yield* addLine(note, now);
        return true;
      }),
  };
}

/** Returns a version that depends on the texts alone, so that one gateway's version is valid at another. */
function toVersion(rows: readonly RuleRow[]): string {
  return rows.map(({ name, digest }) => `${name} ${digest}`).join('\n');
}
