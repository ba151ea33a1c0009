import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { preloadVerification } from '../../../../src/approval/signature/preload-verification.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('loads it once, not before the start is done, and minds no failure', async () => {
  const load = vi.fn(async () => {
    throw new Error('it is not there');
  });
  preloadVerification(load);
  await vi.advanceTimersByTimeAsync(500);
  expect(load).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(load).toHaveBeenCalledTimes(1);
});

it('loads nothing where it was stopped before', async () => {
  const load = vi.fn(async () => undefined);
  preloadVerification(load)();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(load).not.toHaveBeenCalled();
});
