import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createCalendarFileStore,
  loadCurrentCalendar,
  readCachedCalendar,
} from '../../../src/schedule/calendar-cache.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const days = [{ date: '2026-11-27', open: '09:30', close: '13:00' }];
const now = Date.parse('2026-11-25T15:00:00Z');

let folder: string;
let asked: { start: string; end: string }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-calendar-'));
  asked = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (time: number, answer: () => Promise<typeof days> = async () => days) =>
  loadCurrentCalendar({
    store: createCalendarFileStore(folder, 'work'),
    now: time,
    ask: (range) => {
      asked.push(range);
      return answer();
    },
  });
const offline = async () => {
  throw new Error('offline');
};

describe('the broker’s calendar', () => {
  it('is asked for from a month ago to nearly a year ahead, and kept for its owner alone', async () => {
    expect((await at(now)).days).toEqual(days);
    expect(asked).toEqual([{ start: '2026-10-25', end: '2027-11-20' }]);
    expect(readCachedCalendar(folder, 'work')?.days).toEqual(days);
    expect(statSync(join(folder, 'calendar-work.json')).mode & 0o777).toBe(0o600);
    expect(readCachedCalendar(folder, 'other')).toBeUndefined();
  });

  it('is asked for once a day', async () => {
    await at(now);
    await at(now + 19 * HOUR);
    expect(asked).toHaveLength(1);
    await at(now + 21 * HOUR);
    expect(asked).toHaveLength(2);
  });

  it('serves offline as long as it reaches to today, and no longer', async () => {
    await at(now);
    expect((await at(now + 300 * DAY, offline)).days).toEqual(days);
    await expect(at(now + 400 * DAY, offline)).rejects.toThrow('offline');
  });

  it('that was kept while the clock was ahead is asked for again', async () => {
    await at(now + 3 * DAY);
    await at(now);
    expect(asked).toHaveLength(2);
  });

  it('that can’t be read is asked for again', async () => {
    writeFileSync(join(folder, 'calendar-work.json'), '{"days": [');
    expect((await at(now)).days).toEqual(days);
  });
});
