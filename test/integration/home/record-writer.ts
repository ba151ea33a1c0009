import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3-multiple-ciphers';
import { createTreeSigner } from '../../../src/approval/receipts/checkpoint.ts';
import { deriveReceiptKey } from '../../../src/approval/receipts/receipt-key.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';

/*
 * Writes to a home's record without rest, as the home would that is served beside: a thread of its own, so that it writes
 * at any moment of what another one does. Ends when it is told to.
 */
const { database: file, seal } = workerData as { database: string; seal: string };
const signer = createTreeSigner(await deriveReceiptKey(seal), 'https://home.example');
const database = new Database(file);
const { halts, audit } = createSqliteGatewayStores(database);
let writing = true;
parentPort?.once('message', () => {
  writing = false;
});
for (let count = 0; writing; count++) {
  const since = await halts.halt('alice', 'test', Date.now());
  await audit.sequence(signer, true);
  await halts.lift('alice', since, Date.now());
  if (count % 3 === 0) await audit.sequence(signer, true);
  if (count === 10) parentPort?.postMessage('writing');
  await new Promise((resolve) => setImmediate(resolve));
}
database.close();
