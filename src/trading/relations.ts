import type { ProposalKind } from './kinds/kinds.ts';

/**
 * What may be asked of who stands how to an account: the relations `can_…` of docs/operate/access/model.fga, by the same names at
 * every backend. Published: models elsewhere go by them, so none is renamed.
 */
export const relationQuestions = [
  /** See the account, its positions, orders and activities. */
  'can_view',
  /** See what was proposed for it. */
  'can_view_proposals',
  'can_propose',
  'can_replace',
  'can_cancel',
  /** Withdraw what somebody else proposed for it. */
  'can_withdraw',
  /** Give the first yes: that of the one whose phone rings. */
  'can_approve',
  /** Give the second yes, where one is not enough. */
  'can_approve_second',
  'can_halt',
  'can_lift',
  'can_change_policy',
  'can_grant_mandate',
  'can_revoke_mandate',
  'can_grant_access',
] as const;
export type RelationQuestion = (typeof relationQuestions)[number];

/** What proposing each kind takes; undefined for what is about no account, and is proposed in one's own name alone. */
export const questionToPropose: Readonly<Record<ProposalKind, RelationQuestion | undefined>> = {
  order: 'can_propose',
  message: undefined,
  cancel: 'can_cancel',
  replace: 'can_replace',
  batch: 'can_propose',
  lift: 'can_lift',
  mandate: 'can_grant_mandate',
  policy_change: 'can_change_policy',
  access: 'can_grant_access',
};
