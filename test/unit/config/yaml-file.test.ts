import { describe, expect, it } from 'vitest';
import { parseRules } from '../../../src/check/load-rules.ts';
import { parseConfig } from '../../../src/config/config-file.ts';

/** Nine levels of nine: 387 million strings once it is written out. */
const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((name, index) => {
    const before = 'abcdefgh'[index];
    return `${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`;
  }),
].join('\n');

const readers = [
  ['config.yaml', (text: string) => parseConfig(text, 'config.yaml')],
  ['rules.yaml', (text: string) => parseRules(text, 'rules.yaml')],
] as const;

describe.each(readers)('%s', (file, read) => {
  it.each([
    ['expands without end', bomb, `${file}:2: `],
    ['refers to itself', 'rules: &all\n  - *all\n', `${file}:2: `],
    ['refers to nothing', 'rules:\n  - *none\n', `${file}:2: `],
    ['is nested without end', `a: ${'['.repeat(20_000)}`, `${file}:1: `],
    [
      'has a key __proto__',
      'profiles:\n  work:\n    __proto__: {sandbox: true}\n',
      `${file}:3: "__proto__" can't be used as a key`,
    ],
    [
      'has a key constructor',
      'profiles:\n  constructor: {sandbox: true}\n',
      `${file}:2: "constructor" can't be used as a key`,
    ],
    ['has a key prototype', 'prototype: 1\n', `${file}:1: "prototype" can't be used as a key`],
  ])('is refused with its line where it %s', async (_, text, start) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(start),
    });
    expect(Object.hasOwn(Object.prototype, 'sandbox')).toBe(false);
  });
});

it('a few aliases are heeded', async () => {
  const text = 'profiles:\n  a: &a {sandbox: true}\n  b: *a\n';
  expect((await parseConfig(text, 'config.yaml')).profiles).toMatchObject({
    a: { sandbox: true },
    b: { sandbox: true },
  });
});
