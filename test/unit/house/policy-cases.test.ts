import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, 'utf8');

const CASES = Array.from({ length: 52 }, (_, index) => index + 1);

const [, section = ''] = read('docs/develop/TESTING.md').split(/^## An owner's rules, case by case$/m);
const rows = [...(section.split(/^## /m)[0] ?? '').matchAll(/^\| (\d+) \| [^|]+ \| (.+) \|$/gm)].map(
  ([, number, tests = '']) => ({
    number: Number(number),
    tests: [...tests.matchAll(/`([^`]+)` “([^”]+(?:“[^”]*”[^”]*)?)”/g)].map(([, file = '', title = '']) => ({
      file,
      title,
    })),
  }),
);

it('docs/develop/TESTING.md has a line for each case, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(CASES);
});

it.each(rows.map(({ number, tests }) => [number, tests] as const))('case %i is shown', (_, tests) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const { file, title } of tests) {
    expect(read(file), `${file} has no test "${title}"`).toMatch(titled(title));
  }
});

/** As the title of a test, or of a part of one: it begins there, and may go on with what is drawn. */
function titled(title: string): RegExp {
  return new RegExp(`['"\`]${title.replace(/[.*+?^$()[\]{}|\\]/g, '\\$&')}`);
}
