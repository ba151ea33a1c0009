import { describe, expect, it } from 'vitest';
import { createAuthorizedClientStore } from '../../../../src/store/home/authorized-clients.ts';
import { createOidcStore } from '../../../../src/store/home/oidc-store.ts';
import { createOpenRegistrationStore } from '../../../../src/store/home/open-registrations.ts';
import { loadProviderKeys, PUBLISH_AHEAD_MS, SIGNING_PERIOD_MS } from '../../../../src/store/home/provider-keys.ts';
import { createRedeemedAssertionStore } from '../../../../src/store/home/redeemed-assertions.ts';
import { createRegisteredClientStore } from '../../../../src/store/home/registered-clients.ts';
import { createProofStore } from '../../../../src/store/sql/proof-store.ts';
import { run, type SqlTransactions } from '../../../../src/store/sql/sql-database.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const HOUR = 3_600_000;

/** What a home keeps about clients: whose they are, what they may do, and the keys that sign their tokens. */
export function clientsContract(open: OpenHomeDatabase): void {
  const opened = homeDatabaseForEach(open);
  const both = <Store>(create: (database: SqlTransactions) => Store): readonly [Store, Store] => [
    create(opened.database),
    create(opened.another),
  ];
  const oidc = () =>
    createOidcStore({
      database: opened.database,
      now: () => NOW,
      onGrantEnded: async () => undefined,
      beforeBackchannelRequest: async () => undefined,
    });
  const grant = (id: string, accountId: string, clientId: string) =>
    oidc().adapter('Grant').upsert(id, { accountId, clientId }, 3600);
  const storeClient = (id: string) => oidc().adapter('Client').upsert(id, { client_id: id });
  const isStored = async (id: string) => (await oidc().adapter('Client').find(id)) !== undefined;

  describe('authorized clients', () => {
    const agent = { user: 'alice', clientId: 'agent', name: 'Agent', host: 'agent.example', redirectUri: 'http://a/' };
    const stores = () => both((database) => createAuthorizedClientStore(database, () => NOW));

    it('are listed once, with their first grant and their last use, while a grant lasts', async () => {
      const [ours, theirs] = stores();
      for (const id of ['g1', 'g2']) {
        await grant(id, 'alice', 'agent');
        await ours.note(id, agent);
      }
      await ours.used('g1');
      const endsAt = NOW + 3_600_000;
      expect(await theirs.list('alice')).toEqual([{ ...agent, since: NOW, usedAt: NOW, endsAt }]);
      expect(await theirs.list()).toHaveLength(1);
      expect(await theirs.list('bob')).toEqual([]);
      expect(await theirs.find('g2')).toEqual({ ...agent, since: NOW, usedAt: undefined });
      await oidc().endGrants({ sub: 'alice' });
      expect(await theirs.list('alice')).toEqual([]);
    });

    it('are revoked once, and stay to be handled until that has succeeded', async () => {
      const [ours, theirs] = stores();
      await grant('g', 'alice', 'agent');
      await ours.note('g', agent);
      const revoked = await Promise.all([ours, theirs].map((store) => store.revoke('alice', 'agent')));
      expect(revoked.toSorted()).toEqual([false, true]);
      expect(await oidc().grant('g')).toBeUndefined();
      const failing = ours.handleRevocations(() => Promise.reject(new Error('the gateway is busy')));
      await expect(failing).rejects.toThrow('busy');
      const told: object[] = [];
      for (const store of [theirs, ours]) await store.handleRevocations(async (who) => void told.push(who));
      expect(told).toEqual([{ sub: 'alice', clientId: 'agent' }]);
    });
  });

  describe('registered clients', () => {
    const stores = () => both((database) => createRegisteredClientStore(database, () => NOW));
    const END = NOW + 90 * 24 * HOUR;
    const robot = (clientId: string) => ({ clientId, owner: 'alice', name: 'Robot', host: undefined, endsAt: END });

    it('belong to one person, who can remove them with their grants', async () => {
      const [ours, theirs] = stores();
      await storeClient('robot');
      expect(await ours.add(robot('robot'), { most: 20 })).toBe(true);
      await grant('g', 'alice', 'robot');
      expect(await theirs.find('robot')).toEqual({ ...robot('robot'), registeredAt: NOW, usedAt: undefined });
      expect((await theirs.note('robot'))?.text).toContain('New app');
      expect(await theirs.note('gateway')).toBeUndefined();
      expect(await theirs.remove('bob', 'robot')).toBe(false);
      expect(await isStored('robot')).toBe(true);
      expect(await theirs.remove('alice', 'robot')).toBe(true);
      expect(await isStored('robot')).toBe(false);
      expect(await oidc().grant('g')).toBeUndefined();
      expect(await ours.list('alice')).toEqual([]);
    });

    it('are refused after their end, and show when they last asked', async () => {
      const [ours, theirs] = stores();
      await ours.add(robot('robot'), { most: 20 });
      await theirs.used('robot');
      expect(await ours.list('alice')).toMatchObject([{ clientId: 'robot', endsAt: END, usedAt: NOW }]);
      const at = (now: number) => createRegisteredClientStore(opened.another, () => now);
      await at(END - 1).requireNotEnded('robot');
      await at(END).requireNotEnded('gateway');
      await expect(at(END).requireNotEnded('robot')).rejects.toMatchObject({ error: 'invalid_client' });
    });

    it('are never more than allowed, though two processes add at once', async () => {
      const [ours, theirs] = stores();
      const tries = [ours, theirs, ours, theirs].map((store, i) => store.add(robot(`r${i}`), { most: 2 }));
      expect((await Promise.all(tries)).toSorted()).toEqual([false, false, true, true]);
      expect(await theirs.list('alice')).toHaveLength(2);
    });

    it('make room for a new one once their access has ended', async () => {
      const [ours] = stores();
      await storeClient('ended');
      await ours.add({ ...robot('ended'), endsAt: NOW }, { most: 2 });
      await ours.add(robot('kept'), { most: 2 });
      expect(await ours.add(robot('new'), { most: 2 })).toBe(true);
      expect((await ours.list('alice')).map(({ clientId }) => clientId).toSorted()).toEqual(['kept', 'new']);
      expect(await isStored('ended')).toBe(false);
      expect(await ours.add(robot('another'), { most: 2 })).toBe(false);
    });

    it('are registered with a token that one process redeems once, unless it gives the token back', async () => {
      const [ours, theirs] = stores();
      const { token, expiresAt } = await ours.issueToken('alice', END);
      const redeemed = (await Promise.all([ours, theirs].map((store) => store.redeemToken(token)))).filter(Boolean);
      expect(redeemed).toEqual([{ digest: expect.any(String), owner: 'alice', expiresAt, clientEndsAt: END }]);
      if (redeemed[0] !== undefined) await theirs.restoreToken(redeemed[0]);
      expect(await ours.redeemToken(token)).toMatchObject({ owner: 'alice' });
      const last = await ours.issueToken('alice', END);
      await theirs.removeAll('alice');
      expect(await ours.redeemToken(last.token)).toBeUndefined();
      const late = createRegisteredClientStore(opened.another, () => NOW + HOUR);
      expect(await late.redeemToken((await ours.issueToken('alice', END)).token)).toBeUndefined();
    });
  });

  describe('open registrations', () => {
    it('are forgotten after a day without a grant, and from the busiest address if there are too many', async () => {
      const [ours] = both((database) => createOpenRegistrationStore(database, () => NOW));
      const add = async (id: string, address: string) => {
        await storeClient(id);
        await ours.add(id, address);
      };
      await add('used', '192.0.2.1');
      await grant('g', 'alice', 'used');
      await add('unused', '192.0.2.1');
      await createOpenRegistrationStore(opened.another, () => NOW + 24 * HOUR).forgetUnused();
      expect([await isStored('used'), await isStored('unused')]).toEqual([true, false]);
      await add('first', '192.0.2.1');
      await opened.database.write(function* () {
        for (let i = 0; i < 499; i++) {
          yield* run(
            `INSERT INTO open_registrations (client_id, address, registered_at) VALUES (@id, '192.0.2.66', @i)`,
            { id: `flood-${i}`, i: NOW + i },
          );
        }
      });
      await storeClient('flood-0');
      await add('one-more', '192.0.2.66');
      expect([await isStored('first'), await isStored('flood-0'), await isStored('one-more')]).toEqual([
        true,
        false,
        true,
      ]);
    });
  });

  it('an assertion is redeemed once, in one process, until it has expired', async () => {
    const exp = NOW / 1000 + 60;
    const stores = both((database) => createRedeemedAssertionStore(database, { now: () => NOW, leewaySeconds: 5 }));
    const tries = [...stores, ...stores].map(({ redeem }) => redeem({ iss: 'https://idp.example', jti: 'j', exp }));
    expect((await Promise.all(tries)).toSorted()).toEqual([false, false, false, true]);
    expect(await stores[1].redeem({ iss: 'https://other.example', jti: 'j', exp })).toBe(true);
  });

  it('a DPoP proof counts once, in one process, until it has expired', async () => {
    const stores = both((database) => createProofStore(database, 'dpop_proofs'));
    const tries = [...stores, ...stores].map(({ remember }) => remember('proof', NOW + 1000, NOW));
    expect((await Promise.all(tries)).toSorted()).toEqual([false, false, false, true]);
    expect(await stores[1].remember('proof', NOW + 9000, NOW + 2000)).toBe(true);
  });

  describe('signing keys', () => {
    const keysOf = (database: SqlTransactions, now: () => number) => loadProviderKeys(database, now);
    const kids = async ({ signing }: Awaited<ReturnType<typeof keysOf>>) =>
      (await signing.current()).keys.map(({ kid }) => kid);

    it('are the same in two processes that start and rotate at once', async () => {
      let at = NOW;
      const processes = await Promise.all(both((database) => keysOf(database, () => at)));
      expect(processes[0].cookie).toBe(processes[1].cookie);
      const [[first], theirs] = await Promise.all([kids(processes[0]), kids(processes[1])]);
      expect(theirs).toEqual([first]);
      at = NOW + SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS;
      const rotated = await Promise.all([kids(processes[0]), kids(processes[1])]);
      expect(rotated[0]).toEqual([first, expect.any(String)]);
      expect(rotated[1]).toEqual(rotated[0]);
      at = NOW + SIGNING_PERIOD_MS;
      const later = await Promise.all([kids(processes[0]), kids(processes[1])]);
      expect(later).toEqual([rotated[0].toReversed(), rotated[0].toReversed()]);
    });

    it('that another process added are read within an hour', async () => {
      let at = NOW;
      const ours = await keysOf(opened.database, () => at);
      const [first] = await kids(ours);
      const theirs = await keysOf(opened.another, () => NOW + SIGNING_PERIOD_MS - PUBLISH_AHEAD_MS);
      const [, second] = await kids(theirs);
      expect(await kids(ours)).toEqual([first]);
      at = NOW + HOUR;
      expect(await kids(ours)).toEqual([first, second]);
    });
  });
}
