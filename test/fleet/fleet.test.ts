import { afterAll, beforeAll, expect, it } from 'vitest';
import { RESEND_DELAY_MS } from '../../src/gateway/orders/order-submission.ts';
import { STANDING_CLAIM_MS } from '../../src/store/standing-order-store.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { prepareAgents } from './agents.ts';
import { startFleetBroker } from './broker.ts';
import { breakAtRandom, type Fault, faultKinds } from './faults.ts';
import { fleetUsers, type Homes, prepareHomes, type Trader } from './homes.ts';
import {
  mandated,
  type Passage,
  passage,
  passageByCommand,
  passageThrough,
  shown,
  standingOrder,
  type Way,
  ways,
} from './passage.ts';
import { receiptFaults } from './receipts.ts';

/** `npm run test:fleet` asks for 10,000; `npm run test:all` leaves it out. */
const COUNT = Number(process.env.FLEET_PROPOSALS ?? 0);
const SEED = Number(process.env.FLEET_SEED ?? 1);
/** For so many minutes new ones are proposed at most; those there are by then are played to their end. */
const MINUTES = Number(process.env.FLEET_MINUTES ?? 0) || Number.POSITIVE_INFINITY;
/** Between two faults, milliseconds at most: work in hand lies for as long as its lease, and then goes on. */
const PAUSE_MS = Number(process.env.FLEET_PAUSE_MS ?? 40_000);
/** Who trade, each from an account of their own, one proposal after the other. */
const PEOPLE = Number(process.env.FLEET_PEOPLE ?? 24);
const HOMES = Number(process.env.FLEET_HOMES ?? 3);
const [SERVERS, WORKERS] = [2, 2] as const;
/** Of a hundred proposals, how many go each way; all others are approved straight at the homes. */
const shares: Readonly<Partial<Record<Way, number>>> = {
  ...{ server: 8, command: 1, denied: 4, ignored: 4, withdrawn: 4, 'over the limit': 3, mandate: 3, standing: 3 },
};
/** How long work in hand may lie there after whoever had it was killed, or stood still: the lease, and a look. */
const GOES_ON_MS = 20_000;
/** As long as a proposal lives that an interrupted command left behind, and a look. */
const EXPIRES_MS = 330_000;

const programs = postgresPrograms();
const required = process.env.POSTGRES_TESTS === 'required';

let cluster: Cluster;
beforeAll(async () => {
  if (programs === undefined || COUNT === 0) return;
  // Killed as by a power cut, it must have on disk what it said it has.
  cluster = await startCluster(programs, { durable: true });
});
afterAll(() => cluster?.remove());

it.runIf(COUNT > 0 && (programs !== undefined || required))(
  `a home in ${HOMES} processes, with ${SERVERS} servers and ${WORKERS} workers, each killed, stopped and cut off at random: ${COUNT} proposals at most, one order for each that was approved`,
  async () => {
    const superuser = cluster.address(SUPERUSER, 'postgres');
    const broker = await startFleetBroker(fleetUsers(PEOPLE));
    const homes = await prepareHomes({ cluster, superuser, broker, count: HOMES });
    const agents = await prepareAgents(cluster, { servers: SERVERS, workers: WORKERS });
    try {
      await homes.open([agents.server]);
      await agents.open(homes.address);
      const traders = await homes.people();
      const { passages, faults, proposed } = await play({ homes, agents, traders });
      await expect.poll(() => openProposals(superuser), { timeout: EXPIRES_MS, interval: 1_000 }).toEqual([]);
      const rows = await proposalsIn(superuser);
      const orders = rows.filter(({ kind, state }) => kind === 'order' && state === 'executed');
      const receipts = await receiptFaultsOf(traders, orders);
      const record = await recordOf(homes, superuser);
      const counted = Map.groupBy(rows, ({ kind, state }) => `${kind} ${state}`);
      console.log(
        `  ${[...counted].map(([name, all]) => `${all.length} × ${name}`).join(', ')}; ${broker.posted.length} POSTs, ${orders.length} receipts, ${receipts.length} of them wrong`,
      );
      if (MINUTES === Number.POSITIVE_INFINITY) expect(proposed).toBe(COUNT);
      // A broker that takes an id twice would have made two orders of these.
      expect(broker.twice).toEqual([]);
      // Each order that was carried out was sent once, and no other order was sent.
      expect(broker.posted.toSorted()).toEqual(orders.map(({ subject_id }) => subject_id).toSorted());
      const approved = passages.filter(
        ({ way }) => !['denied', 'ignored', 'withdrawn', 'over the limit'].includes(way),
      );
      const executed = rows.filter(({ state }) => state === 'executed').map(({ id }) => id);
      expect(executed.toSorted()).toEqual(approved.map(({ id }) => id).toSorted());
      // Each of the others says why.
      expect(rows.filter(({ state, reason }) => state !== 'executed' && reason === null)).toEqual([]);
      // Every receipt verifies whole: the passkey's signature over the order, the home's over all of it.
      expect(receipts).toEqual([]);
      // The record is whole, and has each proposal executed once.
      expect(record.verdict).toMatchObject({ ok: true });
      expect(record.executed.toSorted()).toEqual(executed.toSorted());
      const kinds = new Set(faults.map(({ what }) => what));
      if (proposed >= 1_000) expect([...kinds].toSorted()).toEqual(faultKinds.toSorted());
      expect(tooLate(passages, faults).map(({ steps }) => shown(steps))).toEqual([]);
    } finally {
      await agents.close();
      await homes.close();
      await broker.close();
    }
  },
  4 * 3_600_000,
);

