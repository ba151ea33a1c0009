import type { z } from 'zod';
import { access } from './access.ts';
import { batch } from './batch.ts';
import { cancel } from './cancel.ts';
import type { KindDefinition } from './kind-words.ts';
import { lift } from './lift.ts';
import { mandate } from './mandate.ts';
import { message } from './message.ts';
import { order } from './order.ts';
import { policyChange } from './policy-change.ts';
import { replace } from './replace.ts';

export const kinds = {
  order,
  message,
  cancel,
  replace,
  batch,
  lift,
  mandate,
  policy_change: policyChange,
  access,
} as const;

export type ProposalKind = keyof typeof kinds;
export const proposalKinds = Object.keys(kinds) as [ProposalKind, ...ProposalKind[]];

export type RequestOf<K extends ProposalKind> = z.output<(typeof kinds)[K]['requestSchema']>;
export type RequestInputOf<K extends ProposalKind> = z.input<(typeof kinds)[K]['requestSchema']>;
export type SubjectOf<K extends ProposalKind> = z.output<(typeof kinds)[K]['subjectSchema']>;
export type ResultOf<K extends ProposalKind> = z.output<(typeof kinds)[K]['resultSchema']>;

export function getKindDefinition(kind: ProposalKind): KindDefinition {
  return kinds[kind] as KindDefinition;
}

export function kindPayload(value: { readonly kind: ProposalKind }): unknown {
  return (value as Partial<Record<ProposalKind | 'kind', unknown>>)[value.kind];
}
