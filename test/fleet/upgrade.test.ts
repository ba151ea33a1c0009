import { afterAll, beforeAll, expect, it } from 'vitest';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { appOf } from '../../src/store/postgres/schema.ts';
import { seededRandom, shuffled } from '../fixtures/seeded-random.ts';
import { atOnce } from '../load/many-proposals.ts';
import { startLoadWorld } from '../load/world.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { type EarlierProgram, earlierProgram, migrateBy } from './earlier-program.ts';
import { startFleet, THIS_PROGRAM } from './fleet.ts';
import { filled } from './passage.ts';
import { undeduplicated } from './undeduplicated.ts';

/** `npm run test:upgrade` asks for 1,000; `npm run test:all` leaves it out. */
const COUNT = Number(process.env.UPGRADE_PROPOSALS ?? 0);
const LANES = 8;

const programs = postgresPrograms();
const earlier: EarlierProgram | undefined =
  COUNT > 0 && programs !== undefined ? earlierProgram() : undefined;

let cluster: Cluster;
let owner: string;
beforeAll(async () => {
  if (programs === undefined || earlier === undefined) return;
  cluster = await startCluster(programs, { durable: true });
  owner = cluster.address(SUPERUSER, 'postgres');
  earlier.migrate(owner);
  await runSql(owner, `CREATE ROLE gateways LOGIN IN ROLE ${appOf(gatewaySchema.name)}`);
});
afterAll(async () => {
  await cluster?.remove();
  earlier?.remove();
});

it.runIf(earlier !== undefined)(
  `${COUNT} proposals that wait under an earlier program (${earlier?.commit.slice(0, 8)}) are carried out while this one takes its place, one gateway after the other`,
  async () => {
    const { folder } = earlier as EarlierProgram;
    const where = { address: cluster.address('gateways', 'postgres'), tenant: 'fleet' };
    const fleet = await startFleet(2, where, folder);
    const broker = undeduplicated();
    const world = await startLoadWorld({ startGateway: async () => fleet, watchBroker: broker.watch });
    const numbers = Array.from({ length: COUNT }, (_, n) => n);
    const waiting = await atOnce(
      numbers,
      (n) => world.propose((0.01 + n / 1_000_000).toFixed(6), `upgrade-${n}`),
      LANES,
    );
    expect(new Set(waiting.map(({ state }) => state))).toEqual(new Set(['requested']));

    migrateBy(THIS_PROGRAM, owner);
    let taps = 0;
    const tapping = atOnce(
      shuffled(waiting, seededRandom(1)),
      async (proposal) => {
        const passage = await filled(world, proposal, { key: proposal.id, twice: taps++ % 5 === 0 });
        return passage.taps;
      },
      LANES,
    );
    const tapped = async (part: number) =>
      expect.poll(() => taps, { timeout: 600_000 }).toBeGreaterThan(COUNT * part);
    await tapped(0.2);
    await fleet.replace(0, THIS_PROGRAM);
    // The two beside each other.
    await tapped(0.6);
    await fleet.replace(1, THIS_PROGRAM);
    expect(taps).toBeLessThan(COUNT);
    const asked = await tapping;

    const ordered = world.ordered();
    await world.close();
    expect(ordered).toHaveLength(COUNT);
    expect(new Set(ordered).size).toBe(COUNT);
    expect(broker.twice()).toEqual([]);
    expect(broker.posts()).toBe(COUNT);
    // What was on its way at the moment that an earlier program ended it may have lost, and asked for again.
    expect(asked.filter((times) => times !== 1).length).toBeLessThanOrEqual(LANES);
  },
  3_600_000,
);
