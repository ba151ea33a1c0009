import { describe, it } from 'vitest';
import { readCorpus } from './corpus.ts';
import { allTargets, openTarget } from './targets/targets.ts';

/** A whole home has its own tests of each route (test/integration/hostile/), and is fuzzed by `npm run fuzz`. */
const targets = (await allTargets()).filter(([group]) => group !== 'requests');

describe('what fuzzing came upon', () => {
  it.each(targets)('is read or refused (%s: %s)', async (group, name) => {
    const target = await openTarget(group, name);
    try {
      for (const text of [...(await target.seeds()), ...readCorpus(name)]) await target.read(text);
    } finally {
      await target.close?.();
    }
  });
});
