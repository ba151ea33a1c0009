import { describe, expect, it } from 'vitest';
import type { ExecutionOutcome } from '../../../src/approval/kind.ts';
import { alice, type KernelWorld, kernelWorld, TOKEN_MS } from './kernel-world.ts';

const unknown = { outcome: 'unknown', text: 'no answer' } as const;
const HOUR_MS = 3_600_000;
/** As many as a client asks for at most (`?wait=25`). */
const WAIT_MS = 25_000;
/** From an answer to the next question. */
const TRIP_MS = 5;

/** Whoever watches one by long polls: settles it, waits for its next change, and asks again at once. */
async function watch(world: KernelWorld, id: string, forMs: number): Promise<void> {
  const until = world.clock.now() + forMs;
  while (world.clock.now() < until) {
    const { version } = await world.kernel.settle(await world.row(id), alice);
    await world.kernel.awaitChange(id, version, WAIT_MS, new AbortController().signal);
    await world.clock.sleep(TRIP_MS);
  }
}

/** Milliseconds between one look and the next. */
const pauses = ({ looks }: KernelWorld) => looks.slice(1).map((at, index) => at - (looks[index] ?? 0));

async function leftUnknown(settled: ExecutionOutcome<unknown> | undefined): Promise<[KernelWorld, string]> {
  const world = kernelWorld();
  world.steps.push(...Array(5_000).fill(unknown));
  world.settled = settled;
  const { id } = await world.left('unknown');
  return [world, id];
}

describe('an order that stays unknown', () => {
  it('while many watch it is asked about a few times a minute, not each time it changes', async () => {
    const [world, id] = await leftUnknown(unknown);
    world.start();
    await world.clock.run(Promise.all(Array.from({ length: 5 }, () => watch(world, id, 10 * 60_000))));
    // Tries after 0, 1, 6, 16, 31 and 61 s, then one a minute, each of them two changes; and a look each time that nothing came for 25 s.
    expect(world.looks.length).toBeLessThanOrEqual(15 * 2 + 24);
  });

  it('after its token’s end it is tried again by who watches, with a pause in between', async () => {
    const [world, id] = await leftUnknown(undefined);
    world.clock.advance(TOKEN_MS + HOUR_MS);
    await world.clock.run(Promise.all(Array.from({ length: 5 }, () => watch(world, id, 60_000))));
    const asked = world.looks.length;
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThanOrEqual(2 * 61);
    // A look, and the try that follows on it, are one.
    expect(pauses(world).every((ms) => ms === 0 || ms >= 1_000)).toBe(true);
  });

  it('is not asked about sooner because its provider calls once more', async () => {
    const [world, id] = await leftUnknown(unknown);
    const row = await world.row(id);
    const token = world.notificationTokens.of(row);
    world.start();
    const until = world.clock.now() + 60_000;
    const calls = async () => {
      while (world.clock.now() < until) {
        expect(await world.kernel.handlePing(row.authReqId ?? '', token)).toBe(true);
        await world.clock.sleep(100);
      }
    };
    await world.clock.run(calls());
    expect(pauses(world)).toEqual([1_000, 5_000, 10_000, 15_000]);
  });

  it('is looked at by one of those who ask at once, and all are told what that one found', async () => {
    const [world, id] = await leftUnknown({ outcome: 'executed', result: { order: 'found' } });
    const seen = await world.row(id);
    const found = await Promise.all(Array.from({ length: 20 }, () => world.kernel.settle(seen, alice)));
    expect(found.map(({ state }) => state)).toEqual(Array(20).fill('executed'));
    expect(world.looks).toHaveLength(1);
  });
});
