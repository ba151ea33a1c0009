import type { ProposalKind } from './kinds/kinds.ts';

/**
 * A person's permissions in an account: the `can_…` relations in docs/operate/access/model.fga, the same in every
 * backend. Public API: never rename a permission.
 */
export const permissions = [
  'can_view',
  'can_view_proposals',
  'can_propose',
  'can_replace',
  'can_cancel',
  'can_withdraw',
  'can_approve',
  'can_approve_second',
  'can_halt',
  'can_lift',
  'can_change_policy',
  'can_grant_mandate',
  'can_revoke_mandate',
  'can_grant_access',
] as const;
export type Permission = (typeof permissions)[number];

/**
 * The permission that proposing each kind requires. Undefined for kinds without an account: people can propose
 * these only for themselves.
 */
export const permissionToPropose: Readonly<Record<ProposalKind, Permission | undefined>> = {
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
