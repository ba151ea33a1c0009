import { describe, expect, it } from 'vitest';
import { deliver } from '../../../src/notify/deliver.ts';
import { type Notice, NoticeFailure } from '../../../src/notify/notice.ts';
import { manualClock } from '../cli/manual-clock.ts';

const notice = (id: string): Notice => ({
  id,
  type: 'finding',
  severity: 'warning',
  title: id,
  body: id,
  at: '2026-11-24T17:00:00.000Z',
  data: {},
});
const passing = (retryAfter?: number) => new NoticeFailure('refused', 'busy', { passing: true, retryAfter });
const signal = new AbortController().signal;

describe('a delivery', () => {
  it('waits longer from attempt to attempt, and ends after three', async () => {
    const clock = manualClock();
    let attempts = 0;
    const done = deliver(
      async () => {
        attempts++;
        throw passing();
      },
      [notice('a')],
      { clock, signal, attemptMs: 1000 },
    );
    await clock.slept(500);
    clock.advance(500);
    await clock.slept(2000);
    expect(attempts).toBe(2);
    clock.advance(2000);
    expect(await done).toMatchObject([{ attempts: 3, failure: { code: 'refused', message: 'busy' } }]);
  });

  it('waits as long as the server asks', async () => {
    const clock = manualClock();
    let attempts = 0;
    const done = deliver(
      async () => {
        if (attempts++ === 0) throw passing(7000);
      },
      [notice('a')],
      { clock, signal, attemptMs: 10_000 },
    );
    await clock.slept(7000);
    clock.advance(7000);
    expect(await done).toMatchObject([{ attempts: 2, failure: undefined }]);
  });

  it('ends an attempt in time although it does not heed its signal', async () => {
    const clock = manualClock();
    const done = deliver(() => new Promise(() => undefined), [notice('a')], {
      clock,
      signal,
      attemptMs: 1000,
    });
    for (const wait of [1000, 500, 1000, 2000, 1000]) {
      await clock.slept(wait);
      clock.advance(wait);
    }
    expect(await done).toMatchObject([{ attempts: 3, failure: { code: 'timeout' } }]);
  });

  it('ends at once when all of it is told to stop, and sends no more', async () => {
    const clock = manualClock();
    const all = new AbortController();
    const sent: string[] = [];
    const done = deliver(
      ({ id }) => {
        sent.push(id);
        return new Promise(() => undefined);
      },
      [notice('a'), notice('b')],
      { clock, signal: all.signal, attemptMs: 60_000 },
    );
    await clock.slept(60_000);
    all.abort(new Error('stop'));
    expect(await done).toMatchObject([
      { attempts: 1, failure: { code: 'interrupted' } },
      { attempts: 0, failure: { code: 'interrupted' } },
    ]);
    expect(sent).toEqual(['a']);
  });

  it('tries nothing more where the server is down, but goes on after one that was refused for what it is', async () => {
    const clock = manualClock();
    const refusing = await deliver(
      async ({ id }) => {
        if (id === 'a') throw new NoticeFailure('refused', 'HTTP 400');
      },
      [notice('a'), notice('b')],
      { clock, signal, attemptMs: 1000 },
    );
    expect(refusing.map(({ failure }) => failure?.code)).toEqual(['refused', undefined]);
    const wrongSecret = await deliver(
      async ({ id }) => {
        if (id === 'a') throw new NoticeFailure('not_authorized', 'HTTP 401');
      },
      [notice('a'), notice('b')],
      { clock, signal, attemptMs: 1000 },
    );
    expect(wrongSecret.map(({ failure, attempts }) => [failure?.code, attempts])).toEqual([
      ['not_authorized', 1],
      ['not_authorized', 0],
    ]);
  });

  it('tells of an error nobody foresaw by its name alone', async () => {
    const [delivery] = await deliver(
      async () => {
        throw new TypeError('password=hunter2');
      },
      [notice('a')],
      { clock: manualClock(), signal, attemptMs: 1000 },
    );
    expect(delivery?.failure?.message).toBe("it can't be sent (TypeError)");
  });
});
