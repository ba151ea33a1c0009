import { expect, it } from 'vitest';
import { measureGrowth } from './history-growth.ts';

it('a thread of 250 steps of 4 KiB takes at most six times their bytes, and resumes in under twice the time of one of 10', async () => {
  const [short, long] = await measureGrowth([10, 250], 3);
  if (short === undefined || long === undefined) throw new Error('nothing measured');
  expect(long.peakBytes / long.rawBytes).toBeLessThan(6);
  expect(long.restBytes / long.rawBytes).toBeLessThan(2);
  expect(long.resumeMs / short.resumeMs).toBeLessThan(2);
}, 120_000);
