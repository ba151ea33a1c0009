import { formatConnectCommand } from '../../tools/gateway/gateway-problem.ts';
import { fieldsChosenByAi } from '../../trading/kinds/chosen-by-ai.ts';
import type { KindOutcome } from '../../trading/kinds/kind-words.ts';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import type { Proposal } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { ApprovalView } from '../events.ts';

/** Converts a proposal to a view. @param thread the local thread of the proposal; empty if it has none */
export function toApprovalView(proposal: Proposal, thread: string): ApprovalView {
  const { id, state, code, expires_at, reason, worst_case, warnings, requested_by, client } = proposal;
  const { kind, subject, shows, code_entry } = proposal;
  const environment = getKindDefinition(kind).environment?.(subject);
  const mandate = findProposalMandateId(proposal);
  const chosen = fieldsChosenByAi(proposal.provenance);
  const view: unknown = {
    id,
    thread,
    status: state,
    code,
    expires_at,
    reason: reason === undefined ? undefined : reasonText(reason),
    worst_case,
    warnings,
    requested_by,
    client,
    kind,
    ...defined({ environment, code_entry }),
    ...(chosen.length === 0 ? {} : { chosen_by_ai: chosen }),
    ...defined({ account_at: shows?.Account, mandate_id: mandate }),
    [kind]: subject,
    ...toProposalOutcome(proposal),
  };
  // The cast is safe because the table of kinds determines the field named after the kind.
  return view as ApprovalView;
}

function reasonText({ code, text, members }: NonNullable<Proposal['reason']>): string {
  // If the gateway's machine stores the broker's credentials, they must be unlocked there. The hint to connect an
  // account would be wrong.
  if (code !== 'account_not_connected' || members?.credentials !== undefined) return text;
  const connection = typeof members?.connection === 'string' ? members.connection : 'broker';
  return `${text}; connect it with "${formatConnectCommand(connection)}"`;
}

export function findProposalMandateId({ kind, subject }: Pick<Proposal, 'kind' | 'subject'>): string | undefined {
  return getKindDefinition(kind).mandate?.(subject);
}

export function describeProposal({ kind, subject }: Proposal): string {
  return getKindDefinition(kind).summary(subject);
}

export function toProposalOutcome({ kind, subject, result }: Proposal): KindOutcome {
  return result === undefined ? {} : getKindDefinition(kind).toOutcome(result, subject);
}
