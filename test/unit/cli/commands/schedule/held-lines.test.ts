import { expect, it } from 'vitest';
import { createLineBuffer } from '../../../../../src/cli/commands/schedule/run-stored.ts';

it('says what was kept back in its order, once, the end of too much left out', () => {
  const { hold, release } = createLineBuffer();
  const said: string[] = [];
  for (let line = 1; line <= 250; line++) hold(`line ${line}`);
  release((line) => said.push(line));
  expect(said.slice(0, 2)).toEqual(['line 1', 'line 2']);
  expect(said.slice(-2)).toEqual(['line 200', '… and 50 more lines']);
  release((line) => said.push(line));
  expect(said).toHaveLength(201);
});
