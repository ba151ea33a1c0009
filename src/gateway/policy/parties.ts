import { isTradeAgentError } from '../../errors/errors.ts';
import { formatDollarAmount } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import type { Permission } from '../../trading/permissions.ts';
import type { Caller } from '../auth/caller.ts';
import { type Relations, RelationsUnavailableError } from '../relations/relations.ts';
import {
  collectObjections,
  type DecisionFacts,
  type DecisionSubject,
  type Objection,
  type OrderFacts,
  type PolicyAction,
} from './decision.ts';
import type { AccountLimits } from './limit-table.ts';
import { isFromOtherAgent, isSymbolKnown } from './origin.ts';

/** Returns the subject of an approved action: who requested the action, and who approved it. */
export function toApprovedSubject(
  { sub: owner, clientId = '', membership, proposer, approvers = [owner], acr, policy }: Caller,
  approval: DecisionSubject['approval'],
): DecisionSubject {
  const by = proposer ?? { sub: owner, client: clientId, membership };
  return { sub: by.sub, client: by.client, membership: by.membership, owner, approval, approvers, acr, policy };
}

/** Name of the fact that holds the dollar total of the batch's orders that precede this order. */
export const BATCH_TOTAL_BEFORE_FACT = 'batch.before';
/** Name of the fact that holds the `acr` claim of each approval's token. */
const APPROVAL_ACR = 'approval.acr';
/** Prefix of the facts about the proposer's `Membership`. */
export const PROPOSER_FACT_PREFIX = 'proposer.';

const questionOf: { readonly [A in PolicyAction]?: Permission } = {
  place: 'can_propose',
  replace: 'can_replace',
};

/** Returns facts about the proposer, the owner and any second approver (`relations.can_…`, null if unknown). */
export async function loadRelationFacts(
  relations: Pick<Relations, 'check'>,
  subject: DecisionSubject,
  action: PolicyAction,
  at: number,
): Promise<DecisionFacts['more']> {
  const { sub, owner, approvers } = subject;
  const asked: [Permission, string][] = [
    [questionOf[action] ?? 'can_propose', sub],
    ['can_approve', owner],
    ...approvers.filter((who) => who !== owner).map((who): [Permission, string] => ['can_approve_second', who]),
  ];
  const answers = await Promise.all(
    asked.map(async ([relation, user]) => {
      const answer = await relations.check({ user, relation, account: owner, at }).catch(unavailable);
      return [`relations.${relation}`, answer] as const;
    }),
  );
  return Object.fromEntries(answers);
}

function unavailable(error: unknown): null {
  if (error instanceof RelationsUnavailableError || isTradeAgentError(error)) return null;
  throw error;
}

export function findProposerAndApproverObjections(
  subject: DecisionSubject,
  facts: DecisionFacts,
  limits: AccountLimits | undefined,
): Objection[] {
  return [...relationObjections(subject, facts), ...approverObjections(subject, facts, limits)];
}

function relationObjections({ sub, owner }: DecisionSubject, { more }: DecisionFacts): Objection[] {
  const answers = Object.entries(more).filter(([name]) => name.startsWith('relations.'));
  if (sub !== owner && answers.length === 0) return [permissionsUnavailable];
  return answers.flatMap(([name, answer]) => {
    if (answer === true) return [];
    if (answer === null) return [permissionsUnavailable];
    const relation = name.slice('relations.'.length);
    return [
      {
        reason: 'RELATION_DENIED',
        text: `someone involved no longer has the required access (${relation})`,
        hint: 'The account’s owner can check access with "trade-agent access list".',
      } as const,
    ];
  });
}

const permissionsUnavailable: Objection = {
  reason: 'RELATION_UNAVAILABLE',
  text: 'permissions can’t be checked at the moment',
  hint: 'The gateway’s operator should check "relations" in gateway.yaml, and that its server responds.',
};

function approverObjections(
  { approval, approvers }: DecisionSubject,
  facts: DecisionFacts,
  limits: AccountLimits | undefined,
): Objection[] {
  const value = totalWithBatch(facts);
  const above = findExceededSecondApprovalLimit(limits, facts);
  const untapped = approval === 'mandate' ? findMissingTapObjection(limits, facts) : undefined;
  return collectObjections<Objection>(
    above !== undefined &&
      !(new Set(approvers).size >= 2) && {
        reason: 'APPROVAL_NEEDS_SECOND',
        text: `an order of more than ${formatDollarAmount(above)} needs a second person’s approval`,
        hint: 'Propose the order again: the second person will then be asked.',
        limit: new Dec(above).toFixed(2),
        value,
      },
    findCodeObjection(limits, facts),
    untapped,
  );
}

/**
 * Returns why the owner must type the code of another agent's order (number matching) instead of only comparing it. If
 * facts are missing, the symbol counts as unknown and the order as too large.
 */
