import { expect, it } from 'vitest';
import { TurnLimiter } from '../../../../src/approval/supervisor/provider-pings.ts';

it('lets the first go at once, and the others one after the other', () => {
  let now = 1_000;
  const pacer = new TurnLimiter({ now: () => now }, 200);
  expect([pacer.take(), pacer.take(), pacer.take()]).toEqual([0, 200, 400]);
  now = 1_500;
  expect(pacer.take()).toBe(100);
});

it('saves up no turns while nobody wants one', () => {
  let now = 1_000;
  const pacer = new TurnLimiter({ now: () => now }, 200);
  pacer.take();
  now = 60_000;
  expect([pacer.take(), pacer.take()]).toEqual([0, 200]);
});

it('keeps nobody waiting for a clock that was set back', () => {
  let now = 100_000;
  const pacer = new TurnLimiter({ now: () => now }, 200);
  pacer.take();
  now = 1_000;
  expect([pacer.take(), pacer.take()]).toEqual([0, 200]);
});
