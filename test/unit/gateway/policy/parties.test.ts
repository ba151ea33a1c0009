import { describe, expect, it } from 'vitest';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import type { DecisionFacts, DecisionSubject } from '../../../../src/gateway/policy/decision.ts';
import {
  findExceededSecondApprovalLimit,
  loadRelationFacts,
  toTokenFacts,
} from '../../../../src/gateway/policy/parties.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/rules.ts';
import { RelationsUnavailableError } from '../../../../src/gateway/relations/relations.ts';
import { factsOf, limitedTo, NOON, subject } from './sound-order.ts';

const yes = { 'relations.can_propose': true, 'relations.can_approve': true };
const decided = (
  who: Partial<DecisionSubject>,
  more: DecisionFacts['more'] = yes,
  limits: AccountLimits = {},
  facts = factsOf(),
) => evaluatePolicy(limitedTo(limits), { ...subject, ...who }, 'place', { ...facts, more });
/** Five at $180: $900. */
const at = (amount: string): AccountLimits => ({ second_person_above: amount });
const bobs: Partial<DecisionSubject> = { sub: 'bob', approvers: ['alice'] };

describe('who has a part in an order', () => {
  it('may propose for an owner who lets them, and the owner approves', () => {
    expect(decided(bobs)).toMatchObject({ effect: 'allow' });
    expect(decided({ ...bobs, approval: 'none', approvers: [] })).toMatchObject({ effect: 'ask' });
  });

  it.each<[string, Partial<DecisionSubject>, DecisionFacts['more'], string]>([
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
    expect(findExceededSecondApprovalLimit(limits, facts)).toBeUndefined();
    expect(findExceededSecondApprovalLimit(limits, { ...facts, environment: 'live' })).toBe('500');
    expect(findExceededSecondApprovalLimit({ live: { second_person_above: '500' } }, facts)).toBeUndefined();
    expect(findExceededSecondApprovalLimit({ ...at('100'), live: { second_person_above: '500' } }, facts)).toBe('100');
  });
});

describe('the sign-in of who approves', () => {
  const limits: AccountLimits = { live: { acr: 'phr' } };
  const live = { ...factsOf(), environment: 'live' } as const;
  const by = (acr: readonly string[] | undefined) => ({ ...yes, ...toTokenFacts({ acr }) });

  it('is the one that is asked for, of each of them', () => {
    const two: Partial<DecisionSubject> = { approvers: ['alice', 'carol'] };
    expect(decided({}, by(['phr']), limits, live)).toMatchObject({ effect: 'allow' });
    expect(decided(two, by(['phr', 'phr']), limits, live)).toMatchObject({ effect: 'allow' });
    for (const acr of [['phr'], ['phr', ''], ['pwd', 'phr'], []]) {
      expect(decided(two, by(acr), limits, live)).toMatchObject({
        effect: 'deny',
        reasons: ['APPROVAL_NEEDS_STEP_UP'],
        limit: 'phr',
      });
    }
    expect(decided({}, by(undefined), limits, live)).toMatchObject({ reasons: ['APPROVAL_NEEDS_STEP_UP'] });
  });

  it('is none on paper, before anybody has approved, or where a mandate did', () => {
    expect(decided({}, by(['']), limits)).toMatchObject({ effect: 'allow' });
    expect(decided({ approval: 'none', approvers: [] }, yes, limits, live)).toMatchObject({
      effect: 'ask',
      reasons: ['APPROVAL_MISSING'],
    });
    expect(decided({ approval: 'mandate', approvers: [] }, yes, limits, live)).toMatchObject({
      effect: 'allow',
    });
  });

  it.each([
    ['change_policy', 'deny'],
    ['grant_mandate', 'deny'],
    ['send_message', 'allow'],
    ['cancel', 'allow'],
  ] as const)('is asked for by %s: %s', (action, effect) => {
    const facts = { ...live, order: null, more: by(['pwd']) };
    expect(evaluatePolicy(limitedTo(limits), subject, action, facts).effect).toBe(effect);
  });
});

describe('a mandate with real money', () => {
  const limits: AccountLimits = { live: { mandate_up_to: '900' } };
  const live = { ...factsOf(), environment: 'live' } as const;
  const under: Partial<DecisionSubject> = { approval: 'mandate', approvers: [] };
  const of = (notional: string | null) => ({
    ...live,
    order: live.order === null ? null : { ...live.order, notional },
  });

  it.each([
    ['900', 'allow'],
    ['900.00001', 'ask'],
    [null, 'ask'],
  ])('covers up to live.mandate_up_to: $%s', (notional, effect) => {
    const decision = decided(under, yes, limits, of(notional));
    expect(decision.effect).toBe(effect);
    if (effect === 'ask')
      expect(decision).toMatchObject({ reasons: ['LIVE_NEEDS_TAP'], limit: '900.00', value: notional });
  });

  it('covers what it says where no such limit is set, on paper, and where it is tapped', () => {
    expect(decided(under, yes, {}, of('100000')).effect).toBe('allow');
    expect(decided(under, yes, limits).effect).toBe('allow');
    expect(decided({}, yes, limits, of('100000')).effect).toBe('allow');
  });
});

describe('what is asked about them', () => {
  it('is asked of each at that moment, and what can’t be told is null', async () => {
    const asked: string[] = [];
    const facts = await loadRelationFacts(
      {
        check: async ({ user, relation, account, at: time }) => {
          asked.push(`${user} ${relation} ${account} ${time}`);
          if (user === 'carol') throw new RelationsUnavailableError('it took too long');
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
