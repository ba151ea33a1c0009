import { describe, expect, it } from 'vitest';
import { NO_TOKEN } from '../../../../src/approval/access.ts';
import type { ExecutionOutcome } from '../../../../src/approval/kind.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { alice, type KernelWorld, kernelWorld, TOKEN_MS, type WorldOptions } from '../kernel-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const unknown: ExecutionOutcome<unknown> = { outcome: 'unknown', text: 'no answer' };
const executed: ExecutionOutcome<unknown> = { outcome: 'executed', result: { order: 'order-1' } };
const refused: ExecutionOutcome<unknown> = {
  outcome: 'refused',
  refusal: new HttpProblem(409, 'not_placed', 'there is no order'),
};
const busy: ExecutionOutcome<unknown> = {
  outcome: 'not_taken',
  refusal: new HttpProblem(502, 'broker_unavailable', 'it cannot be reached'),
};

/** A look at what became of it: how long after the start, in milliseconds, and by whose token. */
type Look = readonly [at: number, token: string];

/** One of unknown outcome whose approval is of no more use. */
async function leftUnknown(settled: ExecutionOutcome<unknown> | undefined, options: WorldOptions = {}) {
  const world = kernelWorld(options);
  world.steps.push(...Array(1_000).fill(unknown));
  world.settled = settled;
  const row = await world.left('unknown');
  world.clock.advance(TOKEN_MS + HOUR_MS);
  const started = world.clock.now();
  const looks: Look[] = [];
  world.onSettle = ({ accessToken }) => looks.push([world.clock.now() - started, accessToken]);
  const runTo = (ms: number) => world.clock.run(world.clock.sleep(started + ms - world.clock.now()));
  return { world, row, looks, runTo, state: async () => (await world.row(row.id)).state };
}

/** After a restart its token is no longer good for anything: nobody is known whose token is. */
const forgetToken = (world: KernelWorld) => {
  world.verify = async () => {
    throw new HttpProblem(401, 'token_malformed', 'of nobody');
  };
};

