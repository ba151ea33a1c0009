import { describe, expect, it } from 'vitest';
import { createJqFilter } from '../../../../src/cli/format/jq.ts';

describe('what jq makes of a result', () => {
  it('is raw where it is text, and compact where it is not', async () => {
    const filter = await createJqFilter('.a[]');
    expect(filter('{"a":["x\\"y",2,{"b":[1]}]}', false)).toBe('x"y\n2\n{"b":[1]}');
  });

  it('keeps decimal strings as they are', async () => {
    expect((await createJqFilter('.cash'))('{"cash":"100000000000000000.10"}', false)).toBe('100000000000000000.10');
  });

  it.each(['.a[', 'nothing_such', 'include "x"; 1'])('is refused beforehand for %j', async (expression) => {
    await expect(createJqFilter(expression)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('--jq is not a valid jq expression: '),
    });
  });

  it('is refused with jq’s words where it does not fit', async () => {
    const filter = await createJqFilter('.a[0]');
    expect(() => filter('{"a":1}', false)).toThrow(/^--jq does not fit the result: Cannot index number/);
  });

  it('sees nothing of the environment', async () => {
    expect((await createJqFilter('$ENV.HOME'))('null', false)).toBe('/home/web_user');
  });
});
