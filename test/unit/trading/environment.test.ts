import { expect, it } from 'vitest';
import { environmentName } from '../../../src/trading/environment.ts';

it.each([
  ['paper', 'PAPER'],
  ['live', 'LIVE'],
  ['Paper', 'LIVE (Paper)'],
  ['', 'LIVE (unknown)'],
  [undefined, 'LIVE (unknown)'],
  [{ paper: true }, 'LIVE (unknown)'],
])('%j is called %s: what is not known to be paper may be real', (environment, word) => {
  expect(environmentName(environment)).toBe(word);
});
