import { EMPTY_AUDIT_HEAD } from '../audit.ts';
import type { BrokerKey, BrokerKeyStore } from '../broker-key-store.ts';
import type { AuditCheckpoint, AuditCheckpointStore } from '../checkpoint-store.ts';
import type { DefaultAccountStore } from '../default-account-store.ts';
import { type EarlyPingStore, MAX_EARLY_PING_AGE_MS } from '../early-ping-store.ts';
import type { GatewayStores } from '../gateway-stores.ts';
import type { LimitsStore } from '../rule-store.ts';
import { createAccessStore } from './access-store.ts';
import { createDecisionStore } from './decision-store.ts';
import { createHaltStore } from './halts.ts';
import { createMandateStore } from './mandate-store.ts';
import { createMessageJournal } from './message-journal.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { one, run, type SqlDatabase, type TransactionWork } from './sql-database.ts';
import { createStandingOrderStore } from './standing-order-store.ts';

/** Creates the gateway's stores whose code is the same for SQLite and PostgreSQL. */
export function createSharedStores(database: SqlDatabase) {
  return {
    messages: createMessageJournal(database),
    decisions: createDecisionStore(database),
    halts: createHaltStore(database),
    keys: createSigningKeyStore(database),
    mandates: createMandateStore(database),
    standing: createStandingOrderStore(database),
    checkpoints: checkpointStore(database),
    brokerKeys: brokerKeyStore(database),
    defaultAccounts: defaultAccountStore(database),
    access: createAccessStore(database),
    limits: limitsStore(database),
    earlyPings: earlyPingStore(database),
  } satisfies Partial<GatewayStores>;
}

function defaultAccountStore(database: SqlDatabase): DefaultAccountStore {
  return {
    find: async (sub) =>
      (
        await database.one<{ account: string }>('SELECT account FROM default_accounts WHERE sub = @sub', {
          sub,
        })
      )?.account,
    choose: async (sub, account) =>
      void (await database.run(
        `INSERT INTO default_accounts (sub, account) VALUES (@sub, @account)
         ON CONFLICT (${database.dialect.tenant}sub) DO UPDATE SET account = excluded.account`,
        { sub, account },
      )),
    remove: async (sub) => void (await database.run('DELETE FROM default_accounts WHERE sub = @sub', { sub })),
  };
}

function limitsStore(database: SqlDatabase): LimitsStore {
  return {
    hadLimits: async () => (await database.one('SELECT 1 AS seen FROM limits_seen')) !== undefined,
    remember: async (now) =>
      void (await database.run(
        `INSERT INTO limits_seen (since) SELECT @now WHERE NOT EXISTS (SELECT 1 FROM limits_seen)
         ON CONFLICT DO NOTHING`,
        { now },
      )),
    forget: async () => void (await database.run('DELETE FROM limits_seen')),
  };
}

function earlyPingStore(database: SqlDatabase): EarlyPingStore {
  return {
    add: (ping, now) =>
      database.write(function* () {
        yield* run('DELETE FROM early_pings WHERE received_at < @oldest', { oldest: now - MAX_EARLY_PING_AGE_MS });
        yield* run('INSERT INTO early_pings (ping, received_at) VALUES (@ping, @now) ON CONFLICT DO NOTHING', {
          ping,
          now,
        });
      }),
    async take(pings) {
      const each = database.dialect.each('@pings');
      const taken = await database.run(`DELETE FROM early_pings WHERE ping IN (SELECT value->>'ping' FROM ${each})`, {
        pings: JSON.stringify(pings.map((ping) => ({ ping }))),
      });
      return taken > 0;
    },
  };
}

const SELECT_KEYS = `SELECT sub, connection, kind, sealed, account_number AS "accountNumber", environment, kept_at AS "keptAt"
  FROM broker_keys`;
const ONE = 'WHERE sub = @sub AND connection = @connection';

function brokerKeyStore(database: SqlDatabase): BrokerKeyStore {
  const { tenant, bytes } = database.dialect;
  return {
    find: (sub, connection) => database.one<BrokerKey>(`${SELECT_KEYS} ${ONE}`, { sub, connection }),
    list: (connection) =>
      database.all<BrokerKey>(`${SELECT_KEYS} WHERE connection = @connection ORDER BY sub${bytes}`, {
        connection,
      }),
    keep: async (key) =>
      void (await database.run(
        `INSERT INTO broker_keys (sub, connection, kind, sealed, account_number, environment, kept_at)
         VALUES (@sub, @connection, @kind, @sealed, @accountNumber, @environment, @keptAt)
         ON CONFLICT (${tenant}sub, connection) DO UPDATE
           SET kind = excluded.kind, sealed = excluded.sealed, account_number = excluded.account_number,
               environment = excluded.environment, kept_at = excluded.kept_at`,
        { ...key },
      )),
    remove: async (sub, connection) =>
      (await database.run(`DELETE FROM broker_keys ${ONE}`, { sub, connection })) === 1,
    removeAll: async (sub) => void (await database.run('DELETE FROM broker_keys WHERE sub = @sub', { sub })),
  };
}

const storedCheckpoint = () => one<CheckpointRow>('SELECT day, seq, hash, anchored FROM record_checkpoint');

function* writeCheckpoint({ day, seq, hash, anchored }: CheckpointRow): TransactionWork<void> {
  const values = { day, seq, hash, anchored };
  const changed = yield* run(
    'UPDATE record_checkpoint SET day = @day, seq = @seq, hash = @hash, anchored = @anchored',
    values,
  );
  if (changed === 0)
    yield* run(
      'INSERT INTO record_checkpoint (day, seq, hash, anchored) VALUES (@day, @seq, @hash, @anchored)',
      values,
    );
}

/**
 * Creates the store of the audit log's latest checkpoint. A tenant's gateways share the checkpoint: if two gateways
 * close the same day, the second gateway finds it closed.
 */
function checkpointStore(database: SqlDatabase): AuditCheckpointStore {
  return {
    async last() {
      const row = await database.read(storedCheckpoint);
      return row && toCheckpoint(row);
    },
    close: ({ day, today }, line, now) =>
      database.record(function* (head) {
        const last = yield* storedCheckpoint();
        if (last === undefined) yield* writeCheckpoint({ day, ...EMPTY_AUDIT_HEAD, anchored: 1 });
        if (last === undefined || !isDue(last, { day, today })) return false;
        head.note(line(head.last(), last.hash), now);
        yield* writeCheckpoint({ day, ...head.last(), anchored: 0 });
        return true;
      }),
    anchor: (seq, note, now) =>
      database.record(function* (head) {
        const changed = yield* run('UPDATE record_checkpoint SET anchored = 1 WHERE seq = @seq AND anchored = 0', {
          seq,
        });
        if (changed === 1) head.note(note, now);
        return changed === 1;
      }),
  };
}

interface CheckpointRow {
  readonly day: string;
  readonly seq: number;
  readonly hash: string;
  readonly anchored: number;
}

function toCheckpoint({ anchored, ...row }: CheckpointRow): AuditCheckpoint {
  return { ...row, anchored: anchored === 1 };
}

/**
 * Returns whether to close a day. If the gateways' clocks differ by less than a day, each day is closed once. A
 * checkpoint dated years ahead by a wrong clock does not prevent later days from being closed.
 */
function isDue(
  { day: last }: Pick<CheckpointRow, 'day'>,
  { day, today }: { readonly day: string; readonly today: string },
): boolean {
  return last < day || last > today;
}
