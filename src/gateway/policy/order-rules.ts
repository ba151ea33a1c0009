import type { UncoveredReason } from '../../approval/kind.ts';
import type { Clock } from '../../machine/clock.ts';
import type { DecisionStore, NewPolicyDecision } from '../../store/decision-store.ts';
import { HALTED_BY_MAX_DAY_LOSS, type HaltStore } from '../../store/halts.ts';
import type { OrderJournal } from '../../store/order-journal.ts';
import type { ProposalStore } from '../../store/proposal-store.ts';
import { addOrdersToTotals, type CountedTotals, sumReservedDollars } from '../../trading/counted-order.ts';
import type { HttpProblem } from '../../trading/http-problem.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Relations } from '../relations/relations.ts';
import { evaluatePolicy, isDayLossExceeded, toDecisionProblem } from './decide.ts';
import type { Decision, DecisionFacts, DecisionSubject, UncountedFacts } from './decision.ts';
import { type BrokerSnapshot, readBrokerSnapshots, toUncountedFacts } from './order-world.ts';
import { loadOriginFacts } from './origin.ts';
import { BATCH_TOTAL_BEFORE_FACT, loadRelationFacts, toTokenFacts } from './parties.ts';
import type { Rules, RulesSource } from './rules.ts';
import { findMandateMismatches } from './within-mandate.ts';

interface OrderRulesOptions {
  readonly rules: RulesSource;
  readonly journal: OrderJournal;
  readonly halts: HaltStore;
  readonly proposals: Pick<ProposalStore, 'hasNamed'>;
  readonly decisions: DecisionStore;
  readonly relations: Pick<Relations, 'check'>;
  readonly clock: Clock;
}

export interface OrderDecisionRequest {
  readonly subject: DecisionSubject;
  readonly draft: OrderDraft;
  /** The broker's id of the order that this order replaces. */
  readonly replaces?: string | undefined;
  /** Orders of the same batch that are sent before this order. */
  readonly after?: readonly OrderDraft[] | undefined;
}

/** Reads facts and decides about orders, with the same code before approval is requested and at execution. */
export type OrderRules = ReturnType<typeof createOrderRules>;

export function createOrderRules(options: OrderRulesOptions) {
  const { rules: source, journal, halts, decisions, relations, clock, proposals } = options;

  const isKnownSymbol = async (sub: string, symbol: string) =>
    (await journal.hasTraded(sub, symbol)) || (await proposals.hasNamed(sub, symbol));
  const known = async (asked: OrderDecisionRequest, world: BrokerSnapshot) => {
    const { subject, draft, replaces, after = [] } = asked;
    const fromRelations = await loadRelationFacts(relations, subject, actionOf(asked), clock.now());
    const more = {
      ...fromRelations,
      ...toTokenFacts(subject),
      ...(await loadOriginFacts(subject.origin, () => isKnownSymbol(subject.owner, draft.symbol))),
      ...(after.length === 0 ? {} : { [BATCH_TOTAL_BEFORE_FACT]: sumReservedDollars(after) }),
    };
    const facts = { ...toUncountedFacts({ draft, replaces }, world, { now: clock.now() }), more };
    return { rules: await source.current(), facts };
  };
  /** Reads the current rules and facts. If the day's loss exceeds its limit, positions can only be reduced that day. */
  const rulesAndFacts = async (asked: OrderDecisionRequest, world: BrokerSnapshot) => {
    const now = clock.now();
    const { rules, facts } = await known(asked, world);
    if (isDayLossExceeded(rules.limitsOf(facts.account), facts.holdings)) {
      await halts.restrict(asked.subject.owner, HALTED_BY_MAX_DAY_LOSS, nextDay(now), now);
    }
    return { rules, facts };
  };

  return {
    /** Reads the broker's data for each symbol; parameters and errors as for {@link readBrokerSnapshots}. */
    worlds: async (broker: OpenAccount, symbols: readonly string[], early?: Promise<readonly Order[]>) =>
      readBrokerSnapshots(broker, symbols, await source.current(), { journal, clock }, early),
    /**
     * Applies all rules with the current counts, and records a denial.
     * @returns whether a second approval is needed, whether the owner must type the code, and the rules' digest
     * @throws {HttpProblem} 403 `policy_denied`, or the problem that the first reason defines; both have the members
     * `reason` and `reasons`
     */
    async requireAllowed(asked: OrderDecisionRequest, world: BrokerSnapshot, stage: NewPolicyDecision['stage']) {
      const { rules, facts } = await rulesAndFacts(asked, world);
      const counted = addOrdersToTotals(asked.after ?? [], await journal.count(countingOf(asked), clock.now()));
      const decision = decided(rules, asked, facts, counted);
      const needs = {
        needsSecond: decision.reasons.includes('APPROVAL_NEEDS_SECOND'),
        needsCode: decision.reasons.includes('APPROVAL_NEEDS_CODE'),
        policy: decision.policy,
      };
      if (decision.effect === 'allow') return needs;
      // If only the approval is missing and nobody was asked for it yet, the order passes: the approval comes next.
      if (decision.effect === 'ask' && asked.subject.approval === 'none') return needs;
      await decisions.note(noteOf(asked, decision, { ...facts, counted }, stage), clock.now());
      throw toDecisionProblem(decision);
    },
    /** Returns the current decision without storing anything. */
    async decision(asked: OrderDecisionRequest, world: BrokerSnapshot): Promise<Decision> {
      const { rules, facts } = await known(asked, world);
      return decided(rules, asked, facts, await journal.count(countingOf(asked), clock.now()));
    },
    /** Reads the current rules and facts. The claiming transaction then counts the orders and calls `decide`. */
    async deciding(asked: OrderDecisionRequest, world: BrokerSnapshot) {
      const { rules, facts } = await rulesAndFacts(asked, world);
      let last: Decision | undefined;
      return {
        /** Decides with these counts. Synchronous and without side effects, because `OrderJournal.claim` calls it. */
        decide: (counted: CountedTotals): NewPolicyDecision => {
          last = decided(rules, asked, facts, counted);
          return noteOf(asked, last, { ...facts, counted }, 'order');
        },
        /** Returns the last decision as an HTTP problem. */
        refusal: (): HttpProblem => {
          if (last === undefined || last.effect === 'allow') throw new Error('nothing was denied');
          return toDecisionProblem(last);
        },
      };
    },
  };
}

