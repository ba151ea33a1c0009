import { expect, it } from 'vitest';
import { growthOf } from '../growth.ts';
import { heapByRound } from './level-memory.ts';

/** `npm run test:memory` plays 20 rounds: 2,000 proposals, 500 streams, 500 long polls. */
const ROUNDS = Number(process.env.LOAD_ROUNDS ?? 4);
const LONG = ROUNDS >= 12;
const EACH = LONG ? { proposals: 100, streams: 25, polls: 25 } : { proposals: 4, streams: 4, polls: 4 };
/** In few rounds it is what is compiled and cached that shows, and nothing but a gross leak is seen. */
const MOST_KB = LONG ? 1 : 128;

it(`a gateway, and the home around it, keep nothing of proposals that are over, streams that were left and polls that were cut`, async () => {
  const heap = await heapByRound({ rounds: ROUNDS, ...EACH });
  const each = EACH.proposals + EACH.streams + EACH.polls;
  // From the middle of one half to the middle of the other; the first quarter is left out of both.
  const apart = each * ROUNDS * (3 / 8);
  const kbEach = (looks: readonly number[]) => growthOf(looks) / 1024 / apart;
  const mib = (looks: readonly number[]) => looks.map((bytes) => Number((bytes / 2 ** 20).toFixed(1)));
  console.log(JSON.stringify({ gateway: mib(heap.gateway), home: mib(heap.home) }));
  expect(kbEach(heap.gateway)).toBeLessThan(MOST_KB);
  expect(kbEach(heap.home)).toBeLessThan(MOST_KB);
}, 1_800_000);
