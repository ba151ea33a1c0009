import type { DecisionNote } from '../store/decision-store.ts';
import type { ProposalKind } from '../trading/proposal.ts';
import { Refusal } from '../trading/refusal.ts';

/** A refusal by the owner's rules that nobody has written down yet. */
export interface Denied extends Pick<DecisionNote, 'sub' | 'client' | 'stage'> {
  readonly kind: ProposalKind;
  /** Whose account it is about, and whose idea it was. */
  readonly owner: string;
  readonly proposer: string;
  /** Of what was proposed already: `client_order_id`. */
  readonly subjectId?: string;
  readonly refusal: Refusal;
}

/** Kinds whose refusals by the rules for orders are noted where they are made, with all that they were decided by. */
const NOTED: readonly ProposalKind[] = ['order', 'replace', 'batch'];

/** Has a refusal by the owner's rules written down, where that is not done yet. Anything else is none. */
export async function noteDenied(
  { onDenied }: { readonly onDenied?: ((denied: Denied) => Promise<void>) | undefined },
  about: Omit<Denied, 'refusal'>,
  error: unknown,
): Promise<void> {
  if (!(error instanceof Refusal) || error.code !== 'policy_denied') return;
  if (NOTED.includes(about.kind) && error.options.members?.policy !== undefined) return;
  await onDenied?.({ ...about, refusal: error });
}

/** Whether it is said of somebody who may have no part in the account at all. */
export function isByRelation({ options }: Refusal): boolean {
  return String(options.members?.reason).startsWith('RELATION_');
}
