import type { Proposal } from '../../src/trading/proposal.ts';
import { collect } from '../collected.ts';
import { atOnce, tapped } from './many-proposals.ts';
import { type LoadWorld, startLoadWorld } from './world.ts';

export interface RoundOptions {
  readonly rounds: number;
  /** Proposals a round: every other one is approved and filled, the rest withdrawn. */
  readonly proposals: number;
  /** Event streams a round, opened and left. */
  readonly streams: number;
  /** Long polls a round, cut off while they wait. */
  readonly polls: number;
}

/** The heap after each round, with garbage collected, in bytes: of the gateway, and of this process, which has all else. */
export async function heapByRound({ rounds, proposals, streams, polls }: RoundOptions) {
  const world = await startLoadWorld();
  try {
    const heap = { gateway: [] as number[], home: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      const first = round * proposals;
      await atOnce(
        Array.from({ length: proposals }, (_, index) => first + index),
        (number) => proposedAndEnded(world, number),
      );
      await atOnce(Array.from({ length: streams }), () => openedAndLeft(world));
      const standing = await fresh(world, `polled-${round}`, rounds * proposals + round);
      await atOnce(Array.from({ length: polls }), () => polledAndCut(world, standing));
      await world.withdraw(standing.id);
      heap.gateway.push((await world.gateway('collected')).heap);
      await collect();
      const { heapUsed, external } = process.memoryUsage();
      heap.home.push(heapUsed + external);
    }
    return heap;
  } finally {
    await world.close();
  }
}

const fresh = (world: LoadWorld, key: string, number: number) =>
  // From some two dollars on: brokers take no order for less than one.
  world.propose((0.01 + number / 10_000).toFixed(4), key);

async function proposedAndEnded(world: LoadWorld, number: number): Promise<void> {
  const proposal = await fresh(world, `level-${number}`, number);
  if (number % 2 === 0) await tapped(world, proposal);
  else await world.withdraw(proposal.id);
}

async function openedAndLeft(world: LoadWorld): Promise<void> {
  const left = new AbortController();
  const { ok, status, body } = await world.open('/v1/events', left.signal);
  if (!ok || body === null) throw new Error(`/v1/events: ${status}`);
  const reader = body.getReader();
  // The first sign of life: now it stands.
  await reader.read();
  left.abort();
  await reader.read().catch(() => undefined);
}

async function polledAndCut(world: LoadWorld, { id, updated_at }: Proposal): Promise<void> {
  const cut = new AbortController();
  const path = `/v1/proposals/${id}?wait=25&since=${encodeURIComponent(updated_at)}`;
  const waits = world.open(path, cut.signal).then(
    ({ status }) => {
      throw new Error(`a long poll was answered ${status} before it was cut`);
    },
    () => undefined,
  );
  // By then it waits in the gateway: what comes over the same connections was answered.
  await world.open(`/v1/proposals/${id}`, AbortSignal.timeout(10_000)).then((response) => response.text());
  cut.abort();
  await waits;
}
