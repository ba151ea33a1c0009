import { describe, expect, it } from 'vitest';
import { createRateLimit } from '../../../src/home/identity-provider/protocol/request-limits.ts';

function limited(options: { burst?: number; intervalMs?: number; mostKeys?: number } = {}) {
  const time = { now: 1_000_000 };
  const limit = createRateLimit({ burst: 3, intervalMs: 10_000, clock: { now: () => time.now }, ...options });
  return { time, limit };
}

describe('a rate limit', () => {
  it('lets so many through at once, then one by one as time passes', () => {
    const { time, limit } = limited();
    expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([undefined, undefined, undefined, 10]);
    time.now += 9_500;
    expect(limit.take('a')).toBe(1);
    time.now += 500;
    expect(limit.take('a')).toBeUndefined();
    expect(limit.take('a')).toBe(10);
    time.now += 30_000;
    expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([undefined, undefined, undefined, 10]);
  });

  it('counts each key by itself, and looking uses nothing up', () => {
    const { limit } = limited();
    for (let i = 0; i < 10; i++) expect(limit.wait('a')).toBeUndefined();
    for (let i = 0; i < 3; i++) limit.take('a');
    expect(limit.wait('a')).toBe(10);
    expect(limit.take('b')).toBeUndefined();
  });

  it('is not put off by what is tried while it waits', () => {
    const { time, limit } = limited();
    for (let i = 0; i < 100; i++) limit.take('a');
    time.now += 10_000;
    expect(limit.take('a')).toBeUndefined();
  });

  it('locks nobody out when the clock is set back', () => {
    const { time, limit } = limited();
    time.now += 7 * 24 * 3_600_000;
    for (let i = 0; i < 4; i++) limit.take('a');
    time.now -= 7 * 24 * 3_600_000;
    expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([undefined, undefined, undefined, 10]);
  });

  it('forgets the key used longest ago in a flood of made-up ones, and remembers who is trying now', () => {
    const { limit } = limited({ mostKeys: 100 });
    for (let i = 0; i < 3; i++) limit.take('stranger');
    for (let i = 0; i < 99; i++) limit.take(`made up ${i}`);
    expect(limit.wait('stranger')).toBe(10);
    limit.take('one more');
    expect(limit.wait('stranger')).toBeUndefined();
    expect(limit.wait('made up 98')).toBeUndefined();
  });

  it('holds a bounded amount of memory however long the keys and however many', () => {
    const { limit } = limited({ mostKeys: 1_000 });
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200_000; i++) limit.take(`${i} ${'x'.repeat(1_000)}`);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
  });
});
