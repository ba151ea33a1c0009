import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { watchCryptography } from './activity.ts';
import { noTally, play, warmUp } from './history.ts';
import { calm, cutOff, type History, history } from './steps.ts';
import { makeKeys, type SharedKeys } from './world.ts';

/** Histories a file plays where nobody says otherwise: some seconds' worth. */
const FEW = 20;

/**
 * Plays random histories. `shard` makes files differ, so that two run at once.
 *
 *     CHAOS_HISTORIES=500 CHAOS_SEED=7 CHAOS_PATH=12:0 vitest run --project chaos
 */
export function playHistories(shard: number): void {
  const { CHAOS_HISTORIES, CHAOS_SEED, CHAOS_PATH, CHAOS_SHRINK } = process.env;
  const numRuns = Number(CHAOS_HISTORIES ?? FEW);
  const seed =
    CHAOS_SEED === undefined
      ? CHAOS_HISTORIES === undefined
        ? 20_261_125 + shard
        : undefined
      : Number(CHAOS_SEED);
  const tally = noTally();
  let keys: SharedKeys;
  beforeAll(async () => {
    watchCryptography();
    keys = await makeKeys();
    await warmUp(keys);
  });
  afterAll(() => {
    process.stdout.write(`chaos ${shard}: ${JSON.stringify(tally)}\n`);
  });

  const holds = async (told: fc.Arbitrary<History>, runs: number, only: string) => {
    const outcome = await fc.check(
      fc.asyncProperty(told, (history) => play(keys, history, tally)),
      {
        numRuns: runs,
        ...(seed === undefined ? {} : { seed }),
        ...(CHAOS_PATH === undefined ? {} : { path: CHAOS_PATH }),
        endOnFailure: CHAOS_SHRINK === undefined,
      },
    );
    if (!outcome.failed) return;
    const { errorInstance: error, counterexample } = outcome;
    throw new Error(
      [
        `after ${outcome.numRuns} histories: ${error instanceof Error ? error.message : String(error)}`,
        `replay: CHAOS_SEED=${outcome.seed} CHAOS_PATH=${outcome.counterexamplePath} CHAOS_HISTORIES=1 npx vitest run --project chaos test/chaos/histories-${shard}.test.ts -t '${only}'`,
        JSON.stringify(counterexample?.[0]),
      ].join('\n\n'),
      { cause: error },
    );
  };

  it('whatever happens, each approval carried out is one order, and no other order is', async () => {
    await holds(history, numRuns, 'whatever happens');
    if (CHAOS_PATH === undefined) expect(tally.orders).toBeGreaterThan(0);
  }, 3_600_000);

  it('a gateway that is cut off between tap and order, twice, makes one order or none', async () => {
    await holds(cutOff, Math.ceil(numRuns / 4), 'cut off');
  }, 3_600_000);

  it('where nothing stands in the way, what was approved in time is carried out at once', async () => {
    await holds(calm, Math.ceil(numRuns / 4), 'nothing stands in the way');
    // One history, replayed, may have none.
    if (CHAOS_PATH === undefined) expect(tally.unhindered).toBeGreaterThan(0);
  }, 3_600_000);
}
