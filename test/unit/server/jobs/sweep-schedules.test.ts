import { beforeEach, describe, expect, it } from 'vitest';
import { createScheduleSweep } from '../../../../src/server/jobs/sweep-schedules.ts';
import { nextReviewTime } from '../../../../src/server/server-deps.ts';
import type { DueSchedule, WakePlan } from '../../../../src/store/schedule-rows.ts';

const MINUTE = 60_000;
const now = Date.parse('2026-11-25T15:00:00Z');
const days = [{ date: '2026-11-25', open: '09:30', close: '16:00' }];
const never = new AbortController().signal;

let rows: DueSchedule[];
let queued: number;
let time: number;
let isMine: boolean;
let planned: WakePlan[];
let taken: number[];
beforeEach(() => {
  [rows, queued, time, isMine, planned, taken] = [[], 0, now, true, [], []];
});

const sweeping = () =>
  createScheduleSweep({
    schedules: {
      waiting: async () => ({ due: rows.length, queued }),
      sweep: async (_, most, plan) => {
        const woken = rows.splice(0, most);
        planned.push(...plan(woken));
        return woken.length;
      },
    },
    leases: { hold: async () => isMine },
    ...{ days: async () => days, now: () => time, intervalMs: 1000 },
  });
const row = (timing: object, handled = now - 90_000): DueSchedule => ({
  ...{ person: 'alice', schedule: 's', timing, handled, pending: null },
});
const each = { cron: '* * * * *' };
/** Turns until nothing is due. */
async function through(most: number): Promise<void> {
  const turn = sweeping();
  for (let turns = 0; turns < most && rows.length > 0; turns++) {
    taken.push(await turn(never));
    time += 1000;
  }
}

describe('a sweep', () => {
  it('takes few at once', async () => {
    rows = Array.from({ length: 20 }, () => row(each));
    await through(9);
    expect(taken).toEqual([20]);
  });

  it('spreads ten thousand evenly over the minute', async () => {
    rows = Array.from({ length: 10_000 }, () => row({ at: 'open' }, now));
    await through(99);
    expect(taken).toHaveLength(60);
    expect([Math.min(...taken), Math.max(...taken)]).toEqual([166, 167]);
  });

  it('enqueues no more than workers get done', async () => {
    rows = Array.from({ length: 10_000 }, () => row({ at: 'open' }, now));
    queued = 450;
    const turn = sweeping();
    expect(await turn(never)).toBe(50);
    queued = 500;
    expect(await turn(never)).toBe(0);
  });

  it('leaves it to whoever sweeps', async () => {
    rows = [row(each)];
    isMine = false;
    expect(await sweeping()(never)).toBe(0);
    isMine = true;
    expect(await sweeping()(never)).toBe(1);
  });

  it.each([
    ['a moment that came', row(each), { isDue: true, wakeAt: now + MINUTE }],
    ['one that was handled', row(each, now), { isDue: false, wakeAt: now + MINUTE }],
    ['an edge of the day that came', row({ at: 'open+10m' }, now - 6 * 60 * MINUTE), { isDue: true }],
    ['one that comes', row({ at: 'close-30m' }), { isDue: false, wakeAt: Date.parse('2026-11-25T20:30:00Z') }],
  ])('finds %s', async (_, schedule, expected) => {
    rows = [schedule];
    await through(1);
    expect(planned).toMatchObject([expected]);
  });
});

it('a schedule that goes by the market’s days is looked at twice a day, and soon where none are known', () => {
  expect(nextReviewTime({ at: 'open' }, now + 99 * 60 * MINUTE, now)).toBe(now + 12 * 60 * MINUTE);
  expect(nextReviewTime({ at: 'open' }, undefined, now)).toBe(now + 5 * MINUTE);
  expect(nextReviewTime(each, undefined, now)).toBeNull();
});