describe('a proposal of unknown outcome whose approval is of no more use', () => {
  it('is asked about every 30 s, for 30 minutes', async () => {
    const { world, row, looks, runTo } = await leftUnknown(unknown);
    world.start();
    await runTo(2 * HOUR_MS);
    expect(looks.map(([at]) => at)).toEqual(Array.from({ length: 60 }, (_, n) => n * 30_000));
    expect(new Set(looks.map(([, token]) => token))).toEqual(new Set([`token ${row.id}`]));
  });

  it('is asked about again after a look of its owner’s, a start, and when the gateway is told to', async () => {
    const { world, row, looks, runTo } = await leftUnknown(unknown);
    world.start();
    const again: (() => Promise<unknown>)[] = [
      async () => world.kernel.settle(await world.row(row.id), alice),
      async () => {
        await world.close();
        world.start();
      },
      () => world.kernel.resumeUnknown(),
    ];
    for (const [n, begin] of again.entries()) {
      await runTo(n * 2 * HOUR_MS + HOUR_MS);
      const before = looks.length;
      await begin();
      await runTo(n * 2 * HOUR_MS + HOUR_MS + 10 * MINUTE_MS);
      // Every 30 s for ten minutes; and the look of the owner's.
      expect(looks.length - before).toBeGreaterThanOrEqual(20);
      expect(looks.length - before).toBeLessThanOrEqual(22);
    }
  });

  it('is asked about with the latest token of its owner', async () => {
    const { world, looks, runTo } = await leftUnknown(unknown);
    world.start();
    await runTo(45_000);
    await world.kernel.watched({ ...alice, accessToken: 'LATER-TOKEN' });
    await runTo(100_000);
    expect(looks.slice(-2)).toEqual([
      [60_000, 'LATER-TOKEN'],
      [90_000, 'LATER-TOKEN'],
    ]);
  });

  it.each<[string, ExecutionOutcome<unknown>, string]>([
    ['it was carried out', executed, 'executed'],
    ['it was not', refused, 'expired'],
  ])('is asked about until it is known that %s', async (_, known, state) => {
    const { world, looks, runTo, state: stateOf } = await leftUnknown(unknown);
    world.start();
    await runTo(95_000);
    world.settled = known;
    await runTo(HOUR_MS);
    expect(await stateOf()).toBe(state);
    expect(looks.map(([at]) => at)).toEqual([0, 30_000, 60_000, 90_000, 120_000]);
  });

  it('is asked about again where the broker is out of reach', async () => {
    const { world, looks, runTo, state } = await leftUnknown(busy);
    world.start();
    await runTo(65_000);
    expect(looks.map(([at]) => at)).toEqual([0, 30_000, 60_000]);
    world.settled = executed;
    await runTo(2 * MINUTE_MS);
    expect(await state()).toBe('executed');
  });

  it('is asked about no more once it was settled elsewhere', async () => {
    const { world, row, looks, runTo } = await leftUnknown(unknown);
    world.start();
    await runTo(35_000);
    await world.moves.move(await world.row(row.id), 'executed', { result: {} });
    await runTo(HOUR_MS);
    expect(looks.map(([at]) => at)).toEqual([0, 30_000]);
  });

  it.each<[string, ExecutionOutcome<unknown> | undefined]>([
    ['it was never handed over', undefined],
    ['nobody will ever know', { ...unknown, final: true }],
  ])('is asked about once where %s', async (_, settled) => {
    const { world, looks, runTo } = await leftUnknown(settled);
    world.start();
    await runTo(HOUR_MS);
    expect(looks).toHaveLength(1);
  });

  it('is not asked about where no token of its owner is known, until its owner comes by', async () => {
    const { world, row, looks, runTo } = await leftUnknown(unknown);
    forgetToken(world);
    world.start();
    await runTo(HOUR_MS);
    expect(looks).toEqual([]);
    expect(world.errors).toEqual([]);
    await world.kernel.settle(await world.row(row.id), alice);
    await runTo(HOUR_MS + 5 * MINUTE_MS);
    expect(looks.length).toBeGreaterThanOrEqual(10);
    expect(new Set(looks.map(([, token]) => token))).toEqual(new Set([alice.accessToken]));
  });

  it('is asked about without a token where the account can be opened without one', async () => {
    const { world, looks, runTo } = await leftUnknown(unknown, { isUnattended: true });
    forgetToken(world);
    world.start();
    await runTo(65_000);
    expect(looks).toEqual([
      [0, NO_TOKEN],
      [30_000, NO_TOKEN],
      [60_000, NO_TOKEN],
    ]);
  });

  it('is carried on with after a pause where another gateway moves it meanwhile, not at once and without end', async () => {
    const { world, row, runTo } = await leftUnknown(unknown);
    let tries = 0;
    const step = async () => {
      if (++tries > 100) throw new Error('it is tried without end');
      // As another gateway does that supervises it too: neither finds the row as it left it.
      await world.moves.move(await world.row(row.id), 'executing');
      return unknown;
    };
    world.steps.splice(0, world.steps.length, ...Array(200).fill(step));
    world.start();
    await runTo(10_000);
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThanOrEqual(11);
    expect(world.errors).toEqual([]);
  });

  it('is asked about no more once the gateway closes, also where it closes during a look', async () => {
    const { world, looks, runTo } = await leftUnknown(unknown);
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const note = world.onSettle;
    world.onSettle = async (asker) => {
      note(asker);
      asked.resolve();
      await answer.promise;
    };
    world.start();
    await asked.promise;
    const closed = world.kernel.close();
    answer.resolve();
    await world.clock.run(closed);
    expect(looks).toHaveLength(1);
    await runTo(5 * MINUTE_MS);
    expect(looks).toHaveLength(1);
  });
});
