import { describe, expect, it } from 'vitest';
import { tooLong } from './sizes.ts';
import { programSources } from './sources.ts';

const ofText = (text: string) => tooLong([{ file: 'src/net/a.ts', text }]);
const lines = (count: number) => 'one();\n'.repeat(count);
const body = (count: number) => `{\n${lines(count - 2)}}`;

describe('the house', () => {
  it('has no function over 120 lines and no file over 600, except those that say why at their head', () => {
    expect(tooLong(programSources())).toEqual([]);
  });
});

describe('the test of it sees', () => {
  it.each([
    ['a function', `function f() ${body(121)}`, 'f at line 1'],
    ['an arrow function', `const f = () => ${body(121)};`, 'a function at line 1'],
    ['a method', `class C {\n  m() ${body(121)}\n}`, 'm at line 2'],
    ['a method of an object', `const o = {\n  async m() ${body(121)},\n};`, 'm at line 2'],
    ['a constructor', `class C {\n  constructor() ${body(121)}\n}`, 'a function at line 2'],
    ['an accessor', `class C {\n  get m() ${body(121)}\n}`, 'm at line 2'],
  ])('%s of 121 lines', (_, text, name) => {
    expect(ofText(text)).toEqual([`${name} in src/net/a.ts has 121 lines`]);
    expect(ofText(text.replace('one();\n', ''))).toEqual([]);
  });

  it('a file of 601 lines', () => {
    expect(ofText(lines(601))).toEqual(['src/net/a.ts has 601 lines']);
    expect(ofText(lines(600))).toEqual([]);
  });

  it.each([
    '// Long because it is a table of symbols.\n',
    '/* Long because it is a table of symbols. */\n',
    '/*\n * What is listed.\n * Long because it is a table of symbols.\n */\n',
    `import { b } from './b.ts';\n// Long because it is a table of symbols.\n`,
  ])('who says why, and where: %j', (head) => {
    const isAtHead = !head.startsWith('import');
    expect(ofText(head + lines(700)).length).toBe(isAtHead ? 0 : 1);
  });

  it('an excuse that gives no reason', () => {
    expect(ofText(`// Long because\n${lines(600)}`)).toEqual(['src/net/a.ts has 601 lines']);
  });
});
