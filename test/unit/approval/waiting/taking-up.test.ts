import { expect, it } from 'vitest';
import { createTakingUp } from '../../../../src/approval/waiting/taking-up.ts';
import { VirtualClock } from '../../../virtual-clock.ts';

function takingUp() {
  const clock = new VirtualClock();
  const begun: { id: string; at: number }[] = [];
  const from = clock.now();
  const taken = createTakingUp(clock, (id) => begun.push({ id, at: clock.now() - from }));
  return { clock, begun, taken, ids: () => begun.map(({ id }) => id) };
}

it('begins what was taken over one after the other, in the order of taking', async () => {
  const { clock, begun, taken, ids } = takingUp();
  taken.add(['in-hand', 'a', 'b']);
  taken.add(['c', 'a']);
  await clock.run(clock.sleep(100));
  expect(ids()).toEqual(['in-hand', 'a', 'b', 'c']);
  const times = begun.map(({ at }) => at);
  expect(new Set(times).size).toBe(times.length);
  // Later ones too.
  taken.add(['d']);
  await clock.run(clock.sleep(10));
  expect(ids()).toContain('d');
});

it('begins one that there is news of at once, and once', async () => {
  const { clock, taken, ids } = takingUp();
  taken.add(['a', 'b', 'c']);
  expect(taken.has('c')).toBe(true);
  taken.now('c');
  taken.now('c');
  taken.now('nobody’s');
  expect(taken.has('c')).toBe(false);
  expect(ids()).toEqual(['a', 'c']);
  await clock.run(clock.sleep(100));
  expect(ids()).toEqual(['a', 'c', 'b']);
});

it('leaves alone what is to be forgotten, and goes on with what comes after', async () => {
  const { clock, taken, ids } = takingUp();
  taken.add(['a', 'b']);
  taken.forget();
  taken.add(['c']);
  await clock.run(clock.sleep(100));
  expect(ids()).toEqual(['a', 'c']);
});