function decided(rules: Rules, asked: OrderDecisionRequest, facts: UncountedFacts, counted: CountedTotals): Decision {
  const decision = evaluatePolicy(rules, asked.subject, actionOf(asked), { ...facts, counted });
  const { draft } = asked;
  if (draft.mandate === undefined) return decision;
  return decidedUnderMandate(decision, outsideOfItsMandate(draft, counted, rules, Date.parse(facts.at)));
}

function outsideOfItsMandate(
  draft: OrderDraft,
  { mandate }: CountedTotals,
  rules: Rules,
  now: number,
): readonly UncoveredReason[] {
  if (mandate == null) return [{ reason: 'MANDATE_NOT_FOUND', text: 'there is no such mandate' }];
  return findMandateMismatches(mandate, { draft, slot: draft.slot, rules }, now);
}

/** Denies the order if its mandate does not cover it. The rules' objections stay first in the list. */
function decidedUnderMandate(decision: Decision, outside: readonly UncoveredReason[]): Decision {
  const [first] = outside;
  if (first === undefined) return decision;
  const denied = decision.effect === 'deny';
  const { limit, value } = first;
  return {
    ...decision,
    effect: 'deny',
    reasons: [...(denied ? decision.reasons : []), ...outside.map(({ reason }) => reason)],
    texts: [...(denied ? decision.texts : []), ...outside.map(({ text }) => text)],
    ...(denied ? {} : defined({ limit, value })),
  };
}

function actionOf({ replaces }: OrderDecisionRequest): 'place' | 'replace' {
  return replaces === undefined ? 'place' : 'replace';
}

function countingOf({ subject, draft, replaces }: OrderDecisionRequest) {
  return { sub: subject.owner, clientOrderId: draft.client_order_id, draft, replaces };
}

function noteOf(
  asked: OrderDecisionRequest,
  decision: Decision,
  facts: DecisionFacts,
  stage: NewPolicyDecision['stage'],
): NewPolicyDecision {
  const { effect, reasons, texts, limit, value, policy } = decision;
  return {
    sub: asked.subject.owner,
    client: asked.subject.client,
    account: facts.account,
    action: actionOf(asked),
    stage,
    subjectId: asked.draft.client_order_id,
    effect: effect === 'allow' ? 'allow' : 'deny',
    reasons,
    texts,
    limit,
    value,
    policy,
    facts,
  };
}

/** Returns the end of the New York day, in milliseconds since the epoch. */
function nextDay(now: number): number {
  return newYorkInstant(addDays(newYorkDate(now), 1), '00:00');
}