interface Playing {
  readonly homes: Homes;
  readonly agents: Awaited<ReturnType<typeof prepareAgents>>;
  readonly traders: readonly Trader[];
}

/** Has people propose and answer while the fleet is broken at random. */
async function play({ homes, agents, traders }: Playing) {
  const [first] = traders;
  if (first === undefined) throw new Error('nobody trades');
  const run = await homes.command(first);
  const withAgents = await Promise.all(
    traders.map(async (trader) => ({ ...trader, run, agent: await trader.agentAt(agents.server.address) })),
  );
  const done = new AbortController();
  const breaking = breakAtRandom({
    ...{ cluster, random: seededRandom(SEED), pauseMs: PAUSE_MS, signal: done.signal, links: homes.links },
    fleet: { homes, servers: agents.servers, workers: agents.workers },
  });
  const began = performance.now();
  const passages: Passage[] = [];
  let faults: Fault[] = [];
  let proposed = 0;
  const numbers = numbersUntil(COUNT, () => performance.now() > began + MINUTES * 60_000);
  const lane = async (trader: FleetTrader) => {
    let isDenied = false;
    for (let next = numbers.next(); !next.done; next = numbers.next()) {
      const n = next.value;
      proposed += 1;
      // A fifth of all requests come twice.
      const asking = { qty: (0.01 + n / 1_000_000).toFixed(6), key: `fleet-${n}`, twice: n % 5 === 0 };
      const way = wayOf(n, { isFirst: trader.username === first.username, isDenied });
      // A request that was withdrawn or expired is no decision, so a denial before it still counts.
      if (way === 'approved' || way === 'denied') isDenied = way === 'denied';
      passages.push(...(await passagesBy(way, trader, asking)));
    }
  };
  try {
    await Promise.all(withAgents.map(lane));
  } finally {
    done.abort();
    faults = await breaking;
    tell(passages, faults, performance.now() - began);
    for (const [text, times] of homes.errors()) console.log(`  logged ${times} times: ${text}`);
  }
  return { passages, faults, proposed };
}

async function receiptFaultsOf(traders: readonly Trader[], orders: readonly ProposalRow[]): Promise<string[]> {
  const faults = traders.map((trader) =>
    receiptFaults(
      trader,
      orders
        .filter(({ sub }) => sub === trader.username)
        .map(({ id, subject }) => ({ id, isMandated: subject.includes('"mandate"') })),
    ),
  );
  return (await Promise.all(faults)).flat();
}

function* numbersUntil(count: number, isOver: () => boolean): Generator<number> {
  for (let n = 0; n < count && !isOver(); n++) yield n;
}

function wayOf(n: number, { isFirst, isDenied }: { readonly isFirst: boolean; readonly isDenied: boolean }): Way {
  let left = seededRandom(SEED * 1_000_003 + n)() * 100;
  const found = ways.find((way) => {
    left -= shares[way] ?? 0;
    return left < 0;
  });
  // Two denials in a row have the next proposals wait for ten minutes.
  if (found === undefined || (found === 'denied' && isDenied)) return 'approved';
  return found === 'command' && !isFirst ? 'approved' : found;
}

type FleetTrader = Parameters<typeof passageThrough>[0] & Parameters<typeof passageByCommand>[0];

