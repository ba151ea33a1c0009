import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyAuditStores } from '../../src/approval/audit-verification.ts';
import { RESEND_DELAY_MS } from '../../src/gateway/orders/order-submission.ts';
import { createGatewayCheckpointReader } from '../../src/gateway/record-checkpoints.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../src/store/postgres/gateway-database.ts';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { atOnce } from '../load/many-proposals.ts';
import { SEAL_SECRET, startLoadWorld } from '../load/world.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { prepareAgents } from './agents.ts';
import { breakAtRandom, type Fault } from './faults.ts';
import { startFleet } from './fleet.ts';
import { type Passage, passage, passageThrough, shown } from './passage.ts';
import { receiptFaults } from './receipts.ts';
import { undeduplicated } from './undeduplicated.ts';

/** `npm run test:fleet` asks for 10,000; `npm run test:all` leaves it out. */
const COUNT = Number(process.env.FLEET_PROPOSALS ?? 0);
const SEED = Number(process.env.FLEET_SEED ?? 1);
/** For so many minutes new ones are proposed at most; those there are by then are played to their end. */
const MINUTES = Number(process.env.FLEET_MINUTES ?? 0) || Number.POSITIVE_INFINITY;
/** Between two faults, milliseconds at most: work in hand lies for as long as its lease, and then goes on. */
const PAUSE_MS = Number(process.env.FLEET_PAUSE_MS ?? 40_000);
/** Proposals under way at once. */
const LANES = Number(process.env.FLEET_LANES ?? 48);
/** Of so many proposals one goes through the agent at the servers; the others straight to the gateways. None for 0. */
const THROUGH_SERVERS = Number(process.env.FLEET_THROUGH_SERVERS ?? 10);
/** Who propose, each from an account of their own. */
const PEOPLE = Number(process.env.FLEET_PEOPLE ?? 50);
const [GATEWAYS, SERVERS, WORKERS] = [2, 2, 3] as const;
/** How long work in hand may lie there after whoever had it was killed, or stood still: the lease, and a look. */
const GOES_ON_MS = 20_000;
const TENANT = 'fleet';

const programs = postgresPrograms();
const required = process.env.POSTGRES_TESTS === 'required';

let cluster: Cluster;
beforeAll(async () => {
  if (programs === undefined || COUNT === 0) return;
  // Killed as by a power cut, it must have on disk what it said it has.
  cluster = await startCluster(programs, { durable: true });
  const owner = cluster.address(SUPERUSER, 'postgres');
  await migrateSchema(owner, gatewaySchema);
  await runSql(owner, `CREATE ROLE gateways LOGIN IN ROLE ${appRole(gatewaySchema.name)}`);
});
afterAll(() => cluster?.remove());

it.runIf(COUNT > 0 && (programs !== undefined || required))(
  `${GATEWAYS} gateways, ${SERVERS} servers and ${WORKERS} workers over one database, each killed, stopped and cut off from it at random: ${COUNT} proposals at most, one order each`,
  async () => {
    const address = cluster.address('gateways', 'postgres');
    const fleet = await startFleet(GATEWAYS, { address, tenant: TENANT });
    const agents = await prepareAgents(cluster, { servers: SERVERS, workers: WORKERS });
    const broker = undeduplicated();
    const database = await openPostgresGatewayDatabase({ address, tenant: TENANT });
    const { keys: signingKeys } = await postgresGatewayStores(database);
    const world = await startLoadWorld({
      people: PEOPLE,
      startGateway: async () => fleet,
      servers: [agents.server],
      watchBroker: broker.watch,
      signingKeys,
    });
    await agents.open({ issuer: world.issuer, gateway: fleet.url });
    const traders = await Promise.all(
      world.people.map(async (person) => {
        const agent = await person.agentAt(agents.server.address);
        return { ...world, ...person, agent };
      }),
    );
    const done = new AbortController();
    const breaking = breakAtRandom({
      ...{ cluster, random: seededRandom(SEED), pauseMs: PAUSE_MS, signal: done.signal },
      fleet: {
        gateways: fleet,
        ...(THROUGH_SERVERS > 0 && { servers: agents.servers, workers: agents.workers }),
      },
    });
    const began = performance.now();
    const passages: Passage[] = [];
    let faults: Fault[] = [];
    try {
      const until = performance.now() + MINUTES * 60_000;
      await atOnce(
        numbersUntil(COUNT, () => performance.now() > until),
        async (n) => {
          const qty = (0.01 + n / 1_000_000).toFixed(6);
          // A fifth of all requests come twice.
          const asking = { qty, key: `fleet-${n}`, twice: n % 5 === 0 };
          const trader = traders[n % PEOPLE] as (typeof traders)[number];
          const isThrough = THROUGH_SERVERS > 0 && n % THROUGH_SERVERS === 1;
          passages.push(await (isThrough ? passageThrough(trader, asking) : passage(trader, asking)));
        },
        LANES,
      );
    } finally {
      done.abort();
      faults = await breaking;
      tell(passages, faults, performance.now() - began);
    }
    const ordered = world.ordered();
    const receipts: string[] = [];
    for (const trader of traders) {
      const theirs = passages.filter(({ username }) => username === trader.username).map(({ id }) => id);
      receipts.push(...(await receiptFaults(trader, theirs, await signingKeys.listByPerson(trader.username))));
    }
    await agents.close();
    await fleet.close();
    const record = await recordOf(database);
    await world.close();
    await database.close();
    const { length: count } = passages;
    if (MINUTES === Number.POSITIVE_INFINITY) expect(count).toBe(COUNT);
    expect(ordered).toHaveLength(count);
    expect(new Set(ordered).size).toBe(count);
    // A broker that takes an id twice would have made two orders of these.
    expect(broker.twice()).toEqual([]);
    // Every receipt verifies whole: the passkey's signature over the order, the gateway's over all of it.
    expect(receipts).toEqual([]);
    // The record is whole, and has each proposal executed once.
    expect(record.verdict).toMatchObject({ ok: true, pending: 0 });
    expect(record.executed).toHaveLength(count);
    expect(new Set(record.executed).size).toBe(count);
    const kinds = new Set(faults.map(({ what }) => what));
    if (count >= 1_000) expect([...kinds].toSorted()).toEqual(['cut', 'killed', 'stopped']);
    expect(tooLate(passages, faults).map(({ steps }) => shown(steps))).toEqual([]);
  },
  3 * 3_600_000,
);

