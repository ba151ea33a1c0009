import { expect, it } from 'vitest';
import { createRateLimitedFetch } from '../../../src/gateway/request-rates.ts';
import { createMemoryRateBuckets } from '../../../src/store/memory-rate-buckets.ts';
import type { RateBuckets } from '../../../src/store/rate-buckets.ts';

/** A `fetch` through a bucket of ten, one more a second, and what was sent by when. */
function paced({ buckets: given, burst = 10 }: { buckets?: RateBuckets; burst?: number } = {}) {
  let now = 0;
  const sent: [string, number][] = [];
  const buckets = given ?? createMemoryRateBuckets(() => now);
  const send = createRateLimitedFetch(
    async (input) => {
      sent.push([String(input), now]);
      return new Response('sent');
    },
    {
      ...{ buckets, bucket: 'broker|a', rate: { perSecond: 1, burst } },
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        now += ms;
      },
    },
  );
  return { send, sent, wait: (ms: number) => (now += ms) };
}

const order = { method: 'POST' };

it('sends at once what there is room for, then as it comes, and tells what is too far off as busy', async () => {
  let now = 0;
  const sleeping: number[] = [];
  const send = createRateLimitedFetch(async () => new Response('sent'), {
    ...{ buckets: createMemoryRateBuckets(() => now), bucket: 'a', rate: { perSecond: 1, burst: 2 } },
    sleep: async (ms) => {
      sleeping.push(ms);
      now += ms;
    },
  });
  for (let n = 0; n < 4; n += 1) expect((await send('https://a.example', order)).status).toBe(200);
  expect(sleeping).toEqual([1000, 1000]);
});

it('answers as a busy server where the turn is too far off, and sends nothing', async () => {
  const buckets: RateBuckets = { take: async () => 2_001 };
  const { send, sent } = paced({ buckets });
  const answer = await send('https://a.example', order);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '3']);
  expect(sent).toEqual([]);
});

it('waits no longer in all than it may, however short each wait is', async () => {
  const { send, sent } = paced({ buckets: { take: async () => 600 } });
  expect((await send('https://a.example')).status).toBe(429);
  expect(sent).toEqual([]);
});

it('leaves a part of what there is for what acts', async () => {
  const { send, sent, wait } = paced();
  for (let n = 0; n < 8; n += 1) await send('https://a.example/read');
  await send('https://a.example/order', order);
  await send(new Request('https://a.example/cancel', { method: 'DELETE' }));
  expect(sent.map(([, at]) => at)).toEqual(Array.from({ length: 10 }, () => 0));
  // What acts took is not there for reads: three seconds until there is one, which is longer than one waits.
  expect((await send('https://a.example/read')).status).toBe(429);
  wait(1_000);
  expect((await send('https://a.example/read')).status).toBe(200);
  expect(sent.at(-1)).toEqual(['https://a.example/read', 3_000]);
});

it('lets each host have its own', async () => {
  const { send, sent } = paced({ burst: 1 });
  await send('https://a.example/x', order);
  await send(new URL('https://b.example/x'), order);
  expect(sent.map(([, at]) => at)).toEqual([0, 0]);
});

it('gives up where whoever asks does', async () => {
  const { send, sent } = paced({ burst: 1 });
  await send('https://a.example', order);
  const given = send('https://a.example', { ...order, signal: AbortSignal.abort(new Error('gone')) });
  await expect(given).rejects.toThrow('gone');
  expect(sent).toHaveLength(1);
});

it('holds nobody up where the buckets can’t be asked', async () => {
  const { send, sent } = paced({
    buckets: { take: () => Promise.reject(new Error('the database is away')) },
  });
  expect((await send('https://a.example', order)).status).toBe(200);
  expect(sent).toHaveLength(1);
});
