import { nothingCounted } from '../../../trading/counted-order.ts';
import type { Account } from '../../../trading/views.ts';
import { decide, refusalOfDecision } from '../decide.ts';
import type { Facts, Subject } from '../decision.ts';
import { tokenFacts } from '../parties.ts';
import type { Rules } from '../rules.ts';

/**
 * Rules may forbid that they are changed from afar, a firm's say (`Action::"change_policy"`).
 * @param rules those that are in force
 * @throws {Refusal} 403 `policy_denied`
 */
export function requireChangeAllowed(
  rules: Rules,
  { account, environment }: Pick<Account, 'account' | 'environment'>,
  subject: Subject,
  now: number,
): void {
  const facts: Facts = {
    at: new Date(now).toISOString(),
    account,
    environment,
    order: null,
    market: null,
    broker: null,
    holdings: null,
    // Nothing is traded by it; a halt is looked at where it is proposed and carried out.
    counted: nothingCounted,
    more: tokenFacts(subject),
  };
  const decision = decide(rules, subject, 'change_policy', facts);
  // Whoever has not been asked yet is asked next.
  const passes = decision.effect === 'allow' || (decision.effect === 'ask' && subject.approval === 'none');
  if (!passes) throw refusalOfDecision(decision);
}
