import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryRateBuckets } from '../../../src/store/memory-rate-buckets.ts';
import { rateBucketsContract } from '../../contract/stores/rate-buckets.ts';

rateBucketsContract(async () => {
  const buckets = createMemoryRateBuckets();
  return { buckets, another: () => buckets, close: async () => undefined };
});

const rate = fc.record({
  perSecond: fc.double({ min: 0.1, max: 1_000, noNaN: true }),
  burst: fc.integer({ min: 1, max: 50 }),
});
/** Attempts: so long after the last one, milliseconds, and how much of what the bucket holds. */
const attempts = fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 50 })), {
  minLength: 1,
  maxLength: 100,
});

it('never gives more in any stretch of time than burst and rate allow', async () => {
  await fc.assert(
    fc.asyncProperty(rate, attempts, async (rate, attempts) => {
      let at = 0;
      const buckets = createMemoryRateBuckets(() => at);
      const taken: { at: number; tokens: number }[] = [];
      for (const [later, wanted] of attempts) {
        at += later;
        const tokens = Math.min(wanted, rate.burst);
        if ((await buckets.take('a', rate, tokens)) === 0) taken.push({ at, tokens });
      }
      for (const [from, first] of taken.entries()) {
        let sum = 0;
        for (const { at, tokens } of taken.slice(from)) {
          sum += tokens;
          const most = rate.burst + (rate.perSecond * (at - first.at)) / 1_000;
          expect(sum).toBeLessThanOrEqual(most + 1e-6);
        }
      }
    }),
  );
});

it('gives what was refused once the wait it told is over', async () => {
  await fc.assert(
    fc.asyncProperty(rate, attempts, async (rate, attempts) => {
      let at = 0;
      const buckets = createMemoryRateBuckets(() => at);
      for (const [later, wanted] of attempts) {
        at += later;
        const tokens = Math.min(wanted, rate.burst);
        const wait = await buckets.take('a', rate, tokens);
        at += wait;
        if (wait > 0) expect(await buckets.take('a', rate, tokens)).toBe(0);
      }
    }),
  );
});

it('remembers what was taken however many other buckets there are, and how full they are again', async () => {
  let at = 0;
  const buckets = createMemoryRateBuckets(() => at);
  const rate = { perSecond: 1, burst: 60 };
  expect(await buckets.take('a', rate, 60)).toBe(0);
  for (let n = 0; n < 5_000; n += 1) {
    at += 10;
    expect(await buckets.take(`other-${n}`, rate, 1)).toBe(0);
  }
  // Fifty seconds have passed.
  expect(await buckets.take('a', rate, 50)).toBe(0);
  expect(await buckets.take('a', rate, 1)).toBeGreaterThan(0);
});
