import { describe, expect, it } from 'vitest';
import { decide } from '../../../../src/gateway/policy/decide.ts';
import type { Facts, Subject } from '../../../../src/gateway/policy/decision.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/limits.ts';
import { relationFacts, secondPersonAbove } from '../../../../src/gateway/policy/parties.ts';
import { RelationsUnavailable } from '../../../../src/gateway/relations/relations.ts';
import { factsOf, NOON, subject } from './sound-order.ts';

const yes = { 'relations.can_propose': true, 'relations.can_approve': true };
const decided = (
  who: Partial<Subject>,
  more: Facts['more'] = yes,
  limits: AccountLimits = {},
  facts = factsOf(),
) =>
  decide(
    { digest: 'd', limitsOf: () => limits, cedar: { evaluate: () => ({ forbidden: [] }) } },
    { ...subject, ...who },
    'place',
    { ...facts, more },
  );
/** Five at $180: $900. */
const at = (amount: string): AccountLimits => ({ second_person_above: amount });
const bobs: Partial<Subject> = { sub: 'bob', approvers: ['alice'] };

describe('who has a part in an order', () => {
  it('may propose for an owner who lets them, and the owner approves', () => {
    expect(decided(bobs)).toMatchObject({ effect: 'allow' });
    expect(decided({ ...bobs, approval: 'none', approvers: [] })).toMatchObject({ effect: 'ask' });
  });

  it.each<[string, Partial<Subject>, Facts['more'], string]>([
    ['may not', bobs, { ...yes, 'relations.can_propose': false }, 'RELATION_DENIED'],
    ['of whom nobody can tell', bobs, { ...yes, 'relations.can_propose': null }, 'RELATION_UNAVAILABLE'],
    ['of whom nobody was asked', bobs, {}, 'RELATION_UNAVAILABLE'],
    ['who may not approve', {}, { ...yes, 'relations.can_approve': false }, 'RELATION_DENIED'],
    [
      'who may not be the second',
      { approvers: ['alice', 'carol'] },
      { ...yes, 'relations.can_approve_second': false },
      'RELATION_DENIED',
    ],
    ['who approved their own idea', { sub: 'bob', approvers: ['bob'] }, yes, 'APPROVAL_BY_PROPOSER'],
    ['who approved as the second', { sub: 'bob', approvers: ['alice', 'bob'] }, yes, 'APPROVAL_BY_PROPOSER'],
  ])('is refused where it is somebody %s', (_, who, more, reason) => {
    expect(decided(who, more)).toMatchObject({ effect: 'deny', reasons: [reason] });
  });

  it('are two above an amount, and one up to it', () => {
    expect(decided({}, yes, at('900.00'))).toMatchObject({ effect: 'allow' });
    expect(decided({}, yes, at('899.99'))).toMatchObject({
      effect: 'ask',
      reasons: ['APPROVAL_NEEDS_SECOND'],
      limit: '899.99',
      value: '900.00',
    });
    expect(decided({ approvers: ['alice', 'carol'] }, yes, at('899.99'))).toMatchObject({ effect: 'allow' });
    expect(decided({ approvers: ['alice', 'alice'] }, yes, at('899.99'))).toMatchObject({ effect: 'ask' });
  });

  it('are two where a batch comes to it, however small its orders are', () => {
    const before = { ...yes, 'batch.before': '600.00' };
    expect(decided({}, before, at('1500.00'))).toMatchObject({ effect: 'allow' });
    expect(decided({}, before, at('1499.99'))).toMatchObject({
      effect: 'ask',
      reasons: ['APPROVAL_NEEDS_SECOND'],
      value: '1500.00',
    });
  });

  it('are two under a mandate as well, and asked for before anybody approved', () => {
    expect(decided({ approval: 'mandate' }, yes, at('899.99'))).toMatchObject({
      reasons: ['APPROVAL_NEEDS_SECOND'],
    });
    expect(decided({ approval: 'none', approvers: [] }, yes, at('899.99'))).toMatchObject({
      effect: 'ask',
      reasons: ['APPROVAL_NEEDS_SECOND'],
    });
  });

  it('are two for what nothing bounds', () => {
    const { order, ...facts } = factsOf();
    const unbounded = { ...facts, order: order === null ? null : { ...order, notional: null } };
    expect(decided({}, yes, at('1000000'), unbounded)).toMatchObject({
      reasons: ['APPROVAL_NEEDS_SECOND'],
      value: null,
    });
  });

  it('are two with real money above an amount of its own, the smaller of both', () => {
    const limits = { second_person_above: '2000', live: { second_person_above: '500' } };
    const facts = factsOf();
    expect(secondPersonAbove(limits, facts)).toBeUndefined();
    expect(secondPersonAbove(limits, { ...facts, environment: 'live' })).toBe('500');
    expect(secondPersonAbove({ live: { second_person_above: '500' } }, facts)).toBeUndefined();
    expect(secondPersonAbove({ ...at('100'), live: { second_person_above: '500' } }, facts)).toBe('100');
  });
});

describe('what is asked about them', () => {
  it('is asked of each at that moment, and what can’t be told is null', async () => {
    const asked: string[] = [];
    const facts = await relationFacts(
      {
        check: async ({ user, relation, account, at: time }) => {
          asked.push(`${user} ${relation} ${account} ${time}`);
          if (user === 'carol') throw new RelationsUnavailable('it took too long');
          return user === 'alice';
        },
      },
      { ...subject, sub: 'bob', approvers: ['alice', 'carol'] },
      'replace',
      NOON,
    );
    expect(asked).toEqual([
      `bob can_replace alice ${NOON}`,
      `alice can_approve alice ${NOON}`,
      `carol can_approve_second alice ${NOON}`,
    ]);
    expect(facts).toEqual({
      'relations.can_replace': false,
      'relations.can_approve': true,
      'relations.can_approve_second': null,
    });
  });
});
