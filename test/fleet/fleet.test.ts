import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/machine/clock.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { appOf } from '../../src/store/postgres/schema.ts';
import type { Proposal } from '../../src/trading/proposal.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { atOnce } from '../load/many-proposals.ts';
import { startLoadWorld } from '../load/world.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { startFleet } from './fleet.ts';

/** `npm run test:fleet` asks for 10,000; `npm test` leaves it out. */
const COUNT = Number(process.env.FLEET_PROPOSALS ?? 0);
const SEED = Number(process.env.FLEET_SEED ?? 1);
/** Between two faults, milliseconds at most: work in hand lies for as long as its lease, and then goes on. */
const PAUSE_MS = Number(process.env.FLEET_PAUSE_MS ?? 40_000);
/** Proposals under way at once. */
const LANES = 32;
/** How long work in hand may lie there after whoever had it was killed, or stood still: the lease, and a look. */
const GOES_ON_MS = 20_000;
/** For one proposal from its first request to its fill, whatever is killed meanwhile. */
const PATIENCE_MS = 240_000;

const programs = postgresPrograms();
const required = process.env.POSTGRES_TESTS === 'required';

let cluster: Cluster;
beforeAll(async () => {
  if (programs === undefined || COUNT === 0) return;
  // Killed as by a power cut, it must have on disk what it said it has.
  cluster = await startCluster(programs, { durable: true });
  const owner = cluster.address(SUPERUSER, 'postgres');
  await migrate(owner, gatewaySchema);
  await runSql(owner, `CREATE ROLE gateways LOGIN IN ROLE ${appOf(gatewaySchema.name)}`);
});
afterAll(() => cluster?.remove());

it.runIf(COUNT > 0 && (programs !== undefined || required))(
  `two gateways over one database, each killed, stopped and cut off from it at random: ${COUNT} proposals, one order each`,
  async () => {
    const random = seededRandom(SEED);
    const fleet = await startFleet(2, { address: cluster.address('gateways', 'postgres'), tenant: 'fleet' });
    const broker = undeduplicated();
    const world = await startLoadWorld({ startGateway: async () => fleet, watchBroker: broker.watch });
    const done = new AbortController();
    const faults = { killed: 0, stopped: 0, cut: 0 };
    const breaking = (async () => {
      while (!done.signal.aborted) {
        await systemClock.sleep(random() * PAUSE_MS, done.signal).catch(() => undefined);
        if (done.signal.aborted) return;
        const which = Math.floor(random() * fleet.count);
        const what = random();
        if (what < 0.5) {
          faults.killed++;
          await fleet.kill(which);
        } else if (what < 0.8) {
          faults.stopped++;
          await fleet.standStill(which, random() * 10_000);
        } else {
          faults.cut++;
          await cluster.stop('immediate');
          await cluster.start();
        }
      }
    })();
    const fillMs: number[] = [];
    try {
      await atOnce(
        Array.from({ length: COUNT }, (_, n) => n),
        async (n) => {
          const qty = (0.01 + n / 1_000_000).toFixed(6);
          const asked = () => world.propose(qty, `fleet-${n}`);
          const [proposal] = await Promise.all([
            persist(asked),
            // A fifth of all requests come twice.
            ...(n % 5 === 0 ? [persist(asked)] : []),
          ]);
          const question = await persist(async () => world.questionOf(proposal.id));
          await persist(() => world.phone.decide(question, 'approve'));
          const tappedAt = performance.now();
          let seen: Proposal = proposal;
          while (!isFilled(seen)) {
            if (isOver(seen)) throw new Error(`a plain order ended ${seen.state}: ${seen.reason?.text}`);
            seen = await persist(() => world.next(seen));
          }
          fillMs.push(performance.now() - tappedAt);
        },
        LANES,
      );
    } finally {
      done.abort();
      await breaking;
    }
    const ordered = world.ordered();
    await world.close();
    const sorted = fillMs.toSorted((a, b) => a - b);
    const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
    console.log(
      `${COUNT} proposals, ${ordered.length} orders, ${broker.posts()} sent; ${faults.killed} kills, ${faults.stopped} stops, ${faults.cut} cuts of the database; tap to fill ${at(0.5)} ms (median), ${at(0.95)} (95 %), ${at(1)} at most`,
    );
    expect(ordered).toHaveLength(COUNT);
    expect(new Set(ordered).size).toBe(COUNT);
    // A broker that takes an id twice would have made two orders of these.
    expect(broker.twice()).toEqual([]);
    if (COUNT >= 1_000) expect(Object.values(faults)).not.toContain(0);
    // Of most nobody who had them in hand was killed; of none was it twice in a row, or it is told by the line above.
    expect(at(0.95)).toBeLessThan(GOES_ON_MS);
  },
  3 * 3_600_000,
);

const isFilled = ({ state, result }: Proposal) =>
  state === 'executed' && (result as { status?: unknown } | null)?.status === 'filled';
const isOver = ({ state }: Proposal) => ['blocked', 'expired', 'denied', 'cancelled'].includes(state);

/** Asks again, as programs do, until there is an answer. */
async function persist<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > until) throw error;
      await systemClock.sleep(200);
    }
  }
}

/** Counts what a broker would make two orders of that does not look at ids: sent again while the first is there, or on its way. */
function undeduplicated() {
  const there = new Set<string>();
  const twice: string[] = [];
  let posts = 0;
  return {
    async watch(request: Request, answer: () => Promise<Response>): Promise<Response> {
      if (request.method !== 'POST' || new URL(request.url).pathname !== '/v2/orders') return answer();
      const { client_order_id: id } = (await request.json()) as { client_order_id: string };
      posts += 1;
      if (there.has(id)) twice.push(id);
      there.add(id);
      const response = await answer();
      if (!response.ok) there.delete(id);
      return response;
    },
    posts: () => posts,
    twice: () => twice,
  };
}
