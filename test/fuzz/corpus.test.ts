import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readCorpus } from './corpus.ts';
import { allTargets, openTarget } from './targets/targets.ts';

/** Set before any target is loaded. */
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-corpus-'));
vi.stubEnv('TMPDIR', folder);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Home routes are fuzzed by `npm run fuzz` and tested in test/integration/hostile/. */
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
