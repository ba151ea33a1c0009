import { expect, it } from 'vitest';
import { manyProposals } from './many-proposals.ts';

/** `npm run test:chaos` asks for 1,000. */
const COUNT = Number(process.env.LOAD_PROPOSALS ?? 100);

it(`${COUNT} proposals open in one gateway, tapped in random order, all end with one order each`, async () => {
  const load = await manyProposals({ count: COUNT, taps: 1, warmUp: 0, idleMs: 0, settleAll: true });
  expect(load).toMatchObject({ orders: COUNT, distinctOrders: COUNT });
}, 1_200_000);
