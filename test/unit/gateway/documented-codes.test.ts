import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { problemCodes } from '../../../src/errors/problem-codes.ts';

const root = join(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

it('every code that the gateway refuses with is in its document', () => {
  const document = read('docs/operate/GATEWAY.md');
  expect(problemCodes.filter((code) => !new RegExp(`\\b${code}\\b`).test(document))).toEqual([]);
});

it('every code of the list is one that the gateway sends', () => {
  const sources = globSync('src/{gateway,approval}/**/*.ts', { cwd: root }).map(read).join('\n');
  expect(problemCodes.filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
});

it('no code is in the list twice', () => {
  expect(problemCodes).toHaveLength(new Set(problemCodes).size);
});
