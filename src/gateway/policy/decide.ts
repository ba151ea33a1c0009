import { formatShares } from '../../trading/amounts.ts';
import { emptyCountedTotals } from '../../trading/counted-order.ts';
import { Dec } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import { defined } from '../../values/defined.ts';
import { findBrokerObjections } from './broker-checks.ts';
import {
  collectObjections,
  computeDayLoss,
  computeSharesFreeToSell,
  type Decision,
  type DecisionFacts,
  type DecisionSubject,
  factUnavailableObjection,
  type Objection,
  type OrderFacts,
  type PolicyAction,
} from './decision.ts';
import { type AccountLimits, findLimitObjections, findMessageObjections } from './limit-table.ts';
import { findProposerAndApproverObjections, findSignInObjection, toTokenFacts } from './parties.ts';
import type { Rules } from './rules.ts';

/** Actions that create exposure or reveal something. They are denied if the rules can't be read. */
const RULE_DEPENDENT_ACTIONS: readonly PolicyAction[] = ['place', 'replace', 'grant_mandate', 'send_message'];

/** Reasons that only require more approval. They no longer apply after that approval. */
const APPROVAL_REASONS: readonly PolicyReason[] = [
  'APPROVAL_MISSING',
  'APPROVAL_NEEDS_SECOND',
  'APPROVAL_NEEDS_CODE',
  'LIVE_NEEDS_TAP',
];

/**
 * Decides without side effects, because the same code runs before approval is requested, at execution, and inside the
 * transaction that claims the order. Objections are in this order: trading state, broker and market, parties, limits,
 * policies. A cancellation reduces exposure and always passes.
 * @returns `deny` if any objection can't be lifted by an approval; `ask` if only an approval is missing; otherwise
 * `allow`
 */
export function evaluatePolicy(
  rules: Rules,
  subject: DecisionSubject,
  action: PolicyAction,
  facts: DecisionFacts,
): Decision {
  const objections = action === 'cancel' ? [] : objectionsTo(rules, subject, action, facts);
  const against = objections.filter(({ reason }) => !APPROVAL_REASONS.includes(reason));
  const missing = objections.filter(({ reason }) => APPROVAL_REASONS.includes(reason));
  if (missing.length === 0 && subject.approval === 'none') {
    missing.push({ reason: 'APPROVAL_MISSING', text: 'the owner has not approved it yet' });
  }
  const reported = against.length > 0 ? against : missing;
  const [first] = reported;
  const { digest: policy } = rules;
  if (first === undefined) return { effect: 'allow', reasons: [], texts: [], policy };
  const { hint, limit, value, problem } = first;
  return {
    effect: against.length > 0 ? 'deny' : 'ask',
    // Removes duplicates, because two limits that lack the same fact have the same reason.
    reasons: [...new Set(reported.map(({ reason }) => reason))],
    texts: firstTexts(reported),
    ...defined({ hint, limit, value, problem }),
    policy,
  };
}

export function toDecisionProblem(decision: Decision): HttpProblem {
  const { reasons, texts, hint, limit, value, problem, policy } = decision;
  const [reason] = reasons;
  return new HttpProblem(
    problem?.status ?? 403,
    problem?.code ?? 'policy_denied',
    texts[0] ?? 'the action is not allowed',
    {
      ...defined({ hint, fields: problem?.fields }),
      members: {
        ...problem?.members,
        reason,
        reasons,
        ...defined({ limit, value }),
        policy,
      },
      ...(problem === undefined ? { challenge: {} } : {}),
    },
  );
}

/**
 * Requires that an action other than an order is allowed. Such actions don't count toward limits.
 * @throws {HttpProblem} 403 `policy_denied`
 */
export function requireAllowedAction(
  rules: Rules,
  subject: DecisionSubject,
  action: 'change_policy' | 'grant_mandate',
  { account, environment }: Pick<DecisionFacts, 'account' | 'environment'>,
  now: number,
): void {
  const decision = evaluatePolicy(rules, subject, action, {
    at: new Date(now).toISOString(),
    account,
    environment,
    order: null,
    market: null,
    broker: null,
    holdings: null,
    counted: emptyCountedTotals,
    more: toTokenFacts(subject),
  });
  // If only the approval is missing and nobody was asked for it yet, the action passes: the approval comes next.
  const passes = decision.effect === 'allow' || (decision.effect === 'ask' && subject.approval === 'none');
  if (!passes) throw toDecisionProblem(decision);
}

function objectionsTo(rules: Rules, subject: DecisionSubject, action: PolicyAction, facts: DecisionFacts): Objection[] {
  const { order } = facts;
  const isOrder = action === 'place' || action === 'replace';
  const limits = rules.limitsOf(facts.account);
  return collectObjections<Objection>(
    isOrder && stateObjection(order, facts, limits),
    isOrder && clockObjection(facts),
    isOrder && order !== null && findBrokerObjections(order, facts),
    isOrder && findProposerAndApproverObjections(subject, facts, limits),
    isOrder &&
      order !== null &&
      limits !== undefined &&
      findLimitObjections(limits, { facts, order, replaces: action === 'replace' }),
    facts.message !== undefined && findMessageObjections(limits, facts.message, facts),
    findSignInObjection(subject, action, facts, limits),
    policyObjections(rules, subject, action, facts),
    isOrder && changedRulesObjection(rules, subject),
  );
}

