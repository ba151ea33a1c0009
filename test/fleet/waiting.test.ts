import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgresGatewayDatabase } from '../../src/store/postgres/gateway-database.ts';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import { postgresTransactions } from '../../src/store/postgres/sql-database.ts';
import { createAuditStore } from '../../src/store/sql/audit-store.ts';
import type { Proposal } from '../../src/trading/proposal.ts';
import { receiptSources, recordSentProposal } from '../fixtures/receipt-sources.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { type LoadWorld, startLoadWorld } from '../load/world.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { startFleet } from './fleet.ts';
import { leaveWaiting } from './leave-waiting.ts';

/** `npm run test:fleet` asks for 20,000; `npm run test:all` leaves it out. */
const WAITING = Number(process.env.FLEET_WAITING ?? 0);
/** Lines of the audit log that a new gateway finds. `npm run test:fleet` uses 1,000,000. */
const LINES = Number(process.env.FLEET_LINES ?? 0);
const TAPS = 100;
const LOST = 5;
const TENANT = 'waiting';

const programs = postgresPrograms();
const required = process.env.POSTGRES_TESTS === 'required';

let cluster: Cluster;
beforeAll(async () => {
  if (programs === undefined || WAITING + LINES === 0) return;
  cluster = await startCluster(programs, { durable: true });
  const owner = cluster.address(SUPERUSER, 'postgres');
  await migrateSchema(owner, gatewaySchema);
  await runSql(owner, `CREATE ROLE gateways LOGIN IN ROLE ${appRole(gatewaySchema.name)}`);
});
afterAll(() => cluster?.remove());

let number = 0;
async function proposed({ propose, next }: LoadWorld): Promise<Proposal> {
  number += 1;
  let proposal = await propose((0.01 + number / 1_000_000).toFixed(6), `waiting-${number}`);
  while (proposal.state === 'drafted') proposal = await next(proposal);
  return proposal;
}

/** Taps a while after the question came to the phone. Returns the milliseconds from the tap until it is executed. */
async function tapToExecuted(world: LoadWorld, delayMs: number): Promise<number> {
  let proposal = await proposed(world);
  const question = world.questionOf(proposal.id);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const at = performance.now();
  await world.phone.decide(question, 'approve');
  while (['requested', 'approved', 'executing'].includes(proposal.state)) proposal = await world.next(proposal);
  expect(proposal.state).toBe('executed');
  return performance.now() - at;
}

async function quickTaps(world: LoadWorld, count: number, random: () => number): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < count; n++) took.push(await tapToExecuted(world, random() * 200));
  return took.toSorted((a, b) => a - b);
}

const at = (sorted: readonly number[], part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);

const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);

it.runIf(WAITING > 0 && (programs !== undefined || required))(
  `${WAITING} proposals that wait cost two gateways no memory, and delay neither a tap nor one whose ping is lost`,
  async () => {
    const where = { address: cluster.address('gateways', 'postgres'), tenant: TENANT };
    const fleet = await startFleet(2, where);
    const world = await startLoadWorld({ startGateway: async () => fleet });
    try {
      const random = seededRandom(Number(process.env.FLEET_SEED ?? 1));
      await quickTaps(world, 3 * TAPS, random);
      const few = await quickTaps(world, TAPS, random);
      const before = await fleet.heaps();
      await leaveWaiting({ where, provider: world.provider, like: (await proposed(world)).id, count: WAITING });
      // The gateways' copies of the audit log catch up.
      await quickTaps(world, TAPS, random);
      const after = await fleet.heaps();
      const many = await quickTaps(world, TAPS, random);
      fleet.losePings(true);
      const lost = (
        await Promise.all(Array.from({ length: LOST }, () => tapToExecuted(world, random() * 200)))
      ).toSorted((a, b) => a - b);
      const grown = after.map((heap, index) => heap / (before[index] ?? 1));
      console.log(
        `${WAITING} waiting at 2 gateways: heap ${grown.map((ratio) => ratio.toFixed(3)).join(' and ')} of before (${before.map(mebibytes)}) MiB; ` +
          `tap to executed p50 / p95 / most: ${at(few, 0.5)} / ${at(few, 0.95)} / ${at(few, 1)} ms before, ` +
          `${at(many, 0.5)} / ${at(many, 0.95)} / ${at(many, 1)} ms with all; ` +
          `with its ping lost ${at(lost, 0)} to ${at(lost, 1)} ms`,
      );
      for (const ratio of grown) expect(ratio).toBeLessThan(1.05);
      expect(at(few, 0.95)).toBeLessThan(1_000);
      expect(at(many, 0.95)).toBeLessThan(1_000);
      expect(at(lost, 1)).toBeLessThan(35_000);
    } finally {
      await world.close();
    }
  },
  3_600_000,
);

it.runIf(LINES > 0 && (programs !== undefined || required))(
  `a new gateway places its first order within a second of being ready, with ${LINES} lines in the audit log`,
  async () => {
    const where = { address: cluster.address('gateways', 'postgres'), tenant: 'first-order' };
    const opened = await openPostgresGatewayDatabase(where);
    const database = postgresTransactions(opened, 'place');
    const audit = createAuditStore(database);
    await recordSentProposal(database, audit, LINES);
    await (await receiptSources(audit)).sequence();
    await opened.close();
    const fleet = await startFleet(1, where);
    const world = await startLoadWorld({ startGateway: async () => fleet });
    try {
      const ready = performance.now();
      await tapToExecuted(world, 0);
      const took = performance.now() - ready;
      console.log(
        `first order of a new gateway with ${LINES} lines in the audit log: ${took.toFixed(0)} ms after it was ready`,
      );
      expect(took).toBeLessThan(1_000);
    } finally {
      await world.close();
    }
  },
  3_600_000,
);
