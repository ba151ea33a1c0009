import type { DecisionNote } from '../../store/decision-store.ts';
import type { ProposalKind } from '../../trading/proposal.ts';
import type { Action } from './decision.ts';

const actions: Readonly<Partial<Record<ProposalKind, Action>>> = {
  order: 'place',
  replace: 'replace',
  message: 'send_message',
};

/** That something was refused for a halt before anything was asked about it: nothing else is known of it. */
export function haltedNote(
  { sub, client, kind }: { readonly sub: string; readonly client: string; readonly kind: ProposalKind },
  policy: string,
  now: number,
): DecisionNote {
  return {
    ...{ sub, client, policy },
    account: '',
    action: actions[kind] ?? kind,
    stage: 'proposal',
    subjectId: '',
    effect: 'deny',
    reasons: ['TRADING_HALTED'],
    texts: ['trading is halted'],
    facts: { at: new Date(now).toISOString(), counted: { state: 'halted' } },
  };
}
