import type { DecisionNote } from '../store/decision-store.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import type { ProposalKind } from '../trading/proposal.ts';

/** A refusal by the owner's rules that has not been logged yet. */
export interface Denial extends Pick<DecisionNote, 'sub' | 'client' | 'stage'> {
  readonly kind: ProposalKind;
  /** The owner of the account, and the proposer. */
  readonly owner: string;
  readonly proposer: string;
  /** The `client_order_id` of an existing proposal. */
  readonly subjectId?: string;
  readonly refusal: HttpProblem;
}

/** Kinds whose refusals by order rules are logged where they are made, with everything they were decided by. */
const KINDS_LOGGED_ELSEWHERE: readonly ProposalKind[] = ['order', 'replace', 'batch'];

/** Logs a refusal by the owner's rules, unless it has been logged. Ignores other errors. */
export async function logDenial(
  { onDenial }: { readonly onDenial?: ((denied: Denial) => Promise<void>) | undefined },
  about: Omit<Denial, 'refusal'>,
  error: unknown,
): Promise<void> {
  if (!(error instanceof HttpProblem) || error.code !== 'policy_denied') return;
  if (KINDS_LOGGED_ELSEWHERE.includes(about.kind) && error.options.members?.policy !== undefined) return;
  await onDenial?.({ ...about, refusal: error });
}

/** Whether the refusal is about someone who may have no relation to the account at all. */
export function isRelationDenial({ options }: HttpProblem): boolean {
  return String(options.members?.reason).startsWith('RELATION_');
}
