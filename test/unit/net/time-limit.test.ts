import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimeLimit } from '../../../src/net/time-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a limit in time', () => {
  it('aborts when its time is over, as a time-out', () => {
    const { signal } = startTimeLimit(1_000, undefined);
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('aborts with the first of the others, for its reason', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { signal } = startTimeLimit(1_000, first.signal, second.signal);
    expect(signal.aborted).toBe(false);
    second.abort('left');
    expect(signal.reason).toBe('left');
    first.abort('closed');
    expect(signal.reason).toBe('left');
  });

  it('that has ended aborts no more, and holds nothing open', () => {
    const { signal, end } = startTimeLimit(1_000);
    expect(vi.getTimerCount()).toBe(1);
    end();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5_000);
    expect(signal.aborted).toBe(false);
  });
});
