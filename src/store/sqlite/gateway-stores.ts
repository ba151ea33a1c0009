import type Database from 'better-sqlite3-multiple-ciphers';
import type { GatewayStores } from '../gateway-stores.ts';
import { prepareGatewayDatabase } from './gateway-database.ts';
import { sqliteMessageJournal } from './message-journal.ts';
import { sqliteOrderJournal } from './order-journal.ts';
import { sqliteProofStore } from './proof-store.ts';

/**
 * @param database the gateway's, open; its owner closes it. Set to WAL and `synchronous=FULL` here
 * @throws {Error} where it was written by a newer version; then nothing was changed
 */
export function sqliteGatewayStores(database: Database.Database): GatewayStores {
  prepareGatewayDatabase(database);
  return {
    orders: sqliteOrderJournal(database),
    messages: sqliteMessageJournal(database),
    proofs: sqliteProofStore(database),
  };
}
