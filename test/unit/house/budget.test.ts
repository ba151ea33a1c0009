import { describe, expect, it } from 'vitest';
import { rooms } from './layers.ts';
import { programSources } from './sources.ts';

/** Lines of each folder of src at most. Whoever adds beyond it removes something first, or argues for more here. */
const budget: Readonly<Record<(typeof rooms)[number], number>> = {
  cli: 17_000,
  app: 14_450,
  server: 2_850,
  mcp: 3_150,
  agent: 12_650,
  check: 3_100,
  schedule: 1_100,
  tools: 4_350,
  notify: 750,
  sandbox: 8_350,
  home: 14_600,
  gateway: 20_300,
  approval: 8_400,
  jobs: 1_650,
  store: 12_400,
  auth: 3_400,
  secrets: 2_800,
  config: 1_300,
  net: 1_600,
  machine: 500,
  trading: 9_200,
  oauth: 100,
  text: 200,
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
