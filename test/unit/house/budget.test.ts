import { describe, expect, it } from 'vitest';
import { rooms } from './layers.ts';
import { programSources } from './sources.ts';

/** Lines of each folder of src at most. Whoever adds beyond it removes something first, or argues for more here. */
const budget: Readonly<Record<(typeof rooms)[number], number>> = {
  cli: 18_700,
  app: 15_550,
  server: 3_050,
  mcp: 3_250,
  agent: 13_400,
  check: 3_500,
  schedule: 1_150,
  tools: 4_650,
  notify: 750,
  sandbox: 9_100,
  home: 15_500,
  gateway: 21_400,
  approval: 8_400,
  jobs: 1_700,
  store: 12_450,
  auth: 3_500,
  secrets: 2_900,
  config: 1_300,
  net: 1_650,
  machine: 550,
  trading: 10_100,
  oauth: 100,
  text: 200,
  errors: 350,
  values: 50,
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