/** Objects if the owner approved the order under other rules. Orders under a mandate are checked elsewhere. */
function changedRulesObjection({ digest }: Rules, { approval, policy }: DecisionSubject): Objection | undefined {
  if (approval !== 'tap' || policy === undefined || policy === digest) return undefined;
  return {
    reason: 'POLICY_CHANGED',
    text: 'the rules have changed since the order was proposed',
    hint: 'Propose the order again, so that its owner approves it under the current rules.',
  };
}

/** Returns whether the day's loss exceeds its limit. If so, only reducing orders pass until midnight in New York. */
export function isDayLossExceeded(limits: AccountLimits | undefined, holdings: DecisionFacts['holdings']): boolean {
  const limit = limits?.max_day_loss;
  if (limit === undefined || holdings === null) return false;
  return computeDayLoss(holdings)?.gt(limit) ?? false;
}

function stateObjection(
  order: OrderFacts | null,
  facts: DecisionFacts,
  limits: AccountLimits | undefined,
): Objection | undefined {
  const { counted, holdings } = facts;
  if (counted.state === 'halted') {
    return {
      reason: 'TRADING_HALTED',
      text: 'trading is halted',
      hint: 'Propose lifting the halt with "trade-agent halt --lift", then approve the proposal on your phone.',
    };
  }
  const isReducing = counted.state === 'reducing' || isDayLossExceeded(limits, holdings);
  if (!isReducing || order === null) return undefined;
  const reason = 'TRADING_REDUCING_ONLY';
  const only = 'positions may only be reduced for now';
  const hint = 'Only sell or cancel, or run "trade-agent halt --lift" and approve the proposal on your phone.';
  if (order.side === 'buy') return { reason, text: `${only}: purchases are not allowed`, hint };
  if (holdings === null) return factUnavailableObjection('the position');
  const left = computeSharesFreeToSell(holdings, counted);
  if (new Dec(order.shares).lte(left)) return undefined;
  const limit = Dec.max(left, 0).toFixed();
  const text = `${only}: ${formatShares(limit)} ${order.symbol} are held and in no open sell order`;
  return { reason, text, hint, limit, value: order.shares };
}

/** Objects if the clock is wrong, because daily limits would then be reset on the wrong day. */
function clockObjection({ counted: { clock_behind: behind } }: DecisionFacts): Objection | undefined {
  if (behind === undefined) return undefined;
  return {
    reason: 'POLICY_CLOCK_BEHIND',
    text: `the account’s newest order is dated ${Math.floor(behind / 3600)} hours ahead of the gateway’s clock, so today’s usage can’t be determined`,
    hint: 'The gateway’s operator has to correct the clock. If the clock is right now, but was ahead when that order was sent, run "trade-agent gateway recount".',
  };
}

function policyObjections(
  rules: Rules,
  subject: DecisionSubject,
  action: PolicyAction,
  facts: DecisionFacts,
): Objection[] {
  if (rules.problem !== undefined) {
    if (!RULE_DEPENDENT_ACTIONS.includes(action)) return [];
    return [
      {
        reason: 'POLICY_INVALID',
        text: 'the rules can’t be read, and nothing can be traded without them',
        hint: `Ask the gateway’s owner to fix the rules: ${rules.problem}`,
      },
    ];
  }
  const problem = RULE_DEPENDENT_ACTIONS.includes(action) ? rules.limitsProblem?.(facts.account) : undefined;
  if (problem !== undefined) {
    return [
      {
        reason: 'POLICY_INVALID',
        text: `it is uncertain which limits apply to the account ${facts.account}, and nothing can be traded without them`,
        hint: `Ask the gateway’s owner to fix the limits: ${problem}`,
      },
    ];
  }
  const { forbidden, error } = rules.cedar.evaluate(subject, action, facts);
  const said = forbidden.map(({ reason, id, message }) => ({
    reason,
    text: message,
    hint: `The gateway’s rule "${id}" forbids this.`,
  }));
  return collectObjections<Objection>(
    said,
    error !== undefined && {
      reason: 'POLICY_UNEVALUABLE',
      text: 'a rule could not be evaluated, so nothing can be traded',
      hint: `Ask the gateway’s owner to fix the rule: ${error}`,
    },
  );
}

function firstTexts(objections: readonly Objection[]): string[] {
  const texts = new Map<string, string>();
  for (const { reason, text } of objections) if (!texts.has(reason)) texts.set(reason, text);
  return [...texts.values()];
}
