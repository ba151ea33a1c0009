import { describe, expect, it } from 'vitest';
import { resolveIdPrefix } from '../../../src/app/resolve-prefix.ts';

const ids = (...all: string[]) => ({ called: 'orders', whole: /^[0-9a-f]{8}$/, list: async () => all });

describe('an id of which the beginning was typed', () => {
  it('is the one that begins so', async () => {
    expect(await resolveIdPrefix('abc', ids('abcd0000', 'abd00000'))).toBe('abcd0000');
  });

  it('is not looked for where it is whole', async () => {
    const list = async (): Promise<string[]> => expect.fail('asked for a list');
    expect(await resolveIdPrefix('abcd0000', { ...ids(), list })).toBe('abcd0000');
  });

  it('is itself where it is one, though others begin so', async () => {
    expect(await resolveIdPrefix('daily', ids('daily', 'daily-2'))).toBe('daily');
  });

  it('comes back as it is where none begins so: who looks it up says what is wrong', async () => {
    expect(await resolveIdPrefix('zzz', ids('abcd0000'))).toBe('zzz');
  });

  it('is refused where several begin so, which are named', async () => {
    await expect(resolveIdPrefix('abc', ids('abcd0000', 'abce0000'))).rejects.toMatchObject({
      code: 'usage',
      message: '"abc" matches 2 orders',
      hint: 'Type more characters: abcd0000, abce0000.',
    });
  });

  it.each(['a', 'ab', 'pr_1', 'M-a'])('is refused where it is too short to be meant: %s', async (typed) => {
    await expect(resolveIdPrefix(typed, ids(`${typed}xxxxxxx`))).rejects.toMatchObject({ code: 'usage' });
  });
});
