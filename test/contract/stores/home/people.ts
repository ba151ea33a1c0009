import { describe, expect, it } from 'vitest';
import { createPeopleStore } from '../../../../src/store/home/people.ts';
import type { SqlTransactions } from '../../../../src/store/sql/sql-database.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const NOW = 1_700_000_000_000;
const alice = { username: 'alice', name: 'Alice', email: 'alice@example.com' };
const bob = { username: 'bob', name: 'Bob', email: '' };
const peopleOf = (database: SqlTransactions) => createPeopleStore(database, () => NOW);

export function peopleContract(open: OpenHomeDatabase): void {
  describe('people', () => {
    const opened = homeDatabaseForEach(open);

    it('lists people in the order in which they were added', async () => {
      const people = peopleOf(opened.database);
      await people.add(bob);
      await people.add(alice);
      expect(await people.list()).toEqual([bob, alice]);
      expect(await peopleOf(opened.another).find('alice')).toEqual(alice);
      expect(await people.find('carol')).toBeUndefined();
    });

    it('gives a user name to only one of two processes that add it', async () => {
      const added = await Promise.allSettled([
        peopleOf(opened.database).add(alice),
        peopleOf(opened.another).add({ ...alice, name: 'Another Alice' }),
      ]);
      expect(added.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await peopleOf(opened.database).list()).toHaveLength(1);
    });

    it('never reuses the user name of a removed person', async () => {
      const people = peopleOf(opened.database);
      await people.addMissing([alice]);
      await people.remove('alice');
      await expect(people.add(alice)).rejects.toMatchObject({ code: 'usage' });
      await people.addMissing([alice, bob]);
      expect(await people.list()).toEqual([bob]);
      expect(await people.find('alice')).toBeUndefined();
    });

    it('rejects invalid user names, and adds none of the people then', async () => {
      const people = peopleOf(opened.database);
      const invalid = { ...alice, username: 'Alice' };
      await expect(people.add(invalid)).rejects.toMatchObject({ code: 'usage' });
      await expect(people.addMissing([bob, invalid])).rejects.toMatchObject({ code: 'usage' });
      expect(await people.list()).toEqual([]);
    });

    it('removes a person once', async () => {
      await peopleOf(opened.database).add(alice);
      const removed = await Promise.allSettled([
        peopleOf(opened.database).remove('alice'),
        peopleOf(opened.another).remove('alice'),
      ]);
      expect(removed.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      await expect(peopleOf(opened.database).remove('bob')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('lists the removed people until their clean-up is complete, in any process', async () => {
      const people = peopleOf(opened.database);
      await people.addMissing([alice, bob]);
      await people.remove('alice');
      expect(await peopleOf(opened.another).unended()).toEqual(['alice']);
      await Promise.all([people.ended('alice'), peopleOf(opened.another).ended('alice')]);
      expect(await people.unended()).toEqual([]);
    });
  });
}
