import type { BrokerKey, BrokerKeyStore } from '../broker-key-store.ts';
import type { DefaultAccountStore } from '../default-account-store.ts';
import { type EarlyPingStore, MAX_EARLY_PING_AGE_MS } from '../early-ping-store.ts';
import type { GatewayStores } from '../gateway-stores.ts';
import type { LimitsStore } from '../rule-store.ts';
import { createAccessStore } from './access-store.ts';
import { createAuditStore, createCheckpointStore } from './audit-store.ts';
import { createDecisionStore } from './decision-store.ts';
import { createHaltStore } from './halts.ts';
import { createMandateStore } from './mandate-store.ts';
import { createMessageJournal } from './message-journal.ts';
import { createSigningKeyStore } from './signing-key-store.ts';
import { run, type SqlTransactions } from './sql-database.ts';
import { createStandingOrderStore } from './standing-order-store.ts';

/** Creates the gateway's stores whose code is the same for SQLite and PostgreSQL. */
export function createSharedStores(database: SqlTransactions) {
  return {
    messages: createMessageJournal(database),
    decisions: createDecisionStore(database),
    halts: createHaltStore(database),
    keys: createSigningKeyStore(database),
    mandates: createMandateStore(database),
    standing: createStandingOrderStore(database),
    audit: createAuditStore(database),
    checkpoints: createCheckpointStore(database),
    brokerKeys: brokerKeyStore(database),
    defaultAccounts: defaultAccountStore(database),
    access: createAccessStore(database),
    limits: limitsStore(database),
    earlyPings: earlyPingStore(database),
  } satisfies Partial<GatewayStores>;
}

function defaultAccountStore(database: SqlTransactions): DefaultAccountStore {
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

function limitsStore(database: SqlTransactions): LimitsStore {
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

function earlyPingStore(database: SqlTransactions): EarlyPingStore {
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

function brokerKeyStore(database: SqlTransactions): BrokerKeyStore {
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
