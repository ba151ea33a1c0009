import { describe, expect, it } from 'vitest';
import { readCorpus, writeCorpus } from './corpus.ts';
import { fuzzTarget } from './guided/fuzz-target.ts';
import { msOf, words } from './support.ts';
import { allTargets } from './targets/targets.ts';

/** Keeps what led somewhere new in test/fuzz/corpus. */
const KEEPS = process.env.FUZZ_KEEP === '1';

const targets = await allTargets();
const forMs = msOf(0.5) / targets.length;

describe('what led somewhere new, and what comes of it', () => {
  it.each(targets)('is read or refused, in time (%s: %s)', async (group, name) => {
    const corpus = readCorpus(name);
    const { executions, edges, interesting, failures } = await fuzzTarget({
      group,
      name,
      forMs,
      corpus,
      words,
    });
    process.stdout.write(
      `${name}: ${executions} read, ${edges.taken} of ${edges.all} edges, ${interesting.length} new\n`,
    );
    if (KEEPS) {
      // Of what led here, no more than it takes: in the order of their length.
      const all = [...corpus, ...interesting].sort((one, other) => one.length - other.length);
      const { needed } = await fuzzTarget({ group, name, forMs: 0, corpus: all, words });
      writeCorpus(name, needed);
    }
    expect(failures).toEqual([]);
    expect(edges.taken).toBeGreaterThan(0);
  });
});
