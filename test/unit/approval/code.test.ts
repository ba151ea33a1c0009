import { expect, it } from 'vitest';
import { deriveSubjectId, generateProposalCode, generateProposalId } from '../../../src/approval/kernel/propose.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

it('codes are drawn evenly in each place, whatever is proposed', () => {
  const codes = Array.from({ length: 20_000 }, generateProposalCode);
  for (const place of [0, 1, 2, 3]) {
    const counts = new Map([...CROCKFORD].map((character) => [character, 0]));
    for (const code of codes) {
      const character = code[place] ?? '';
      counts.set(character, (counts.get(character) ?? Number.NaN) + 1);
    }
    const expected = codes.length / 32;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 31 degrees of freedom: beyond 80 about once in 300,000 times.
    expect(chiSquare).toBeLessThan(80);
  }
});

it('1,000 codes repeat no more than chance has it', () => {
  const codes = new Set(Array.from({ length: 1_000 }, generateProposalCode));
  // Half a pair is to be expected of 32^4; more than six come less than once in a million times.
  expect(1_000 - codes.size).toBeLessThanOrEqual(6);
});

it('ids of proposals are random', () => {
  const ids = Array.from({ length: 1_000 }, generateProposalId);
  expect(new Set(ids).size).toBe(1_000);
  expect(ids.every((id) => /^pr_[0-9A-Za-z]{16}$/.test(id))).toBe(true);
});

it('a subject’s id is one person’s, client’s and key’s, however these are cut', () => {
  const ids = [
    deriveSubjectId('alice', 'client', 'key'),
    deriveSubjectId('bob', 'client', 'key'),
    deriveSubjectId('alice', 'other', 'key'),
    deriveSubjectId('alice', 'client', 'key2'),
    deriveSubjectId('alice","client', '', 'key'),
    deriveSubjectId('alice', 'client","key', ''),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^ta-[A-Za-z0-9_-]{24}$/.test(id))).toBe(true);
  expect(deriveSubjectId('alice', 'client', 'key')).toBe(ids[0]);
});
