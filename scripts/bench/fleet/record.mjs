// Measures the audit log on PostgreSQL: the processor time of a receipt by the log's size, and one tenant's changes per
// second, in pairs with another checkout if FLEET_BEFORE names one.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { makeReceipt } from '../../../src/approval/receipts/make-receipt.ts';
import { openPostgresGatewayDatabase } from '../../../src/store/postgres/gateway-database.ts';
import { postgresTransactions } from '../../../src/store/postgres/sql-database.ts';
import { createAuditStore } from '../../../src/store/sql/audit-store.ts';
import { receiptSources, recordSentProposal, sentProposal } from '../../../test/fixtures/receipt-sources.ts';
import { startDatabase } from './cluster.mjs';

const LINES = (process.env.FLEET_LINES ?? '100000,1000000').split(',').map(Number);
const RECEIPTS = Number(process.env.FLEET_RECEIPTS ?? 200);
const CHANGES = Number(process.env.FLEET_CHANGES ?? 1_000);
const PAIRS = Number(process.env.FLEET_PAIRS ?? 5);
/** Changes that one tenant makes at the same time, each for another person. */
const LANES = 32;
const HERE = join(import.meta.dirname, '../../..');
const { FLEET_BEFORE: before } = process.env;

export async function benchRecord() {
  console.log(`The audit log on PostgreSQL; load of the machine ${load()}`);
  for (const lines of LINES) await benchReceipts(lines);
  await benchChanges();
  console.log(`  load of the machine afterwards ${load()}`);
}

const load = () =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(' ');

async function benchReceipts(lines) {
  const server = await startDatabase();
  const opened = await openPostgresGatewayDatabase({ address: server.address, tenant: 'bench' });
  try {
    const database = postgresTransactions(opened, 'place');
    const audit = createAuditStore(database);
    const sources = await receiptSources(audit);
    await recordSentProposal(database, audit, lines);
    await sources.sequence();
    // Autovacuum does this within a minute.
    await server.query('VACUUM ANALYZE');
    for (let n = 0; n < RECEIPTS; n++) await makeReceipt(sources, sentProposal);
    const [client, postgres, from] = [process.cpuUsage(), server.processor(), performance.now()];
    for (let n = 0; n < RECEIPTS; n++) await makeReceipt(sources, sentProposal);
    const { user, system } = process.cpuUsage(client);
    const own = (user + system) / 1_000 / RECEIPTS;
    const servers = ((server.processor() - postgres) * 1_000) / RECEIPTS;
    const lasted = (performance.now() - from) / RECEIPTS;
    console.log(
      `  a receipt among ${lines} lines: ${own.toFixed(2)} ms of the gateway's processor, ${servers.toFixed(2)} ms of PostgreSQL's, ${lasted.toFixed(1)} ms in all (aim: 10 ms of processor)`,
    );
  } finally {
    await opened.close();
    await server.close();
  }
}

async function startChanges(root) {
  const server = await startDatabase(root);
  const script = join(import.meta.dirname, 'change-process.mjs');
  const child = fork(script, [root, server.address, String(CHANGES), String(LANES)], { execArgv: ['--no-warnings'] });
  await once(child, 'message');
  return {
    async measure() {
      child.send('measure');
      return (await once(child, 'message'))[0];
    },
    async close() {
      child.send('end');
      await once(child, 'exit');
      await server.close();
    },
  };
}

async function benchChanges() {
  const sides = [await startChanges(HERE), ...(before === undefined ? [] : [await startChanges(before)])];
  const pairs = [];
  for (let n = 0; n < PAIRS; n++) {
    const pair = [];
    for (const side of sides) pair.push(await side.measure());
    pairs.push(pair);
  }
  for (const side of sides) await side.close();
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const shown = (at) =>
    `${median(pairs.map((pair) => pair[at])).toFixed(0)} (${pairs.map((pair) => pair[at].toFixed(0)).join(', ')})`;
  console.log(`  one tenant's changes per second, ${LANES} at a time: ${shown(0)}`);
  if (before === undefined) return;
  const ratio = median(pairs.map(([now, then]) => now / then));
  console.log(`  the same before: ${shown(1)}; ${ratio.toFixed(1)} times as many now (aim: 5)`);
}
