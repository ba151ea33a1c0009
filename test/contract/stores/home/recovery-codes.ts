import { describe, expect, it } from 'vitest';
import { createPeopleStore } from '../../../../src/store/home/people.ts';
import { createRecoveryCodeStore } from '../../../../src/store/home/recovery-codes.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

export function recoveryCodesContract(open: OpenHomeDatabase): void {
  describe('recovery codes', () => {
    const opened = homeDatabaseForEach(open);

    const start = async () => {
      const clock = new VirtualClock();
      const people = createPeopleStore(opened.database, () => clock.now());
      await people.addMissing(['alice', 'bob'].map((username) => ({ username, name: username, email: '' })));
      return {
        clock,
        people,
        ours: createRecoveryCodeStore({ database: opened.database, clock }),
        anothers: createRecoveryCodeStore({ database: opened.another, clock }),
      };
    };

    it('accepts a person’s code again and again, in any case and with look-alike letters', async () => {
      const { ours, anothers, clock } = await start();
      const code = await ours.issue('alice');
      const issuedAt = clock.now();
      expect(await ours.find('alice')).toEqual({ issuedAt, usedAt: undefined });
      clock.advance(1000);
      expect(await anothers.check('alice', code)).toBe(true);
      expect(await anothers.find('alice')).toEqual({ issuedAt, usedAt: clock.now() });
      const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('1', 'l').replaceAll('0', 'o');
      expect(await ours.check('alice', typed)).toBe(true);
    });

    it('accepts a code only from the person that it was issued to', async () => {
      const { ours } = await start();
      const code = await ours.issue('alice');
      await ours.issue('bob');
      expect(await ours.check('bob', code)).toBe(false);
      expect(await ours.check('carol', code)).toBe(false);
      expect(await ours.check('alice', `${code}0`)).toBe(false);
      expect((await ours.find('alice'))?.usedAt).toBeUndefined();
    });

    it('replaces the old code', async () => {
      const { ours, anothers, clock } = await start();
      const old = await ours.issue('alice');
      expect(await ours.check('alice', old)).toBe(true);
      clock.advance(1000);
      const replacement = await anothers.issue('alice');
      expect(await ours.find('alice')).toEqual({ issuedAt: clock.now(), usedAt: undefined });
      expect(await ours.check('alice', old)).toBe(false);
      expect(await ours.check('alice', replacement)).toBe(true);
    });

    it('accepts only one of two codes that were issued at the same time', async () => {
      const { ours, anothers } = await start();
      const codes = await Promise.all([ours.issue('alice'), anothers.issue('alice')]);
      const accepted = await Promise.all(codes.map((code) => ours.check('alice', code)));
      expect(accepted.filter(Boolean)).toHaveLength(1);
    });

    it('accepts no code after its end, and none from removed people', async () => {
      const { ours, people } = await start();
      const code = await ours.issue('alice');
      await ours.end('alice');
      expect(await ours.check('alice', code)).toBe(false);
      expect(await ours.find('alice')).toBeUndefined();
      const his = await ours.issue('bob');
      await people.remove('bob');
      expect(await ours.check('bob', his)).toBe(false);
      await expect(ours.issue('bob')).rejects.toThrow(RangeError);
      await expect(ours.issue('carol')).rejects.toThrow(RangeError);
    });
  });
}
