import { expect, it } from 'vitest';
import { createBatchedLookup } from '../../../../src/store/postgres/proposal-store.ts';

function looking() {
  const asked: (readonly string[])[] = [];
  let version = 0;
  const get = createBatchedLookup(async (ids) => {
    asked.push(ids);
    if (ids.includes('lost')) throw new Error('the database is away');
    return new Map(ids.filter((id) => id !== 'none').map((id) => [id, `${id} ${version}`]));
  });
  const change = () => {
    version += 1;
  };
  return { asked, get, change };
}

it('asks once for what is asked for within one turn, each id once', async () => {
  const { asked, get } = looking();
  expect(await Promise.all([get('one'), get('two'), get('one'), get('none')])).toEqual([
    'one 0',
    'two 0',
    'one 0',
    undefined,
  ]);
  expect(asked).toEqual([['one', 'two', 'none']]);
});

it('answers as of after it was asked, and asks again the next time', async () => {
  const { asked, get, change } = looking();
  const first = get('one');
  change();
  // Whoever asks after the change, in the same turn, must see it.
  const second = get('one');
  expect([await first, await second]).toEqual(['one 1', 'one 1']);
  change();
  expect(await get('one')).toBe('one 2');
  expect(asked).toHaveLength(2);
});

it('fails for all who asked, and for nobody who asks later', async () => {
  const { get } = looking();
  const both = await Promise.allSettled([get('lost'), get('one')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await get('one')).toBe('one 0');
});
