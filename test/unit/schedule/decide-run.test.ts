import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideRun,
  MAX_MISSED_RUNS,
  MAX_RUN_ATTEMPTS,
  type ScheduleProgress,
} from '../../../src/schedule/decide-run.ts';
import type { RunTimes } from '../../../src/schedule/run-times.ts';

const MINUTE = 60_000;
const at = (...all: number[]): RunTimes => ({
  upTo: (now, most) =>
    all
      .filter((runTime) => runTime <= now)
      .slice(-most)
      .reverse(),
  after: (now, count) => all.filter((runTime) => runTime > now).slice(0, count),
});
const fresh = (handled: number): ScheduleProgress => ({ handled, pending: null });

describe('whether a run is due', () => {
  const runTimes = at(10 * MINUTE, 20 * MINUTE, 30 * MINUTE);

  it('is not before its run time, and knows the next', () => {
    expect(decideRun(runTimes, fresh(0), 10 * MINUTE - 1)).toEqual({
      run: false,
      next: 10 * MINUTE,
      handled: 0,
    });
  });

  it('is at its run time, and not again', () => {
    expect(decideRun(runTimes, fresh(0), 10 * MINUTE)).toEqual({
      ...{ run: true, due: 10 * MINUTE, missed: 0, attempt: 1, handled: 0 },
    });
    expect(decideRun(runTimes, fresh(10 * MINUTE), 10 * MINUTE).run).toBe(false);
  });

  it('catches up many missed run times by one run, for the latest of them', () => {
    expect(decideRun(runTimes, fresh(0), 35 * MINUTE)).toMatchObject({
      run: true,
      due: 30 * MINUTE,
      missed: 2,
    });
  });

  it('has nothing to catch up from before it was made', () => {
    expect(decideRun(runTimes, fresh(25 * MINUTE), 35 * MINUTE)).toMatchObject({
      due: 30 * MINUTE,
      missed: 0,
    });
  });

  it('counts a year of missed minutes as many', () => {
    const all = at(...Array.from({ length: 5000 }, (_, index) => index * MINUTE));
    expect(decideRun(all, fresh(0), 4999 * MINUTE)).toMatchObject({ run: true, missed: MAX_MISSED_RUNS });
  });

  it('tries a run time again that was not brought to an end, until it gives it up', () => {
    const tried = (attempts: number) =>
      decideRun(runTimes, { handled: 0, pending: { due: 10 * MINUTE, attempts } }, 12 * MINUTE);
    expect(tried(1)).toMatchObject({ run: true, due: 10 * MINUTE, attempt: 2 });
    expect(tried(MAX_RUN_ATTEMPTS - 1)).toMatchObject({ run: true, attempt: MAX_RUN_ATTEMPTS });
    expect(tried(MAX_RUN_ATTEMPTS)).toEqual({ run: false, next: 20 * MINUTE, handled: 10 * MINUTE });
  });

  it('begins again with a new run time, whatever became of the one before', () => {
    const stuck = { handled: 0, pending: { due: 10 * MINUTE, attempts: MAX_RUN_ATTEMPTS } };
    expect(decideRun(runTimes, stuck, 20 * MINUTE)).toMatchObject({ run: true, due: 20 * MINUTE, attempt: 1 });
  });

  it('goes on after a clock that was years ahead is put right', () => {
    const ahead = fresh(1_000_000 * MINUTE);
    const first = decideRun(runTimes, ahead, 15 * MINUTE);
    expect(first).toEqual({ run: false, next: 20 * MINUTE, handled: 15 * MINUTE });
    expect(decideRun(runTimes, fresh(first.handled), 20 * MINUTE)).toMatchObject({
      run: true,
      due: 20 * MINUTE,
    });
  });

  it('does not run twice because a time server turned the clock back by a run time', () => {
    expect(decideRun(runTimes, fresh(10 * MINUTE), 10 * MINUTE - 30_000)).toMatchObject({
      ...{ run: false, handled: 10 * MINUTE },
    });
  });

  it('runs each run time once at most, and none is forgotten, however the machine sleeps', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { maxLength: 40 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 6000 }), { maxLength: 60 }),
        (runTimes, wakes) => {
          const times = runTimes.map((minute) => minute * MINUTE).sort((a, b) => a - b);
          const schedule = at(...times);
          let progress = fresh(0);
          let accounted = 0;
          const ran: number[] = [];
          for (const wake of wakes.map((minute) => minute * MINUTE).sort((a, b) => a - b)) {
            const decision = decideRun(schedule, progress, wake);
            const passed = times.filter((time) => time <= wake);
            if (decision.run) {
              ran.push(decision.due);
              accounted += 1 + decision.missed;
              expect(decision.due).toBe(passed.at(-1));
              progress = fresh(decision.due);
            }
            expect(accounted).toBe(passed.length);
          }
          expect(new Set(ran).size).toBe(ran.length);
        },
      ),
    );
  });
});