function* numbersUntil(count: number, isOver: () => boolean): Generator<number> {
  for (let n = 0; n < count && !isOver(); n++) yield n;
}

/** What the record has, and whether it is as it was written. */
async function recordOf(database: TenantDatabase) {
  const stores = postgresGatewayStores(database);
  const verdict = await verifyAuditStores(stores, await createGatewayCheckpointReader({ sealSecret: SEAL_SECRET }));
  const { size } = await stores.audit.tree();
  const lines = (await stores.audit.leaves(0, size)).map(
    ({ line }) => JSON.parse(line) as { event: string; proposal?: string },
  );
  return {
    verdict,
    executed: lines.filter(({ event }) => event === 'executed').map(({ proposal }) => proposal),
  };
}

/** What lay there for longer than it may, after each of the faults that came between its tap and its fill. */
function tooLate(passages: readonly Passage[], faults: readonly Fault[]): Passage[] {
  return passages.filter((one) => {
    const quiet = wasUnknown(one) ? RESEND_DELAY_MS : 0;
    return lasted(one) > (meetings(one, faults).length + 1) * GOES_ON_MS + quiet;
  });
}

/** Nobody could tell whether it was sent: it is looked for, and sent again once nothing of it can be on its way any more. */
const wasUnknown = ({ steps }: Passage) => steps.some(({ what }) => what.startsWith('unknown'));

function tell(passages: readonly Passage[], faults: readonly Fault[], tookMs: number): void {
  const slowest = passages.toSorted((a, b) => lasted(b) - lasted(a));
  const seconds = tookMs / 1000;
  const through = passages.filter(({ by }) => by === 'servers');
  const again = passages.filter(({ taps }) => taps > 1).length;
  console.log(
    `${passages.length} proposals in ${seconds.toFixed(0)} s, ${(passages.length / seconds).toFixed(1)} a second; ${through.length} through the servers, of which ${through.filter(isBegunAnew).length} were asked for again; ${again} tapped again`,
  );
  console.log(`  tap to fill: ${parts(passages.map(lasted))}`);
  const counted = Map.groupBy(faults, ({ what, to }) => `${to} ${what}`);
  console.log(`  ${[...counted].map(([name, all]) => `${all.length} × ${name}`).join(', ') || 'no faults'}`);
  const [unknown, known] = [true, false].map((wanted) =>
    passages
      .filter((one) => wasUnknown(one) === wanted)
      .flatMap((one) => {
        const met = meetings(one, faults);
        // Of one that met several nobody can tell which held it up.
        return met.length === 1 && met[0] !== undefined ? [one.filledAt - Math.max(met[0].from, one.tappedAt)] : [];
      }),
  ) as [number[], number[]];
  console.log(`  in hand at a fault, from then to the fill: ${parts(known)}; ${known.length} of them`);
  console.log(
    `  the same, where it had to be waited whether it was sent: ${parts(unknown)}; ${unknown.length} of them`,
  );
  for (const one of slowest.slice(0, 5))
    if (lasted(one) > GOES_ON_MS) {
      const when = meetings(one, faults).map(
        ({ what, to, from, until }) =>
          `${to} ${what} ${Math.round(from - one.tappedAt)}–${Math.round(until - one.tappedAt)}`,
      );
      console.log(`${Math.round(lasted(one))} ms; since the tap ${when.join(', ')}; ${shown(one.steps)}`);
    }
}

const isBegunAnew = ({ steps }: Passage) => steps.some(({ what }) => what.startsWith('the run ended'));

/** The faults between its tap and its fill. */
function meetings({ tappedAt, filledAt }: Passage, faults: readonly Fault[]): readonly Fault[] {
  return faults.filter(({ from, until }) => from < filledAt && until > tappedAt);
}

/** Of times in milliseconds. */
function parts(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  return `${at(0.5)} ms (median), ${at(0.95)} (95 %), ${at(1)} at most`;
}

const lasted = ({ tappedAt, filledAt }: Passage) => filledAt - tappedAt;
