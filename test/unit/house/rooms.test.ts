import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rooms } from './layers.ts';
import { root } from './sources.ts';

const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

it('every top folder has its place in the list', () => {
  expect(folders.filter((name) => !(rooms as readonly string[]).includes(name))).toEqual([]);
});

describe.each(folders)('src/%s', (name) => {
  it('says in at most ten lines what it is, what comes in and goes out, and what to copy', () => {
    const file = join(root, 'src', name, 'README.md');
    expect(existsSync(file), `src/${name}/README.md`).toBe(true);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines[0]).toBe(`# src/${name}`);
    for (const part of ['- In: ', '- Out: ', '- To add '])
      expect(
        lines.some((line) => line.startsWith(part)),
        part,
      ).toBe(true);
  });
});