async function passagesBy(
  way: Way,
  trader: FleetTrader,
  asking: Parameters<typeof passageThrough>[1],
): Promise<readonly Passage[]> {
  switch (way) {
    case 'server':
      return [await passageThrough(trader, asking)];
    case 'command':
      return [await passageByCommand(trader, asking)];
    case 'mandate':
      return await mandated(trader, asking);
    case 'standing':
      return await standingOrder(trader, asking);
    default:
      return [await passage(trader, asking, way)];
  }
}

interface ProposalRow {
  readonly id: string;
  readonly sub: string;
  readonly kind: string;
  readonly state: string;
  readonly subject: string;
  readonly subject_id: string;
  readonly reason: string | null;
}

async function proposalsIn(superuser: string): Promise<readonly ProposalRow[]> {
  const [found] = await runSql(
    atHome(superuser),
    'SELECT id, sub, kind, state, subject, subject_id, reason FROM trade_agent_gateway.proposals ORDER BY place',
  );
  return found?.rows as ProposalRow[];
}

async function openProposals(superuser: string): Promise<readonly string[]> {
  const open = ['drafted', 'requested', 'approved', 'executing', 'unknown'];
  return (await proposalsIn(superuser)).filter(({ state }) => open.includes(state)).map(({ id }) => id);
}

/** What the record has, and whether it is as it was written. */
async function recordOf(homes: Pick<Homes, 'run'>, superuser: string) {
  const [found] = await runSql(atHome(superuser), 'SELECT line FROM trade_agent_gateway.record_lines');
  const rows: readonly { line: string }[] = found?.rows ?? [];
  const lines = rows.map(({ line }) => JSON.parse(line) as { event: string; proposal?: string });
  return {
    verdict: await homes.run('gateway', 'audit', 'verify'),
    executed: lines.filter(({ event }) => event === 'executed').map(({ proposal = '' }) => proposal),
  };
}

const atHome = (superuser: string) => superuser.replace('/postgres?', '/home?');

/** What lay there for longer than it may, after each of the faults that came between its tap and its fill. */
function tooLate(passages: readonly Passage[], faults: readonly Fault[]): Passage[] {
  return passages.filter((one) => {
    const quiet = wasUnknown(one) ? RESEND_DELAY_MS : 0;
    const claimed = one.way === 'standing' ? STANDING_CLAIM_MS : 0;
    return lasted(one) > (meetings(one, faults).length + 1) * GOES_ON_MS + quiet + claimed;
  });
}

/** Nobody could tell whether it was sent: it is looked for, and sent again once nothing of it can be on its way any more. */
const wasUnknown = ({ steps }: Passage) => steps.some(({ what }) => what.startsWith('unknown'));

function tell(passages: readonly Passage[], faults: readonly Fault[], tookMs: number): void {
  const slowest = passages.toSorted((a, b) => lasted(b) - lasted(a));
  const seconds = tookMs / 1000;
  const again = passages.filter(({ taps }) => taps > 1).length;
  const byWay = Map.groupBy(passages, ({ way }) => way);
  console.log(
    `${passages.length} proposals in ${seconds.toFixed(0)} s, ${(passages.length / seconds).toFixed(1)} a second: ${[...byWay].map(([way, all]) => `${all.length} ${way}`).join(', ')}; ${again} tapped again`,
  );
  console.log(`  tap to fill: ${parts(passages.filter(({ way }) => way === 'approved').map(lasted))}`);
  const counted = Map.groupBy(faults, ({ what, to }) => `${to} ${what}`);
  console.log(`  ${[...counted].map(([name, all]) => `${all.length} × ${name}`).join(', ') || 'no faults'}`);
  const [unknown, known] = [true, false].map((wanted) =>
    passages
      .filter((one) => wasUnknown(one) === wanted)
      .flatMap((one) => {
        const met = meetings(one, faults);
        // Of one that met several nobody can tell which held it up.
        return met.length === 1 && met[0] !== undefined ? [one.endedAt - Math.max(met[0].from, one.tappedAt)] : [];
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

/** The faults between its tap and its end. */
function meetings({ tappedAt, endedAt }: Passage, faults: readonly Fault[]): readonly Fault[] {
  return faults.filter(({ from, until }) => from < endedAt && until > tappedAt);
}

/** Of times in milliseconds. */
function parts(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  return `${at(0.5)} ms (median), ${at(0.95)} (95 %), ${at(1)} at most`;
}

const lasted = ({ tappedAt, endedAt }: Passage) => endedAt - tappedAt;
