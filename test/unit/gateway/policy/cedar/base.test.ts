import { beforeAll, describe, expect, it } from 'vitest';
import { type CedarEngine, loadCedar } from '../../../../../src/gateway/policy/cedar/cedar-engine.ts';
import { type CedarLimits, createCedarRules } from '../../../../../src/gateway/policy/cedar/cedar-rules.ts';
import { parseBaseRules } from '../../../../../src/gateway/policy/cedar/rule-text.ts';
import type { DecisionFacts, DecisionSubject, PolicyAction } from '../../../../../src/gateway/policy/decision.ts';
import { policyReasons } from '../../../../../src/trading/policy-reasons.ts';
import { alice, facts } from './decided.ts';

let engine: CedarEngine;
beforeAll(async () => {
  engine = await loadCedar();
});

interface Asked {
  readonly who?: Partial<DecisionSubject>;
  readonly action?: PolicyAction;
  readonly facts?: DecisionFacts;
  readonly limits?: CedarLimits;
}

/** The reasons that the program's own rules give. */
function reasons({ who = {}, action = 'place', facts: known = facts, limits }: Asked): string[] {
  const rules = createCedarRules(engine, parseBaseRules(engine), () => limits);
  const { forbidden, error } = rules.evaluate({ ...alice, ...who }, action, known);
  expect(error).toBeUndefined();
  return forbidden.map(({ reason }) => reason);
}

const others: readonly PolicyAction[] = ['send_message', 'change_policy', 'grant_mandate'];
const withoutOrder: DecisionFacts = { ...facts, order: null, market: null, broker: null, holdings: null };

describe('the rules of every gateway', () => {
  it('let pass what its owner approved', () => {
    expect(reasons({})).toEqual([]);
    expect(reasons({ action: 'replace' })).toEqual([]);
    for (const action of others) expect(reasons({ action, facts: withoutOrder })).toEqual([]);
  });

  it('are right, and give published reasons', () => {
    const rules = parseBaseRules(engine).filter(({ effect }) => effect === 'forbid');
    expect(rules.length).toBeGreaterThan(3);
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
    for (const action of others) expect(reasons({ who, action, facts: withoutOrder })).toEqual(['APPROVAL_MISSING']);
  });

  it('let a cancel pass, whoever wants it', () => {
    expect(reasons({ action: 'cancel', who: { approval: 'none', approvers: [] }, facts: withoutOrder })).toEqual([]);
  });

  it('let nobody approve what they propose for another', () => {
    const advisor = { sub: 'bob', owner: 'alice', approval: 'tap' } as const;
    expect(reasons({ who: { ...advisor, approvers: ['bob'] } })).toEqual(['APPROVAL_BY_PROPOSER']);
    expect(reasons({ who: { ...advisor, approvers: ['alice'] } })).toEqual([]);
    expect(reasons({ who: { ...advisor, approvers: ['alice', 'bob'] } })).toEqual(['APPROVAL_BY_PROPOSER']);
    expect(reasons({ who: { ...advisor, approvers: ['alice', 'carol'] } })).toEqual([]);
  });

  it('are no rules about an order that is missing', () => {
    const rules = createCedarRules(engine, parseBaseRules(engine), () => undefined);
    const answer = rules.evaluate(alice, 'place', { ...facts, order: null });
    expect(answer).toEqual({ forbidden: [], error: 'the rules can’t be evaluated with this data' });
  });
});
