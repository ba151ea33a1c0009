import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RateBuckets } from '../../../src/store/rate-buckets.ts';

export interface OpenedBuckets {
  readonly buckets: RateBuckets;
  /** The same, as another process has them. */
  another(): RateBuckets;
  close(): Promise<void>;
}

/** What all buckets promise. */
export function rateBucketsContract(open: () => Promise<OpenedBuckets>): void {
  let opened: OpenedBuckets;
  let buckets: RateBuckets;
  beforeEach(async () => {
    opened = await open();
    buckets = opened.buckets;
  });
  afterEach(() => opened.close());
  const slow = { perSecond: 0.01, burst: 5 };

  describe('buckets', () => {
    it('give as much at once as they hold, and then none; each by itself', async () => {
      for (let n = 0; n < 5; n += 1) expect(await buckets.take('a', slow, 1)).toBe(0);
      expect(await buckets.take('a', slow, 1)).toBeGreaterThan(90_000);
      expect(await buckets.take('b', slow, 5)).toBe(0);
      expect(await buckets.take('b', slow, 1)).toBeGreaterThan(90_000);
    });

    it('give several, all or none', async () => {
      expect(await buckets.take('a', slow, 3)).toBe(0);
      const wait = await buckets.take('a', slow, 3);
      // One is missing, at a hundred seconds each.
      expect(wait).toBeGreaterThan(90_000);
      expect(wait).toBeLessThanOrEqual(100_000);
      expect(await buckets.take('a', slow, 2)).toBe(0);
    });

    it('say when it is worth another try', async () => {
      const rate = { perSecond: 10, burst: 2 };
      expect(await buckets.take('a', rate, 2)).toBe(0);
      const wait = await buckets.take('a', rate, 1);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(100);
      await sleep(wait + 1);
      expect(await buckets.take('a', rate, 1)).toBe(0);
    });

    it('hold no more than their burst, however long nobody takes any', async () => {
      const rate = { perSecond: 1_000, burst: 2 };
      expect(await buckets.take('a', rate, 2)).toBe(0);
      await sleep(20);
      // Slower from here on, so that what is found there is what was saved up.
      expect(await buckets.take('a', { perSecond: 0.01, burst: 2 }, 2)).toBe(0);
      expect(await buckets.take('a', { perSecond: 0.01, burst: 2 }, 1)).toBeGreaterThan(90_000);
    });

    it('never give more than burst and rate allow, to all processes together', async () => {
      const rate = { perSecond: 200, burst: 20 };
      const both = [buckets, opened.another()];
      const begun = performance.now();
      let taken = 0;
      await Promise.all(
        Array.from({ length: 16 }, async (_, n) => {
          // Until all have what they want, however busy the machine is.
          while (taken < 120) {
            const tokens = (n % 3) + 1;
            const wait = await both[n % 2]?.take('a', rate, tokens);
            if (wait === 0) taken += tokens;
            else await sleep(1);
          }
        }),
      );
      const seconds = (performance.now() - begun) / 1_000;
      expect(taken).toBeLessThanOrEqual(rate.burst + rate.perSecond * seconds);
    });

    it.each([
      ['none', 0, slow],
      ['fewer than none', -1, slow],
      ['more than there is room for', 6, slow],
      ['from one that is never filled', 1, { perSecond: 0, burst: 5 }],
      ['no number', Number.NaN, slow],
    ])('refuse to give %s', async (_, tokens, rate) => {
      await expect(buckets.take('a', rate, tokens)).rejects.toThrow(RangeError);
    });
  });
}
