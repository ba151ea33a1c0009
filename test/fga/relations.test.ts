import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AccessRelation,
  createEmbeddedRelations,
  relationsByPermission,
} from '../../src/gateway/relations/embedded.ts';
import { createOpenFgaRelations } from '../../src/gateway/relations/openfga.ts';
import { RelationsUnavailableError } from '../../src/gateway/relations/relations.ts';
import type { AccessGrant } from '../../src/store/access-store.ts';
import { accessRoles } from '../../src/trading/kinds/access.ts';
import { permissions } from '../../src/trading/permissions.ts';
import { openFgaBinary } from './openfga-binary.ts';
import { type FgaStore, type OpenFga, PRESHARED_KEY, startOpenFga } from './openfga-server.ts';
import { ownerOf, tupleOf, tuplesOf } from './tuples.ts';

const NOW = Date.parse('2026-11-25T15:00:00Z');
const HOUR = 3_600_000;

const found = await openFgaBinary();
if ('missing' in found) process.stderr.write(`Skipped: ${found.missing}.\n`);

let server: OpenFga;
beforeAll(async () => {
  if ('binary' in found) server = await startOpenFga(found.binary);
});
afterAll(() => server?.kill());

const grant = (role: AccessGrant['role'], who: string, more: Partial<AccessGrant> = {}): AccessGrant => ({
  id: `${role} ${who}`,
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
const relationsIn = ({ store, model }: FgaStore, key = PRESHARED_KEY) =>
  createOpenFgaRelations({
    url: server.url,
    store,
    model,
    credential: async () => ({ authorization: `Bearer ${key}` }),
    fetch,
  });
async function storeWith(...grants: AccessGrant[]) {
  const store = await server.newStore();
  await store.write(ownerOf('alice'), ...tuplesOf(grants));
  return { store, relations: relationsIn(store) };
}
const engaged = [grant('firm', 'acme', { until: NOW + HOUR }), grant('advisor', 'bob', { of: 'acme' })];

describe.skipIf('missing' in found)('with OpenFGA and the model that is shipped', () => {
  const standings: [AccessRelation, AccessGrant[]][] = [
    ['owner', []],
    ['co_owner', [grant('co_owner', 'bob')]],
    ['advisor', engaged],
    ['viewer', [grant('viewer', 'bob')]],
    ['household_member', [grant('household', 'adams'), grant('member', 'bob', { of: 'adams' })]],
  ];
  it.each(standings)('the fourteen questions are answered for a %s', async (standing, grants) => {
    const { relations } = await storeWith(...grants);
    const user = standing === 'owner' ? 'alice' : 'bob';
    for (const relation of permissions) {
      const allowed = await relations.check({ user, relation, account: 'alice', at: NOW });
      expect([relation, allowed]).toEqual([relation, relationsByPermission[relation].includes(standing)]);
      expect(await relations.check({ user: 'eve', relation, account: 'alice', at: NOW })).toBe(false);
      expect(await relations.check({ user, relation, account: 'carol', at: NOW })).toBe(false);
    }
  });

  it('whatever was granted, the embedded default says the same', async () => {
    const people = ['bob', 'carol', 'd*n:#'];
    const groups = ['acme', 'adams'];
    const arbitrary = fc.record({
      role: fc.constantFrom(...accessRoles),
      who: fc.constantFrom(...people, ...groups),
      of: fc.constantFrom(null, ...groups),
      from: fc.constantFrom(NOW - HOUR, NOW, NOW + HOUR),
      until: fc.constantFrom(null, NOW, NOW + HOUR),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 8 }), async (made) => {
        // OpenFGA has one tuple for the same three things, whatever its times.
        const byTuple = new Map<string, AccessGrant>();
        for (const { role, who, ...more } of made) {
          const one = grant(role, who, more);
          const { user, relation, object } = tupleOf(one) ?? {};
          byTuple.set(JSON.stringify([user, relation, object]), one);
        }
        const grants = [...byTuple.values()];
        const embedded = createEmbeddedRelations({ listByAccount: async () => grants });
        const { relations } = await storeWith(...grants);
        for (const at of [NOW - 1, NOW, NOW + HOUR]) {
          for (const user of ['alice', ...people]) {
            for (const relation of permissions) {
              const question = { user, relation, account: 'alice', at };
              expect([question, await relations.check(question)]).toEqual([question, await embedded.check(question)]);
            }
          }
          const seconds = await relations.secondApprovers('alice', at);
          expect(seconds.filter((who) => who !== 'alice')).toEqual(
            (await embedded.secondApprovers('alice', at)).sort(),
          );
        }
      }),
      { numRuns: Number(process.env.FGA_RUNS ?? 15) },
    );
  });

  it('an engagement ends at its moment, and at once where it is taken away', async () => {
    const { store, relations } = await storeWith(...engaged);
    const may = (at: number) => relations.check({ user: 'bob', relation: 'can_propose', account: 'alice', at });
    expect([await may(NOW), await may(NOW + HOUR - 1), await may(NOW + HOUR)]).toEqual([true, true, false]);
    await store.delete(...tuplesOf(engaged).slice(0, 1));
    expect(await may(NOW)).toBe(false);
  });

  it('a wrong key is no, and so is a store that is not there', async () => {
    const { store } = await storeWith();
    const question = { user: 'alice', relation: 'can_propose', account: 'alice', at: NOW } as const;
    await expect(relationsIn(store, 'another key').check(question)).rejects.toBeInstanceOf(RelationsUnavailableError);
    const elsewhere = relationsIn({ ...store, store: '01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    await expect(elsewhere.check(question)).rejects.toBeInstanceOf(RelationsUnavailableError);
  });

  it('a server that was killed says no within a second', async () => {
    if ('missing' in found) return;
    const dying = await startOpenFga(found.binary);
    const { store, model } = await dying.newStore();
    const relations = createOpenFgaRelations({
      ...{ url: dying.url, store, model, fetch },
      credential: async () => ({ authorization: `Bearer ${PRESHARED_KEY}` }),
    });
    const question = { user: 'alice', relation: 'can_propose', account: 'alice', at: NOW } as const;
    expect(await relations.check(question)).toBe(false);
    await dying.kill();
    const started = performance.now();
    await expect(relations.check(question)).rejects.toBeInstanceOf(RelationsUnavailableError);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
