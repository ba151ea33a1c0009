import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { watchCryptography } from './activity.ts';
import { noTally, play, type Tally, warmUp } from './history.ts';
import { calm, cutOff, exited, type History, history } from './steps.ts';
import { makeKeys, type SharedKeys } from './world.ts';

/** Histories a file plays where nobody says otherwise: some seconds' worth. */
const FEW = 20;

export interface Histories {
  readonly tally: Tally;
  readonly runs: number;
  /** As many as `runs`, or where nobody says how many, a part of it: for sorts that are drawn from less. */
  part(of: number): number;
  /** Whether one is played again, which may lack what others have. */
  readonly isReplay: boolean;
  /** @param only what the test's name has alone, in its file */
  holds(told: fc.Arbitrary<History>, runs: number, only: string): Promise<void>;
}

/**
 * How the tests of a file play random histories.
 *
 *     CHAOS_HISTORIES=500 CHAOS_SEED=7 CHAOS_PATH=12:0 vitest run --project chaos
 *
 * @param file of the tests, without its folder
 * @param few histories where nobody says otherwise: some seconds' worth
 */
export function histories(file: string, few: number, fixed: number): Histories {
  const { CHAOS_HISTORIES, CHAOS_SEED, CHAOS_PATH, CHAOS_SHRINK } = process.env;
  const runs = Number(CHAOS_HISTORIES ?? few);
  // A long run is for what no run has seen before.
  const drawn = CHAOS_HISTORIES === undefined ? fixed : randomInt(2 ** 31);
  const seed = CHAOS_SEED === undefined ? drawn : Number(CHAOS_SEED);
  const tally = noTally();
  let keys: SharedKeys;
  beforeAll(async () => {
    watchCryptography();
    keys = await makeKeys();
    await warmUp(keys);
  });
  afterAll(() => {
    process.stdout.write(`${file}, seed ${seed}: ${JSON.stringify(tally)}\n`);
  });
  return {
    tally,
    runs,
    part: (of) => (CHAOS_HISTORIES === undefined ? Math.ceil(runs / of) : runs),
    isReplay: CHAOS_PATH !== undefined,
    async holds(told, numRuns, only) {
      const outcome = await fc.check(
        fc.asyncProperty(told, (history) => play(keys, history, tally)),
        {
          numRuns,
          seed,
          ...(CHAOS_PATH === undefined ? {} : { path: CHAOS_PATH }),
          endOnFailure: CHAOS_SHRINK === undefined,
        },
      );
      if (!outcome.failed) return;
      const { errorInstance: error, counterexample } = outcome;
      throw new Error(
        [
          `after ${outcome.numRuns} histories: ${error instanceof Error ? error.message : String(error)}`,
          `replay: CHAOS_SEED=${outcome.seed} CHAOS_PATH=${outcome.counterexamplePath} CHAOS_HISTORIES=1 npx vitest run --project chaos test/chaos/${file} -t '${only}'`,
          JSON.stringify(counterexample?.[0]),
        ].join('\n\n'),
        { cause: error },
      );
    },
  };
}

/** @param shard makes files differ, so that two run at once */
export function playHistories(shard: number): void {
  const { tally, runs, part, isReplay, holds } = histories(`histories-${shard}.test.ts`, FEW, 20_261_130 + shard);

  it('whatever happens, each approval carried out is one order, and no other order is', async () => {
    await holds(history, runs, 'whatever happens');
    if (isReplay) return;
    expect(tally.orders).toBeGreaterThan(0);
    expect(tally.withExits).toBeGreaterThan(0);
    expect(tally.coins).toBeGreaterThan(0);
    expect(tally.secondPersons).toBeGreaterThan(0);
    expect(tally.denials).toBeGreaterThan(0);
    expect(tally.withdrawals).toBeGreaterThan(0);
  }, 3_600_000);

  it('a gateway that is cut off between tap and order, twice, makes one order or none', async () => {
    await holds(cutOff, part(4), 'cut off');
  }, 3_600_000);

  it('exits of an order sell no more than it has bought, whatever the price does and whoever dies', async () => {
    await holds(exited, part(2), 'exits of an order');
    if (!isReplay) expect(tally.exited).toBeGreaterThan(0);
  }, 3_600_000);

  it('where nothing stands in the way, what was approved in time is carried out at once', async () => {
    await holds(calm, part(4), 'nothing stands in the way');
    // One history, replayed, may have none.
    if (!isReplay) expect(tally.unhindered).toBeGreaterThan(0);
  }, 3_600_000);
}
