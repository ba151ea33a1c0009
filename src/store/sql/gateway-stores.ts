import type { BrokerKey, BrokerKeyStore } from '../broker-key-store.ts';
import type { DefaultAccountStore } from '../default-account-store.ts';
import type { GatewayStores } from '../gateway-stores.ts';
import type { LimitsStore } from '../limits-store.ts';
import { accessStore } from './access-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { decisionStore } from './decision-store.ts';
import { sqlHalts } from './halts.ts';
import { mandateStore } from './mandate-store.ts';
import { messageJournal } from './message-journal.ts';
import { signingKeyStore } from './signing-key-store.ts';
import type { SqlDatabase } from './sql-database.ts';
import { standingStore } from './standing-store.ts';

/** The stores of a gateway that SQLite and PostgreSQL share. */
export function sharedStores(database: SqlDatabase) {
  return {
    messages: messageJournal(database),
    decisions: decisionStore(database),
    halts: sqlHalts(database),
    keys: signingKeyStore(database),
    mandates: mandateStore(database),
    standing: standingStore(database),
    checkpoints: checkpointStore(database),
    brokerKeys: brokerKeyStore(database),
    defaultAccounts: defaultAccountStore(database),
    access: accessStore(database),
    limits: limitsStore(database),
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
    remove: async (sub) =>
      void (await database.run('DELETE FROM default_accounts WHERE sub = @sub', { sub })),
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

const SELECT = `SELECT sub, connection, kind, sealed, account_number AS "accountNumber", environment, kept_at AS "keptAt"
  FROM broker_keys`;
const ONE = 'WHERE sub = @sub AND connection = @connection';

function brokerKeyStore(database: SqlDatabase): BrokerKeyStore {
  const { tenant, bytes } = database.dialect;
  return {
    find: (sub, connection) => database.one<BrokerKey>(`${SELECT} ${ONE}`, { sub, connection }),
    list: (connection) =>
      database.all<BrokerKey>(`${SELECT} WHERE connection = @connection ORDER BY sub${bytes}`, {
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
