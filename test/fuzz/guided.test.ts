import { describe, expect, it } from 'vitest';
import { readCorpus, writeCorpus } from './corpus.ts';
import { fuzzTarget, HANG_MS } from './guided/fuzz-target.ts';
import { msOf, words } from './support.ts';
import { allTargets } from './targets/targets.ts';

/** Keeps what led somewhere new, and what failed, in test/fuzz/corpus. */
const KEEPS = process.env.FUZZ_KEEP === '1';

/** A home answers over the network, and may itself wait for others. */
const PATIENCE_MS = 45_000;

const targets = await allTargets();
const forMs = msOf(0.5) / targets.length;

describe('what is bred towards code that has not run', () => {
  it.each(targets)('is read or refused, in time (%s: %s)', async (group, name) => {
    const corpus = readCorpus(name);
    const { executions, edges, needed, interesting, failures } = await fuzzTarget(
      { group, name, forMs, corpus, words },
      group === 'requests' ? PATIENCE_MS : HANG_MS,
    );
    const found = `${name}: ${executions} read, ${edges.taken} of ${edges.all} edges, ${interesting.length} new`;
    process.stdout.write(`${found}\n`);
    if (KEEPS) writeCorpus(name, [...needed, ...interesting, ...failures.map(({ text }) => text)]);
    expect(failures).toEqual([]);
    expect(edges.taken).toBeGreaterThan(0);
  });
});
