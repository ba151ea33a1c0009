import { describe, expect, it } from 'vitest';
import { createAbsenceTracker, REQUIRED_ABSENCE_MS } from '../../../../src/gateway/orders/absence.ts';

const START = Date.parse('2026-11-24T15:00:00Z');
/** What identifies the order's last submission. */
const SUBMISSION = '1 1000';

/** A measurement, and the two clocks that it goes by. */
function measuring() {
  let monotonic = 5_000;
  let wall = START;
  const absence = createAbsenceTracker({ now: () => wall, monotonic: () => monotonic });
  const missed = (of = SUBMISSION, order = 'order') => absence.missed(order, of);
  /** Lets time pass while the machine is awake. */
  const pass = (ms: number) => {
    monotonic += ms;
    wall += ms;
  };
  return {
    missed,
    pass,
    forget: (order = 'order') => absence.forget(order),
    /** Sets the wall clock, or lets the machine sleep. */
    jump: (ms: number) => {
      wall += ms;
    },
    /** Misses an order now, and every 60 s until `ms` have passed. @returns what each miss came to */
    missFor(ms: number, of = SUBMISSION, order = 'order'): boolean[] {
      const came = [missed(of, order)];
      for (let left = ms; left > 0; left -= 60_000) {
        pass(Math.min(left, 60_000));
        came.push(missed(of, order));
      }
      return came;
    },
  };
}

type Measuring = ReturnType<typeof measuring>;

/** That the next miss is the first of another measurement: it takes five minutes from there on, and no less. */
function expectAnew({ missFor, missed, pass }: Measuring, of = SUBMISSION): void {
  expect(missFor(REQUIRED_ABSENCE_MS - 1, of)).not.toContain(true);
  pass(1);
  expect(missed(of)).toBe(true);
}

describe('an order is absent', () => {
  it('after five minutes of misses, and from then on', () => {
    const { missFor, missed, pass } = measuring();
    expect(missFor(REQUIRED_ABSENCE_MS)).toEqual([...Array(5).fill(false), true]);
    pass(30_000);
    expect(missed()).toBe(true);
  });

  it('not after 4:59', () => {
    const { missFor, missed, pass } = measuring();
    expect(missFor(299_000)).not.toContain(true);
    pass(999);
    expect(missed()).toBe(false);
    pass(1);
    expect(missed()).toBe(true);
  });

  it('not by one miss, however late it is', () => {
    const { missed, pass } = measuring();
    pass(24 * 60 * 60_000);
    expect(missed()).toBe(false);
  });

  it('where its misses are 90 s apart', () => {
    const { missed, pass } = measuring();
    const came = [missed()];
    for (let n = 0; n < 4; n++) {
      pass(90_000);
      came.push(missed());
    }
    expect(came).toEqual([false, false, false, false, true]);
  });

  it.each([2_000, -2_000])('where the clocks drift apart by no more than two seconds (%i ms)', (drift) => {
    const { missFor, missed, pass, jump } = measuring();
    missFor(240_000);
    jump(drift);
    pass(60_000);
    expect(missed()).toBe(true);
  });

  it('by misses of its own alone', () => {
    const { missFor, missed, forget } = measuring();
    missFor(299_000, SUBMISSION, 'another');
    expect(missed()).toBe(false);
    forget('another');
    expect(missFor(REQUIRED_ABSENCE_MS).at(-1)).toBe(true);
    expect(missed(SUBMISSION, 'another')).toBe(false);
  });
});

describe('the measurement starts again', () => {
  /** A second before the order is absent. */
  const nearlyAbsent = (): Measuring => {
    const world = measuring();
    world.missFor(299_000);
    return world;
  };

  it('after two misses that are more than 90 s apart', () => {
    const world = nearlyAbsent();
    world.pass(90_001);
    expectAnew(world);
  });

  it.each([
    ['ahead by more than two seconds', 2_001],
    ['ahead by an hour, as it does while the machine sleeps', 3_600_000],
    ['back by more than two seconds', -2_001],
    ['back by an hour', -3_600_000],
  ])('when the wall clock jumps %s', (_, ms) => {
    const world = nearlyAbsent();
    world.jump(ms);
    world.pass(30_000);
    expectAnew(world);
  });

  it('when the wall clock has drifted by more than two seconds in small steps', () => {
    const { missed, pass, jump } = measuring();
    const came = [missed()];
    for (let n = 0; n < 10; n++) {
      pass(60_000);
      jump(700);
      came.push(missed());
    }
    expect(came).not.toContain(true);
  });

  it('when the order was submitted again', () => {
    const world = nearlyAbsent();
    world.pass(30_000);
    expectAnew(world, '2 2000');
  });

  it('when the broker did not answer, or has the order', () => {
    const world = nearlyAbsent();
    world.forget();
    world.pass(30_000);
    expectAnew(world);
  });

  it('for the order that was missed longest ago, when more than ten thousand are measured', () => {
    const { missed, pass } = measuring();
    missed(SUBMISSION, 'kept');
    missed(SUBMISSION, 'dropped');
    pass(60_000);
    // Missed again, the one that was measured first is no longer the one that was missed longest ago.
    missed(SUBMISSION, 'dropped');
    missed(SUBMISSION, 'kept');
    for (let n = 0; n < 9_999; n++) missed(SUBMISSION, `order ${n}`);
    const came: boolean[][] = [];
    for (let n = 0; n < 4; n++) {
      pass(60_000);
      came.push([missed(SUBMISSION, 'kept'), missed(SUBMISSION, 'dropped')]);
    }
    expect(came.at(-1)).toEqual([true, false]);
  });
});
