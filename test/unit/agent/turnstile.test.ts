import { expect, it } from 'vitest';
import { createTurnstile } from '../../../src/agent/turnstile.ts';

it('lets so many through at once, the others in the order they came, also past one that fails', async () => {
  const inTurn = createTurnstile(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const work = (number: number) =>
    inTurn(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (number === 1) throw new Error('failed');
    });
  const all = [0, 1, 2, 3].map(work);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await expect(all[1]).rejects.toThrow('failed');
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  for (const end of ends) end();
  await Promise.all([all[0], all[2], all[3]]);
});
