import { beforeAll, describe, expect, it } from 'vitest';
import { type CedarEngine, loadCedar } from '../../../../../src/gateway/policy/cedar/cedar-engine.ts';
import type { CedarLimits } from '../../../../../src/gateway/policy/cedar/cedar-request.ts';
import { cedarRules } from '../../../../../src/gateway/policy/cedar/cedar-rules.ts';
import { baseRules } from '../../../../../src/gateway/policy/cedar/rule-text.ts';
import type { Action, Facts, Subject } from '../../../../../src/gateway/policy/decision.ts';
import { policyReasons } from '../../../../../src/trading/policy-reasons.ts';
import { alice, facts, withOrder } from './decided.ts';

let engine: CedarEngine;
beforeAll(async () => {
  engine = await loadCedar();
});

interface Asked {
  readonly who?: Partial<Subject>;
  readonly action?: Action;
  readonly facts?: Facts;
  readonly limits?: CedarLimits;
}

/** The reasons that the program's own rules give. */
function reasons({ who = {}, action = 'place', facts: known = facts, limits }: Asked): string[] {
  const rules = cedarRules(engine, baseRules(engine), () => limits);
  const { forbidden, error } = rules.evaluate({ ...alice, ...who }, action, known);
  expect(error).toBeUndefined();
  return forbidden.map(({ reason }) => reason);
}

const others: readonly Action[] = ['send_message', 'change_policy', 'grant_mandate'];
const withoutOrder: Facts = { ...facts, order: null, market: null, broker: null, holdings: null };

describe('the rules of every gateway', () => {
  it('let pass what its owner approved', () => {
    expect(reasons({})).toEqual([]);
    expect(reasons({ action: 'replace' })).toEqual([]);
    for (const action of others) expect(reasons({ action, facts: withoutOrder })).toEqual([]);
  });

  it('are right, and give published reasons', () => {
    const rules = baseRules(engine).filter(({ effect }) => effect === 'forbid');
    expect(rules.length).toBeGreaterThan(4);
    for (const { reason } of rules) expect(policyReasons).toContain(reason);
  });

  it('let nothing pass that nobody approved', () => {
    expect(reasons({ who: { approval: 'none', approvers: [] } })).toEqual(['APPROVAL_MISSING']);
    expect(reasons({ who: { approvers: [] } })).toEqual(['APPROVAL_MISSING']);
    expect(reasons({ who: { approval: 'yes' as 'tap' } })).toEqual(['APPROVAL_MISSING']);
    for (const action of others) {
      const asked = { action, facts: withoutOrder };
      expect(reasons({ ...asked, who: { approval: 'none', approvers: [] } })).toEqual(['APPROVAL_MISSING']);
    }
  });

  it('have a mandate approve orders alone', () => {
    const who = { approval: 'mandate', approvers: [] } as const;
    expect(reasons({ who })).toEqual([]);
    for (const action of others)
      expect(reasons({ who, action, facts: withoutOrder })).toEqual(['APPROVAL_MISSING']);
  });

  it('let a cancel pass, whoever wants it', () => {
    expect(
      reasons({ action: 'cancel', who: { approval: 'none', approvers: [] }, facts: withoutOrder }),
    ).toEqual([]);
  });

  it('let nobody approve what they propose for another', () => {
    const advisor = { sub: 'bob', owner: 'alice', approval: 'tap' } as const;
    expect(reasons({ who: { ...advisor, approvers: ['bob'] } })).toEqual(['APPROVAL_BY_PROPOSER']);
    expect(reasons({ who: { ...advisor, approvers: ['alice'] } })).toEqual([]);
    expect(reasons({ who: { ...advisor, approvers: ['alice', 'bob'] } })).toEqual(['APPROVAL_BY_PROPOSER']);
    expect(reasons({ who: { ...advisor, approvers: ['alice', 'carol'] } })).toEqual([]);
  });

  describe('with real money', () => {
    const limits = { live: { mandate_up_to: '500', second_person_above: '2000' } };
    const live = (notional: string | null) => withOrder({ notional }, { environment: 'live' });
    const mandate = { approval: 'mandate', approvers: [] } as const;

    it.each([
      ['500', []],
      ['500.0001', ['LIVE_NEEDS_TAP']],
      ['500.00001', ['LIVE_NEEDS_TAP']],
      [null, ['LIVE_NEEDS_TAP']],
    ])('a mandate covers up to live.mandate_up_to: $%s', (notional, expected) => {
      expect(reasons({ who: mandate, facts: live(notional), limits })).toEqual(expected);
    });

    it('a mandate covers what it says where no such limit is set, and on paper', () => {
      expect(reasons({ who: mandate, facts: live('100000') })).toEqual([]);
      expect(reasons({ who: mandate, facts: withOrder({ notional: '100000' }), limits })).toEqual([]);
    });

    it.each([
      ['2000', ['alice'], []],
      ['2000.01', ['alice'], ['APPROVAL_NEEDS_SECOND']],
      [null, ['alice'], ['APPROVAL_NEEDS_SECOND']],
      ['2000.01', ['alice', 'alice'], ['APPROVAL_NEEDS_SECOND']],
      ['2000.01', ['alice', 'bob'], []],
    ])('above live.second_person_above it takes two: $%s by %j', (notional, approvers, expected) => {
      expect(reasons({ who: { approvers }, facts: live(notional), limits })).toEqual(expected);
    });
  });

  it('are no rules about an order that is missing', () => {
    const rules = cedarRules(engine, baseRules(engine), () => undefined);
    const answer = rules.evaluate(alice, 'place', { ...facts, order: null });
    expect(answer).toEqual({ forbidden: [], error: 'what is known of it can’t be put to the rules' });
  });
});
