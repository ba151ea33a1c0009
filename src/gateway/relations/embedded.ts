import type { AccessGrant, AccessStore } from '../../store/access-store.ts';
import type { Permission } from '../../trading/permissions.ts';
import type { Relations } from './relations.ts';

export type AccessRelation = 'owner' | 'co_owner' | 'advisor' | 'viewer' | 'household_member';

const owners = ['owner', 'co_owner'] as const;
const managers = [...owners, 'advisor'] as const;

/** The relations that include each permission. A test compares them with docs/operate/access/model.fga. */
export const relationsByPermission: Readonly<Record<Permission, readonly AccessRelation[]>> = {
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

/**
 * Creates relations that follow from the access that owners granted with `trade-agent access`. The owner's `sub`
 * identifies the account. A firm or household is defined for one account, whose owner decides who belongs to it.
 */
export function createEmbeddedRelations(store: Pick<AccessStore, 'listByAccount'>): Relations {
  return {
    async check({ user, relation, account, at }) {
      if (user === account) return relationsByPermission[relation].includes('owner');
      const standings = standingsOf(user, await store.listByAccount(account), at);
      return relationsByPermission[relation].some((standing) => standings.has(standing));
    },
    async secondApprovers(account, at) {
      const grants = await store.listByAccount(account);
      const named = [...new Set(grants.filter(({ role }) => role === 'co_owner').map(({ who }) => who))];
      return named.filter((who) =>
        relationsByPermission.can_approve_second.some((standing) => standingsOf(who, grants, at).has(standing)),
      );
    },
  };
}

function standingsOf(user: string, all: readonly AccessGrant[], at: number): ReadonlySet<AccessRelation> {
  const grants = all.filter(({ from, until }) => from <= at && (until === null || at < until));
  const isPart = (role: 'firm' | 'household', name: string) =>
    grants.some((grant) => grant.role === role && grant.who === name);
  const standings = new Set<AccessRelation>();
  for (const { role, who, of } of grants) {
    if (who !== user) continue;
    if (role === 'co_owner' || role === 'viewer') standings.add(role);
    else if (role === 'advisor' && (of === null || isPart('firm', of))) standings.add('advisor');
    else if (role === 'member' && of !== null && isPart('household', of)) standings.add('household_member');
  }
  return standings;
}
