import type { GatewayStores } from '../gateway-stores.ts';
import { accessStore } from './access-store.ts';
import { brokerKeyStore } from './broker-key-store.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { defaultAccountStore } from './default-account-store.ts';
import { sqlHalts } from './halts.ts';
import { limitsStore } from './limits-store.ts';
import { mandateStore } from './mandate-store.ts';
import { messageJournal } from './message-journal.ts';
import { signingKeyStore } from './signing-key-store.ts';
import type { SqlDatabase } from './sql-database.ts';
import { standingStore } from './standing-store.ts';

/** The stores of a gateway that SQLite and PostgreSQL share. */
export function sharedStores(database: SqlDatabase) {
  return {
    messages: messageJournal(database),
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
