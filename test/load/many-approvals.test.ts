import { expect, it } from 'vitest';
import { manyApprovals } from './many-approvals.ts';

/** `npm run test:chaos` asks for 1,000. */
const COUNT = Number(process.env.LOAD_APPROVALS ?? 100);

/** The same order of taps at each run (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

it(`${COUNT} approvals pending in one process, tapped in random order, all settle with one order each`, async () => {
  const load = await manyApprovals(COUNT, drawing(7));
  expect(load).toMatchObject({ done: COUNT, orders: COUNT, distinctOrders: COUNT });
}, 1_200_000);
