import { createHash } from 'node:crypto';
import type { CedarAnswer, CedarRules } from '../rules.ts';
import type { CedarDecision, CedarEngine } from './cedar-engine.ts';
import { type CedarLimits, cedarRequest } from './cedar-request.ts';
import { type CedarRule, textsById } from './rule-text.ts';

const NOT_PUT = 'what is known of it can’t be put to the rules';

/**
 * What of these rules stands against an action, in their order. What can't be evaluated is told by the rule's id alone:
 * what Cedar says of it can quote what is known of an order. A cancel always passes.
 * @param rules with those that hold in every gateway
 */
export function cedarRules(
  engine: CedarEngine,
  rules: readonly CedarRule[],
  limitsOf: (account: string) => CedarLimits | undefined,
): CedarRules {
  const policies = textsById(rules);
  // Cedar keeps what it has parsed by a name: no other set has this one.
  const name = createHash('sha256').update(JSON.stringify(policies)).digest('base64url');
  const set = { name, policies };
  return {
    // A name can be written with escapes: then it may be this one.
    asksDayLoss: rules.some(({ text }) => /day_loss|\\/.test(text)),
    evaluate(subject, action, facts) {
      if (action === 'cancel') return { forbidden: [] };
      let decision: CedarDecision;
      try {
        decision = engine.decide(set, cedarRequest(subject, action, facts, limitsOf(facts.account)));
      } catch {
        return { forbidden: [], error: NOT_PUT };
      }
      return decision.decided ? answer(decision, rules) : { forbidden: [], error: NOT_PUT };
    },
  };
}

function answer(
  { by, failed, allowed }: Extract<CedarDecision, { decided: true }>,
  rules: readonly CedarRule[],
): CedarAnswer {
  const held = rules.filter(({ id, effect }) => effect === 'forbid' && by.includes(id));
  const forbidden = held.map(({ reason, id, message }) => ({ reason, id, message }));
  // Cedar skips a rule that fails, as if it did not forbid.
  if (failed.length > 0) return { forbidden, error: `these rules can’t be evaluated: ${failed.join(', ')}` };
  if (allowed || forbidden.length > 0) return { forbidden };
  return { forbidden: [{ reason: 'POLICY_FORBIDS', id: 'base', message: 'no rule permits it' }] };
}

/** Where Cedar can't be loaded: nothing goes out, and what went out can still be cancelled. */
export const unevaluableRules: CedarRules = {
  evaluate: (_subject, action) =>
    action === 'cancel' ? { forbidden: [] } : { forbidden: [], error: 'Cedar can’t be loaded' },
};
