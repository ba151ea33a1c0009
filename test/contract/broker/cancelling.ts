import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Bench } from './bench.ts';

export function cancellingCases(bench: () => Bench): void {
  it('that is open can be cancelled, and then no more', async () => {
    const { broker, resting } = bench();
    const { id } = await resting();
    expect(await broker.cancel(id)).toBe('requested');
    expect(await broker.order(id)).toMatchObject({
      status: expect.stringMatching(/^(pending_cancel|canceled)$/),
    });
    expect(await broker.cancel(id)).toBe('not_cancelable');
  });

  it('that is filled can’t be cancelled', async () => {
    const { broker, filled } = bench();
    expect(await broker.cancel((await filled()).id)).toBe('not_cancelable');
  });

  it.each([randomUUID(), 'no-id', '../account'])('of the id %s is not there, nor to be cancelled', async (id) => {
    const { broker } = bench();
    expect(await broker.order(id)).toBeUndefined();
    expect(await broker.cancel(id)).toBe('not_found');
  });

  it('whose cancel is lost may stand or not: that is no answer', async () => {
    const { broker, resting, wire } = bench();
    const { id } = await resting();
    const answers = [{ status: 404 }, { status: 422 }, { status: 500 }];
    for (const mishap of ['lost request', ...answers, 'lost answer'] as const) {
      wire.mishap = mishap;
      await expect(broker.cancel(id)).rejects.toMatchObject({ name: 'HttpProblem' });
      expect(wire.writes()).toBe(1);
    }
  });
}
