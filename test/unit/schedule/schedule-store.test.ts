import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/schedule/run-record.ts';
import type { Schedule } from '../../../src/schedule/schedule.ts';
import { openScheduleStore, type ScheduleStore } from '../../../src/schedule/schedule-store.ts';

const schedule: Schedule = {
  id: 's1',
  name: 'morning',
  profile: 'sandbox',
  timing: { at: 'open+5m' },
  when_open: true,
  check: { rules: '/r.yaml', approval: 'detach' },
  timeout: 600_000,
  with: 'cron',
  entry: [{ file: null, text: 'x\n' }],
  created_at: '2026-11-25T10:00:00.000Z',
};
const run = (number: number): RunRecord => ({
  schedule: 's1',
  due: null,
  started_at: new Date(number).toISOString(),
  ended_at: null,
  status: 'clear',
  exit_code: 0,
  missed: 0,
  attempt: 1,
  found: 0,
  findings: [],
  approvals: [],
  unsent: 0,
});

let folder: string;
let store: ScheduleStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-schedules-'));
  store = openScheduleStore(join(folder, 'schedules'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the schedules', () => {
  it('are found by id and by name, in the order they were made', () => {
    store.put({ ...schedule, id: 's2', name: null, created_at: '2026-11-25T09:00:00.000Z' });
    store.put(schedule);
    expect(store.list().map(({ id }) => id)).toEqual(['s2', 's1']);
    expect(store.find('s1')).toEqual(schedule);
    expect(store.find('morning')).toEqual(schedule);
  });

  it.each([['s3'], ['../secret'], [''], ['S1']])('do not have %j', (id) => {
    store.put(schedule);
    writeFileSync(join(folder, 'secret.json'), JSON.stringify({ ...schedule, id: 'secret', name: 'S1' }));
    expect(() => store.find(id)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('begin when they were made, with no runs', () => {
    expect(store.journal(schedule)).toEqual({
      handled: Date.parse(schedule.created_at),
      pending: null,
      runs: [],
    });
  });

  it('keep their last runs, a bounded number, for their owner’s eyes', () => {
    const runs = Array.from({ length: 300 }, (_, number) => run(number));
    store.write('s1', { handled: 5, pending: { due: 6, attempts: 1 }, runs });
    const kept = store.journal(schedule);
    expect(kept).toMatchObject({ handled: 5, pending: { due: 6, attempts: 1 } });
    expect(kept.runs).toEqual(runs.slice(-128));
    for (const name of readdirSync(store.folder)) {
      expect(statSync(join(store.folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('are gone whole when removed, and no other is', () => {
    store.put(schedule);
    store.put({ ...schedule, id: 's2', name: null });
    store.write('s1', { handled: 5, pending: null, runs: [] });
    store.remove('s1');
    expect(readdirSync(store.folder)).toEqual(['s2.json']);
  });

  it('that somebody damaged are said to be, not taken for none', () => {
    store.put(schedule);
    writeFileSync(join(store.folder, 's1.runs.json'), '{"handled": 5');
    expect(() => store.journal(schedule)).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
    writeFileSync(join(store.folder, 's1.json'), '{}');
    expect(() => store.list()).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
  });

  it('run one at a time', async () => {
    const never = new AbortController().signal;
    await store.alone('s1', never, async () => {
      await expect(store.alone('s1', never, async () => 1)).rejects.toMatchObject({ code: 'busy' });
      await expect(store.alone('s2', never, async () => 2)).resolves.toBe(2);
    });
  });
});
