import { expect, it } from 'vitest';
import { compileExamples } from './examples.ts';
import { programSources } from './sources.ts';

const ofComment = (...lines: readonly string[]) =>
  compileExamples([
    {
      file: 'src/net/planted.ts',
      text: [
        '/** Doubles. */',
        'export const one = 1;',
        '/**',
        ...lines.map((line) => ` * ${line}`),
        ' */',
        'export function double(value: number): number {',
        '  return 2 * value;',
        '}',
      ].join('\n'),
    },
  ]);

it('every example in a doc comment compiles', () => {
  const { count, errors } = compileExamples(programSources());
  expect(errors).toEqual([]);
  expect(count).toBeGreaterThan(2);
});

it('an example that does not is named by its line', () => {
  const right = ['@example', '```ts', `import { double } from './planted.ts';`, 'double(2).toFixed();', '```'];
  expect(ofComment('Doubles.', ...right)).toEqual({ count: 1, errors: [] });
  const wrong = right.map((line) => line.replace('double(2)', 'double("2")'));
  expect(ofComment('Doubles.', ...wrong, '@returns twice as much').errors).toEqual([
    `src/net/planted.ts:8: Argument of type 'string' is not assignable to parameter of type 'number'.`,
  ]);
  expect(ofComment('@example', '```ts', 'const = 2;', '```').errors.join()).toContain('src/net/planted.ts:6: ');
});

it('an example without code to compile is named too', () => {
  expect(ofComment('@example double(2)', '@returns twice as much').errors).toEqual([
    'src/net/planted.ts:4: an @example has a block of ts',
  ]);
});
