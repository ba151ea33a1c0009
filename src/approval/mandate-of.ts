import type { StoredProposal } from '../store/proposal-store.ts';
import { kindWords } from '../trading/kinds/kinds.ts';

/** By which mandate a proposal is approved; undefined where its owner is asked. */
export function mandateOf({ kind, subject }: Pick<StoredProposal, 'kind' | 'subject'>): string | undefined {
  return kindWords(kind).mandate?.(subject);
}
