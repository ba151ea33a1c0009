import { expect, it } from 'vitest';
import { deriveProposalKey } from '../../../../src/agent/graph/propose-node.ts';

it('a key is the same for the same attempt, today as in any later version', () => {
  expect(deriveProposalKey('th_1', 'tc_1', 1)).toBe(deriveProposalKey('th_1', 'tc_1', 1));
  expect(deriveProposalKey('th_1', 'tc_1', 1)).toMatchInlineSnapshot(`"ta-3vzeb223bnru62vkq2be3ikxbymfh7xc"`);
});

it('a key differs for another thread, call or attempt, however they run together', () => {
  const ids = [
    deriveProposalKey('a', 'b', 1),
    deriveProposalKey('a', 'b', 2),
    deriveProposalKey('a', 'b1', 1),
    deriveProposalKey('ab', '', 1),
    deriveProposalKey('', 'ab', 1),
    deriveProposalKey('a","b', '', 1),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

it('a key fits what brokers take', () => {
  expect(deriveProposalKey('thread'.repeat(20), 'call', 12)).toMatch(/^ta-[a-z2-7]{32}$/);
});
