import { dollars } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import type { RelationQuestion } from '../../trading/relations.ts';
import { type Relations, RelationsUnavailable } from '../relations/relations.ts';
import type { Action, Facts, Objection, Subject } from './decision.ts';
import type { AccountLimits } from './limit-table.ts';

/** Among the facts: dollars of the orders of a batch that go out before this one. */
export const BATCH_BEFORE = 'batch.before';

/** What proposing an order takes. */
const questionOf: { readonly [A in Action]?: RelationQuestion } = {
  place: 'can_propose',
  replace: 'can_replace',
};

/**
 * Who stands how to the account at this moment, as facts: `relations.can_…`, null where nobody could tell. Asked anew each
 * time, the last right before the transaction that claims the order.
 */
export async function relationFacts(
  relations: Pick<Relations, 'check'>,
  subject: Subject,
  action: Action,
  at: number,
): Promise<Facts['more']> {
  const { sub, owner, approvers } = subject;
  const asked: [RelationQuestion, string][] = [
    [questionOf[action] ?? 'can_propose', sub],
    ['can_approve', owner],
    ...approvers
      .filter((who) => who !== owner)
      .map((who): [RelationQuestion, string] => ['can_approve_second', who]),
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
  if (error instanceof RelationsUnavailable || isTradeAgentError(error)) return null;
  throw error;
}

/** What stands against who has a part in it. */
export function partyObjections(
  subject: Subject,
  facts: Facts,
  limits: AccountLimits | undefined,
): Objection[] {
  return [...relationObjections(subject, facts), ...approverObjections(subject, facts, limits)];
}

function relationObjections({ sub, owner }: Subject, { more }: Facts): Objection[] {
  const told = Object.entries(more).filter(([name]) => name.startsWith('relations.'));
  if (sub !== owner && told.length === 0) return [cannotBeTold];
  return told.flatMap(([name, answer]) => {
    if (answer === true) return [];
    if (answer === null) return [cannotBeTold];
    const relation = name.slice('relations.'.length);
    return [
      {
        reason: 'RELATION_DENIED',
        text: `somebody who has a part in this may not have it any more (${relation})`,
        hint: 'The account’s owner sees who may do what with "trade-agent access list".',
      } as const,
    ];
  });
}

const cannotBeTold: Objection = {
  reason: 'RELATION_UNAVAILABLE',
  text: 'who may do this can’t be told now',
  hint: 'Whoever runs the gateway looks at "relations" in gateway.yaml, and whether that server answers.',
};

function approverObjections(
  { sub, owner, approvers }: Subject,
  facts: Facts,
  limits: AccountLimits | undefined,
): Objection[] {
  if (sub !== owner && approvers.includes(sub)) {
    return [
      {
        reason: 'APPROVAL_BY_PROPOSER',
        text: 'who proposed it approved it: the owner of the account must',
        hint: 'Propose it again, and let the owner decide.',
      },
    ];
  }
  const above = secondPersonAbove(limits, facts);
  if (above === undefined || new Set(approvers).size >= 2) return [];
  const value = comesTo(facts);
  return [
    {
      reason: 'APPROVAL_NEEDS_SECOND',
      text: `what comes to more than ${dollars(above)} takes a second person’s approval`,
      hint: 'Propose it again: the second person is asked then.',
      limit: new Dec(above).toFixed(2),
      value,
    },
  ];
}

/** The amount above which one person’s approval is not enough, where the order is; what nothing bounds is above any. */
export function secondPersonAbove(
  limits: AccountLimits | undefined,
  facts: Pick<Facts, 'environment' | 'order' | 'more'>,
): string | undefined {
  const { environment, order } = facts;
  if (limits === undefined || order === null) return undefined;
  const { second_person_above: always, live } = limits;
  const amounts = [always, environment === 'live' ? live?.second_person_above : undefined];
  const above = amounts.filter((amount) => amount !== undefined);
  if (above.length === 0) return undefined;
  const least = Dec.min(...above);
  const value = comesTo(facts);
  return value !== null && new Dec(value).lte(least) ? undefined : least.toFixed();
}

/** With the orders of its batch before it: cut into small ones, an amount is no smaller. Null where nothing bounds it. */
function comesTo({ order, more }: Pick<Facts, 'order' | 'more'>): string | null {
  const before = more[BATCH_BEFORE];
  if (order === null || order.notional === null) return null;
  return typeof before === 'string' ? new Dec(order.notional).plus(before).toFixed(2) : order.notional;
}
