import type { NewPolicyDecision } from '../store/decision-store.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import type { ProposalKind } from '../trading/proposal.ts';

export interface Denial extends Pick<NewPolicyDecision, 'sub' | 'client' | 'stage'> {
  readonly kind: ProposalKind;
  readonly owner: string;
  readonly proposer: string;
  /** The subject's id if the proposal exists already, such as a `client_order_id`. */
  readonly subjectId?: string;
  readonly refusal: HttpProblem;
}

/** Kinds whose denials by order rules are logged, with all of the decision's data, by the code that decides. */
const KINDS_LOGGED_ELSEWHERE: readonly ProposalKind[] = ['order', 'replace', 'batch'];

/** Logs a denial by the owner's rules, unless it is logged elsewhere. Ignores other errors. */
export async function logDenial(
  { onDenial }: { readonly onDenial?: ((denied: Denial) => Promise<void>) | undefined },
  about: Omit<Denial, 'refusal'>,
  error: unknown,
): Promise<void> {
  if (!(error instanceof HttpProblem) || error.code !== 'policy_denied') return;
  if (KINDS_LOGGED_ELSEWHERE.includes(about.kind) && error.options.members?.policy !== undefined) return;
  await onDenial?.({ ...about, refusal: error });
}

/** Returns whether a missing relation caused the denial. If so, the proposer may be a stranger to the account. */
export function isRelationDenial({ options }: HttpProblem): boolean {
  return String(options.members?.reason).startsWith('RELATION_');
}
