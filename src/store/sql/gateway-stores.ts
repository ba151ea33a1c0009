import type { DefaultAccountStore } from '../default-account-store.ts';
import type { GatewayStores } from '../gateway-stores.ts';
import type { LimitsStore } from '../limits-store.ts';
import { accessStore } from './access-store.ts';
import { brokerKeyStore } from './broker-key-store.ts';
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
