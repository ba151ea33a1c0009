import type { RelationQuestion } from '../../trading/relations.ts';

/** What a person is to an account, however they came to be it. */
export type Standing = 'owner' | 'co_owner' | 'advisor' | 'viewer' | 'household_member';

const owners = ['owner', 'co_owner'] as const;
const managers = [...owners, 'advisor'] as const;

/** Who may what: the same as `define can_…` in docs/access/model.fga, to which a test holds it. */
export const rights: Readonly<Record<RelationQuestion, readonly Standing[]>> = {
  can_view: [...managers, 'viewer', 'household_member'],
  can_view_proposals: managers,
  can_propose: managers,
  can_replace: managers,
  can_cancel: managers,
  can_withdraw: managers,
  can_approve: owners,
  can_approve_second: owners,
  can_halt: managers,
  can_lift: owners,
  can_change_policy: owners,
  can_grant_mandate: owners,
  can_revoke_mandate: owners,
  can_grant_access: ['owner'],
};
