import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a pause longer than a timer can take is a long one, not none at all', async () => {
  let over = false;
  void systemClock.sleep(2 ** 40).then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(over).toBe(false);
});
