import { describe, expect, it } from 'vitest';
import { createEmbeddedRelations, relationsByPermission } from '../../../../src/gateway/relations/embedded.ts';
import type { AccessGrant } from '../../../../src/store/access-store.ts';
import { permissions } from '../../../../src/trading/permissions.ts';

const NOW = Date.parse('2026-11-25T15:00:00Z');
const HOUR = 3_600_000;
let next = 0;
const grant = (role: AccessGrant['role'], who: string, more: Partial<AccessGrant> = {}): AccessGrant => ({
  id: `ac_${++next}`,
  account: 'alice',
  role,
  who,
  of: null,
  from: NOW - HOUR,
  until: null,
  grantedAt: 0,
  revokedAt: null,
  ...more,
});
const over = (...grants: AccessGrant[]) =>
  createEmbeddedRelations({ listByAccount: async (account) => grants.filter((one) => one.account === account) });
const allowed = async (relations: ReturnType<typeof over>, user: string, at = NOW) => {
  const may: string[] = [];
  for (const relation of permissions) {
    if (await relations.check({ user, relation, account: 'alice', at })) may.push(relation);
  }
  return may;
};
const mayOf = (standing: (typeof relationsByPermission)['can_view'][number]) =>
  permissions.filter((question) => relationsByPermission[question].includes(standing));

describe('who may what about an account', () => {
  it('is all for its owner, and nothing for a stranger', async () => {
    expect(await allowed(over(), 'alice')).toEqual([...permissions]);
    expect(await allowed(over(), 'bob')).toEqual([]);
    for (const who of ['Alice', 'alice ', '', '*']) expect(await allowed(over(), who), who).toEqual([]);
  });

  it.each([
    ['co_owner', 'co_owner', []],
    ['advisor', 'advisor', []],
    ['viewer', 'viewer', []],
    ['advisor of an engaged firm', 'advisor', [grant('firm', 'acme')]],
    ['member of a household', 'household_member', [grant('household', 'adams')]],
  ] as const)('is what a %s may', async (name, standing, others) => {
    const of = name.includes('firm') ? 'acme' : name.includes('household') ? 'adams' : null;
    const role = standing === 'household_member' ? 'member' : standing;
    expect(await allowed(over(...others, grant(role, 'bob', { of })), 'bob')).toEqual(mayOf(standing));
  });

  it('is more for who is two things', async () => {
    const both = over(grant('viewer', 'bob'), grant('co_owner', 'bob'));
    expect(await allowed(both, 'bob')).toEqual(mayOf('co_owner'));
  });

  it('leaves approving to owners, and access to the owner alone', async () => {
    const relations = over(grant('advisor', 'bob'), grant('co_owner', 'carol'));
    expect(await allowed(relations, 'bob')).not.toContain('can_approve');
    expect(await allowed(relations, 'carol')).not.toContain('can_grant_access');
  });

  it.each([
    ['an advisor of a firm that is not engaged', grant('advisor', 'bob', { of: 'acme' }), []],
    ['a member of a household that is none', grant('member', 'bob', { of: 'adams' }), []],
    ['a member of nothing', grant('member', 'bob'), [grant('household', 'adams')]],
    [
      'an advisor of another firm',
      grant('advisor', 'bob', { of: 'other' }),
      [grant('firm', 'acme'), grant('household', 'other')],
    ],
    ['a firm of their name', grant('firm', 'bob'), []],
  ])('is nothing for %s', async (_, mine, others) => {
    expect(await allowed(over(mine, ...others), 'bob')).toEqual([]);
  });

  it.each([
    ['their own', (times: Partial<AccessGrant>) => [grant('advisor', 'bob', times)]],
    [
      'the firm’s engagement',
      (times: Partial<AccessGrant>) => [grant('advisor', 'bob', { of: 'acme' }), grant('firm', 'acme', times)],
    ],
    [
      'their work at the firm',
      (times: Partial<AccessGrant>) => [grant('advisor', 'bob', { of: 'acme', ...times }), grant('firm', 'acme')],
    ],
  ])('holds from the first moment of %s, and ends at the last', async (_, grants) => {
    const relations = over(...grants({ from: NOW, until: NOW + HOUR }));
    const may = async (at: number) => (await allowed(relations, 'bob', at)).length > 0;
    expect([await may(NOW - 1), await may(NOW), await may(NOW + HOUR - 1), await may(NOW + HOUR)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it('is of one account alone', async () => {
    const relations = over(grant('advisor', 'bob', { account: 'eve' }));
    expect(await allowed(relations, 'bob')).toEqual([]);
  });

  it('has co-owners for the second yes, in the order of their grants, while they are', async () => {
    const relations = over(
      grant('co_owner', 'dan'),
      grant('advisor', 'bob'),
      grant('co_owner', 'carol'),
      grant('co_owner', 'eve', { until: NOW }),
      grant('co_owner', 'dan', { until: NOW }),
    );
    expect(await relations.secondApprovers('alice', NOW)).toEqual(['dan', 'carol']);
  });
});
