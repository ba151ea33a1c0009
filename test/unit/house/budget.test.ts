import { describe, expect, it } from 'vitest';
import { rooms } from './layers.ts';
import { programSources } from './sources.ts';

/** Lines of each folder of src at most. Whoever adds beyond it removes something first, or argues for more here. */
const budget: Readonly<Record<(typeof rooms)[number], number>> = {
  cli: 17_840,
  app: 17_345,
  server: 2_850,
  mcp: 4_405,
  agent: 21_430,
  check: 3_105,
  schedule: 1_150,
  tools: 4_575,
  notify: 700,
  sandbox: 8_300,
  home: 18_190,
  gateway: 22_080,
  approval: 9_600,
  jobs: 800,
  store: 14_700,
  auth: 3_400,
  secrets: 2_800,
  config: 1_250,
  net: 2_490,
  machine: 600,
  trading: 10_202,
  oauth: 100,
  text: 280,
  errors: 350,
  values: 100,
};

describe('src', () => {
  const sources = programSources();

  it.each(rooms)('%s keeps to its budget of lines', (room) => {
    const texts = sources.filter(({ file }) => file.startsWith(`src/${room}/`)).map(({ text }) => text);
    const lines = texts.reduce((sum, text) => sum + text.trimEnd().split('\n').length, 0);
    expect(lines).toBeLessThanOrEqual(budget[room]);
  });

  it('spreads no object that is written out on the spot', () => {
    expect(sources.filter(({ text }) => /\.\.\.\{/.test(text)).map(({ file }) => file)).toEqual([]);
  });
});
