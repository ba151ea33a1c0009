import { fieldLabel } from '../detail-fields.ts';
import type { Provenance } from '../proposal.ts';
import { kinds, type ProposalKind } from './kinds.ts';

/** Returns the fields that a model or another program's agent chose, rather than the person or a rule. */
export function fieldsChosenByAi(provenance: Provenance | null | undefined): string[] {
  return Object.entries(provenance?.fields ?? {}).flatMap(([name, { source }]) => (source === 'other' ? [name] : []));
}

/** Returns `Chosen by the AI, not by you: symbol, limit price`, or undefined if the AI chose no fields. */
export function chosenByAiWarning(kind: ProposalKind, fields: readonly string[]): string | undefined {
  if (fields.length === 0) return undefined;
  const labels = fields.map((name) => {
    const label = fieldLabel(name, kinds[kind].phone.fieldWords);
    return `${label.slice(0, 1).toLowerCase()}${label.slice(1)}`;
  });
  return `Chosen by the AI, not by you: ${labels.join(', ')}`;
}
