import { performance } from 'node:perf_hooks';
import { systemClock } from '../../src/machine/clock.ts';
import type { Proposal } from '../../src/trading/proposal.ts';
import { seededRandom, shuffled } from '../fixtures/seeded-random.ts';
import type { Traffic } from './gateway-process.ts';
import { type LoadWorld, startLoadWorld } from './world.ts';

/** From the tap to the fill, milliseconds. */
export interface Steps {
  /** Provider: keeps the decision, and calls the gateway back. */
  readonly called: number;
  /** Kernel: finds whose call it is, and signs its poll. */
  readonly polled: number;
  /** Provider: gives the token. */
  readonly redeemed: number;
  /** Kernel: seals the token, verifies it, commits and records that it is carried out. */
  readonly intended: number;
  /** Broker: account, asset, clock, price. */
  readonly read: number;
  /** Desk: rules, and the claim in its journal. */
  readonly claimed: number;
  /** Broker: takes the order and fills it. */
  readonly filled: number;
  /** Desk, kernel: the journal's result, the proposal's, and the answer to who waits. */
  readonly told: number;
}

export interface LoadOptions {
  readonly count: number;
  /** Taps that are measured, one after the other. */
  readonly taps: number;
  /** Taps before them: they load modules and compile. */
  readonly warmUp: number;
  readonly idleMs: number;
  /** Approves all in the end. */
  readonly settleAll: boolean;
}

type Seen = Pick<Proposal, 'id' | 'updated_at'>;

/** How many proposals, or taps in the end, are under way at once. */
const AT_ONCE = 4;

/**
 * Leaves `count` proposals of one person open in one gateway, and measures what waiting and a tap cost then: times in
 * milliseconds, memory in bytes for each proposal, `idleLoad` as a fraction of a processor.
 */
export async function manyProposals(options: LoadOptions) {
  const world = await startLoadWorld();
  try {
    let number = 0;
    const fresh = () => {
      number += 1;
      // From some two dollars on: brokers take no order for less than one.
      return world.propose((0.01 + number / 10_000).toFixed(4), `load-${number}`);
    };
    for (let tap = 0; tap < options.warmUp; tap++) await tapped(world, await fresh());
    const before = await world.gateway('collected');

    // One of them is always the one that is tapped.
    const started = performance.now();
    // No more of each than it takes to tap it: provider and broker share this process's memory.
    const open = await atOnce(Array.from({ length: options.count - 1 }), async () => {
      const { id, updated_at } = await fresh();
      return { id, updated_at };
    });
    const proposeMs = performance.now() - started;
    const full = await world.gateway('collected');

    await systemClock.sleep(options.idleMs);
    const idle = await world.gateway();

    const tapToFill: number[] = [];
    const steps: Steps[] = [];
    const processor: number[] = [];
    for (let tap = 0; tap < options.taps; tap++) {
      const proposal = await fresh();
      const from = await world.gateway();
      const { at, until } = await tapped(world, proposal);
      const { processor: spent, traffic } = await world.gateway();
      processor.push((spent - from.processorAfter) / 1000);
      tapToFill.push(until - at);
      steps.push(stepsOf(traffic, at, until));
    }
    if (options.settleAll) {
      await atOnce(shuffled(open, seededRandom(7)), (proposal) => tapped(world, proposal));
    }
    const ordered = world.ordered();
    return {
      count: options.count,
      proposeMs: proposeMs / Math.max(open.length, 1),
      heapEach: (full.heap - before.heap) / Math.max(open.length, 1),
      residentEach: (full.native - before.native) / Math.max(open.length, 1),
      idleLoad: (idle.processor - full.processorAfter) / 1000 / options.idleMs,
      tapToFill,
      processor,
      steps,
      orders: ordered.length,
      distinctOrders: new Set(ordered).size,
    };
  } finally {
    await world.close();
  }
}

/** Taps, with somebody waiting for the proposal, until they are told of the fill. */
export async function tapped(world: LoadWorld, proposal: Seen): Promise<{ at: number; until: number }> {
  const question = world.questionOf(proposal.id);
  let told = world.next(proposal);
  const at = performance.timeOrigin + performance.now();
  const decided = world.phone.decide(question, 'approve');
  for (;;) {
    const seen = await told;
    if (seen.state === 'executed' && isFilled(seen.result)) break;
    if (['blocked', 'expired', 'denied', 'cancelled'].includes(seen.state)) {
      throw new Error(`a plain order ended ${seen.state}: ${seen.reason?.text}`);
    }
    told = world.next(seen);
  }
  const until = performance.timeOrigin + performance.now();
  await decided;
  return { at, until };
}

function isFilled(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'status' in result && result.status === 'filled';
}

function stepsOf(traffic: readonly Traffic[], at: number, until: number): Steps {
  const find = (request: string, way: Traffic['way'] = 'out', since = at): Traffic => {
    const found = traffic.find((one) => one.request === request && one.way === way && one.from >= since);
    if (found === undefined) throw new Error(`the gateway made no ${request}`);
    return found;
  };
  const called = find('POST /ciba/ping', 'in').from;
  // The one that was sent because of the call, and not one that asks whether a call was lost.
  const poll = find('POST /token', 'out', called);
  const reads = traffic.filter(
    ({ way, request, from }) => way === 'out' && /^GET \/v2\//.test(request) && from >= poll.until,
  );
  const order = find('POST /v2/orders');
  const before = reads.filter(({ from }) => from < order.from);
  const firstRead = Math.min(...before.map(({ from }) => from));
  const lastRead = Math.max(...before.map((read) => read.until));
  return {
    called: called - at,
    polled: poll.from - called,
    redeemed: poll.until - poll.from,
    intended: firstRead - poll.until,
    read: lastRead - firstRead,
    claimed: order.from - lastRead,
    filled: order.until - order.from,
    told: until - order.until,
  };
}

export async function atOnce<T, R>(items: Iterable<T>, work: (item: T) => Promise<R>, lanes = AT_ONCE): Promise<R[]> {
  const done: R[] = [];
  const queue = (function* each() {
    yield* items;
  })();
  const lane = async () => {
    for (const item of queue) done.push(await work(item));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return done;
}
