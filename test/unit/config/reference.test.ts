import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// @ts-expect-error a script: it has no types
import { configReference } from '../../../scripts/config-reference.mjs';

const page = readFileSync(new URL('../../../docs/reference/CONFIGURATION.md', import.meta.url), 'utf8');

it('docs/reference/CONFIGURATION.md is what scripts/config-reference.mjs makes of the schema', () => {
  expect(page).toBe(configReference());
});

it('says of every key what it is for', () => {
  expect(page.split('\n').filter((line) => /^\| `.*\|\s*\|$/.test(line))).toEqual([]);
});
