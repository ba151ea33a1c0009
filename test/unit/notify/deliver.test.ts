import { describe, expect, it } from 'vitest';
import { deliverNotices } from '../../../src/notify/deliver.ts';
import { type Notice, NoticeFailedError, type NoticeFailureCode, type SendNotice } from '../../../src/notify/notice.ts';
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
const passing = (retryAfter?: number) => new NoticeFailedError('refused', 'busy', { passing: true, retryAfter });
const signal = new AbortController().signal;

/** Delivers the notices `a`, `b`, … one by one. */
function delivering(send: SendNotice, ids: string[], attemptMs = 1000, until = signal) {
  const clock = manualClock();
  return { clock, done: deliverNotices(send, ids.map(notice), { clock, signal: until, attemptMs }) };
}

describe('a delivery', () => {
  it('waits longer from attempt to attempt, and ends after three', async () => {
    let attempts = 0;
    const failing = async () => {
      attempts++;
      throw passing();
    };
    const { clock, done } = delivering(failing, ['a']);
    await clock.slept(500);
    clock.advance(500);
    await clock.slept(2000);
    expect(attempts).toBe(2);
    clock.advance(2000);
    expect(await done).toMatchObject([{ attempts: 3, failure: { code: 'refused', message: 'busy' } }]);
  });

  it('waits as long as the server asks', async () => {
    let attempts = 0;
    const busyOnce = async () => {
      if (attempts++ === 0) throw passing(7000);
    };
    const { clock, done } = delivering(busyOnce, ['a'], 10_000);
    await clock.slept(7000);
    clock.advance(7000);
    expect(await done).toMatchObject([{ attempts: 2, failure: undefined }]);
  });

  it('ends an attempt in time although it does not heed its signal', async () => {
    const { clock, done } = delivering(() => new Promise(() => undefined), ['a']);
    for (const wait of [1000, 500, 1000, 2000, 1000]) {
      await clock.slept(wait);
      clock.advance(wait);
    }
    expect(await done).toMatchObject([{ attempts: 3, failure: { code: 'timeout' } }]);
  });

  it('ends at once when all of it is told to stop, and sends no more', async () => {
    const all = new AbortController();
    const sent: string[] = [];
    const hanging: SendNotice = ({ id }) => {
      sent.push(id);
      return new Promise(() => undefined);
    };
    const { clock, done } = delivering(hanging, ['a', 'b'], 60_000, all.signal);
    await clock.slept(60_000);
    all.abort(new Error('stop'));
    expect(await done).toMatchObject([
      { attempts: 1, failure: { code: 'interrupted' } },
      { attempts: 0, failure: { code: 'interrupted' } },
    ]);
    expect(sent).toEqual(['a']);
  });

  it('tries nothing more where the server is down, but goes on after one that was refused for what it is', async () => {
    const failing =
      (code: NoticeFailureCode): SendNotice =>
      async ({ id }) => {
        if (id === 'a') throw new NoticeFailedError(code, 'HTTP 4xx');
      };
    const refusing = await delivering(failing('refused'), ['a', 'b']).done;
    expect(refusing.map(({ failure }) => failure?.code)).toEqual(['refused', undefined]);
    const wrongSecret = await delivering(failing('not_authorized'), ['a', 'b']).done;
    expect(wrongSecret.map(({ failure, attempts }) => [failure?.code, attempts])).toEqual([
      ['not_authorized', 1],
      ['not_authorized', 0],
    ]);
  });

  it('tells of an error nobody foresaw by its name alone', async () => {
    const odd = async () => {
      throw new TypeError('password=hunter2');
    };
    const [delivery] = await delivering(odd, ['a']).done;
    expect(delivery?.failure?.message).toBe("it can't be sent (TypeError)");
  });
});
