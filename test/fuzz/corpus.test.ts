import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readCorpus } from './corpus.ts';
import { allTargets, openTarget } from './targets/targets.ts';

/** Where targets have their files: set before any is loaded. */
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-corpus-'));
vi.stubEnv('TMPDIR', folder);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

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

  it('leaves no file behind', () => {
    expect(readdirSync(folder)).toEqual([]);
  });
});