function findCodeObjection(limits: AccountLimits | undefined, facts: DecisionFacts): Objection | undefined {
  const { order, holdings } = facts;
  const above = limits?.number_matching_above;
  if (above === undefined || order === null || !isFromOtherAgent(facts)) return undefined;
  const { symbol } = order;
  const isHeld = holdings !== null && !new Dec(holdings.qty).isZero();
  const isKnown = isHeld || isSymbolKnown(facts) || limits?.symbols?.allow?.includes(symbol) === true;
  const value = totalWithBatch(facts);
  if (isKnown && value !== null && new Dec(value).lte(above)) return undefined;
  const why = isKnown
    ? `for more than ${formatDollarAmount(above)}`
    : `for ${symbol}, which the owner neither holds nor has traded or named,`;
  return {
    reason: 'APPROVAL_NEEDS_CODE',
    text: `another agent’s order ${why} needs its code typed on the phone`,
    hint: 'Propose the order with POST /v1/proposals, so that its owner can type the code. The rule is number_matching_above.',
    ...(isKnown ? { limit: new Dec(above).toFixed(2), value } : { value: symbol }),
  };
}

/** Returns an objection to a live order above `live.mandate_up_to`, which needs a tap even under a mandate. */
export function findMissingTapObjection(
  limits: AccountLimits | undefined,
  { environment, order }: Pick<DecisionFacts, 'environment'> & { readonly order: Pick<OrderFacts, 'notional'> | null },
): Objection | undefined {
  const limit = environment === 'live' ? limits?.live?.mandate_up_to : undefined;
  if (limit === undefined || order === null) return undefined;
  const { notional: value } = order;
  if (value !== null && new Dec(value).lte(limit)) return undefined;
  return {
    reason: 'LIVE_NEEDS_TAP',
    text: `a live order that can total more than ${formatDollarAmount(limit)} needs a tap on the phone`,
    limit: new Dec(limit).toFixed(2),
    value,
  };
}

/** Actions that move real money, or that allow moving it. */
const STEP_UP_ACTIONS: readonly PolicyAction[] = ['place', 'replace', 'change_policy', 'grant_mandate'];

/** Returns the `acr` that the token of a live approval must have (`live.acr`); undefined if none is required. */
export function findRequiredAcr(
  limits: AccountLimits | undefined,
  environment: DecisionFacts['environment'],
): string | undefined {
  return environment === 'live' ? limits?.live?.acr : undefined;
}

/** Returns the facts from the proposer's and approvers' tokens that are recorded with a decision. */
export function toTokenFacts({
  acr,
  membership = {},
}: Pick<DecisionSubject, 'acr' | 'membership'>): DecisionFacts['more'] {
  const proposer = Object.entries(membership).map(([name, value]) => [`${PROPOSER_FACT_PREFIX}${name}`, value]);
  return { ...Object.fromEntries(proposer), ...(acr === undefined ? {} : { [APPROVAL_ACR]: acr }) };
}

/** Returns an objection unless every approver signed in as `live.acr` requires. Checks only approvals by tap. */
export function findSignInObjection(
  { approval, approvers }: DecisionSubject,
  action: PolicyAction,
  { environment, more }: DecisionFacts,
  limits: AccountLimits | undefined,
): Objection | undefined {
  const wanted = findRequiredAcr(limits, environment);
  if (wanted === undefined || approval !== 'tap' || !STEP_UP_ACTIONS.includes(action)) return undefined;
  const found: readonly unknown[] = Array.isArray(more[APPROVAL_ACR]) ? more[APPROVAL_ACR] : [];
  if (found.length >= Math.max(approvers.length, 1) && found.every((acr) => acr === wanted)) return undefined;
  return {
    reason: 'APPROVAL_NEEDS_STEP_UP',
    text: `approvals for real money require the sign-in "${wanted}", but the approval’s token does not confirm this sign-in`,
    hint: 'Approve again with that sign-in. The gateway’s operator has to make the identity provider include "acr" in the token.',
    limit: wanted,
    value: found.filter((acr) => acr !== '').join(' ') || null,
  };
}

/** Returns the exceeded limit, or undefined. An order whose cost has no upper bound exceeds every limit. */
export function findExceededSecondApprovalLimit(
  limits: AccountLimits | undefined,
  facts: Pick<DecisionFacts, 'environment' | 'order' | 'more'>,
): string | undefined {
  const { environment, order } = facts;
  if (limits === undefined || order === null) return undefined;
  const { second_person_above: always, live } = limits;
  const amounts = [always, environment === 'live' ? live?.second_person_above : undefined];
  const above = amounts.filter((amount) => amount !== undefined);
  if (above.length === 0) return undefined;
  const least = Dec.min(...above);
  const value = totalWithBatch(facts);
  return value !== null && new Dec(value).lte(least) ? undefined : least.toFixed();
}

/** Totals the batch up to this order, so that splitting an order can't evade a limit. Null if the cost is unbounded. */
function totalWithBatch({ order, more }: Pick<DecisionFacts, 'order' | 'more'>): string | null {
  const before = more[BATCH_TOTAL_BEFORE_FACT];
  if (order === null || order.notional === null) return null;
  return typeof before === 'string' ? new Dec(order.notional).plus(before).toFixed(2) : order.notional;
}
