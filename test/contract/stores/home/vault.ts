import { describe, expect, it } from 'vitest';
import { grantDetails } from '../../../../src/approval/signature/grant.ts';
import { createConnectionRequests } from '../../../../src/home/identity-provider/connection-requests.ts';
import { createVault } from '../../../../src/home/identity-provider/vault.ts';
import { createVaultStore, REFRESH_CLAIM_MS, type VaultStore } from '../../../../src/store/home/vault-rows.ts';
import type { SqlTransactions } from '../../../../src/store/sql/sql-database.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const KEY = Buffer.alloc(32, 1);
const NOW = 1_700_000_000_000;

export function vaultContract(open: OpenHomeDatabase): void {
  describe('the vault', () => {
    const opened = homeDatabaseForEach(open);
    const stores = () =>
      [opened.database, opened.another].map((database) => createVaultStore(database, KEY)) as [VaultStore, VaultStore];
    const claimed = async (store: VaultStore) => {
      const row = await store.claimRefresh('alice', 'broker', NOW);
      if (row === undefined || row === 'busy') throw new Error(`the refresh was not claimed: ${row}`);
      return row;
    };

    it('keeps a connection’s token for every process, and the time at which it was first connected', async () => {
      const [ours, anothers] = stores();
      expect(await ours.keep('alice', 'broker', 'first', 'trading', NOW)).toBe(NOW);
      expect(await ours.keep('alice', 'broker', 'second', 'account:write trading', NOW + 1)).toBe(NOW);
      const found = await anothers.find('alice', 'broker');
      expect(found).toMatchObject({ connection: 'broker', scopes: 'account:write trading', connected_at: NOW });
      expect(found && anothers.refreshToken('alice', found)).toBe('second');
      expect(() => found && anothers.refreshToken('bob', found)).toThrow();
      expect(await anothers.find('bob', 'broker')).toBeUndefined();
      await ours.keep('alice', 'another', 'token', 'trading', NOW);
      expect((await anothers.list('alice')).map(({ connection }) => connection)).toEqual(['another', 'broker']);
    });

    it('removes a connection once, and remembers that there was one', async () => {
      const [ours, anothers] = stores();
      expect(await ours.wasConnected('alice', 'broker')).toBe(false);
      await ours.keep('alice', 'broker', 'token', 'trading', NOW);
      const removed = await Promise.all([ours.remove('alice', 'broker'), anothers.remove('alice', 'broker')]);
      expect(removed.filter((row) => row !== undefined)).toHaveLength(1);
      expect(await ours.find('alice', 'broker')).toBeUndefined();
      expect(await anothers.wasConnected('alice', 'broker')).toBe(true);
    });

    it('lets one process at a time refresh a token', async () => {
      const [ours, anothers] = stores();
      expect(await ours.claimRefresh('alice', 'broker', NOW)).toBeUndefined();
      await ours.keep('alice', 'broker', 'first', 'trading', NOW);
      const both = await Promise.all([ours, anothers].map((store) => store.claimRefresh('alice', 'broker', NOW)));
      expect(both.filter((row) => row === 'busy')).toHaveLength(1);
      const [row] = both.flatMap((one) => (one === 'busy' || one === undefined ? [] : [one]));
      if (row === undefined) throw new Error('nobody claimed the refresh');
      expect(await ours.refreshed('alice', row, { refreshToken: 'second', scopes: 'trading' })).toBe(true);
      const next = await claimed(anothers);
      expect(anothers.refreshToken('alice', next)).toBe('second');
      await anothers.release('alice', next);
      expect(await ours.refreshed('alice', await claimed(ours), { refreshToken: undefined, scopes: 'trading' })).toBe(
        true,
      );
      expect(ours.refreshToken('alice', await claimed(ours))).toBe('second');
    });

    it('ends the claim of a process that does not answer', async () => {
      const [ours, anothers] = stores();
      await ours.keep('alice', 'broker', 'first', 'trading', NOW);
      await claimed(ours);
      // A database with its own clock is moved in time by the row instead.
      await opened.database.run('UPDATE vault_connections SET refreshing_until = refreshing_until - @ms', {
        ms: REFRESH_CLAIM_MS,
      });
      expect(await anothers.claimRefresh('alice', 'broker', NOW)).toMatchObject({ connection: 'broker' });
    });

    it('keeps no token of a connection that was removed or replaced during the refresh', async () => {
      const [ours, anothers] = stores();
      await ours.keep('alice', 'broker', 'first', 'trading', NOW);
      const old = await claimed(ours);
      await anothers.keep('alice', 'broker', 'replacement', 'trading', NOW);
      const given = { refreshToken: 'refreshed', scopes: 'trading' };
      expect(await ours.refreshed('alice', old, given)).toBe(false);
      await ours.removeRefused('alice', old);
      await ours.release('alice', old);
      const replaced = await claimed(anothers);
      expect(anothers.refreshToken('alice', replaced)).toBe('replacement');
      await ours.remove('alice', 'broker');
      expect(await anothers.refreshed('alice', replaced, given)).toBe(false);
      expect(await anothers.find('alice', 'broker')).toBeUndefined();
    });

    it('forgets a connection whose token was refused', async () => {
      const [ours] = stores();
      await ours.keep('alice', 'broker', 'first', 'trading', NOW);
      await ours.removeRefused('alice', await claimed(ours));
      expect(await ours.find('alice', 'broker')).toBeUndefined();
    });
  });

  describe('connection requests', () => {
    const opened = homeDatabaseForEach(open);
    const start = () => {
      const clock = new VirtualClock();
      let redeemed = 0;
      const requestsOf = (database: SqlTransactions) =>
        createConnectionRequests({
          database,
          clock,
          signed: {
            details: (id, terms) => grantDetails('http://localhost:3', id, terms),
            requireSignature: async (details, { evidence, session }) => {
              if (evidence !== details.digest) throw new Error('not signed');
              return session;
            },
          },
          vault: createVault({
            database,
            key: KEY,
            clock,
            connections: {
              broker: {
                url: 'http://localhost:1',
                client: { client_id: 'home', client_secret: 'secret' },
                redirectUri: 'http://localhost:2/callback',
              },
            },
            fetch: async () => {
              redeemed += 1;
              return Response.json({ access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 60 });
            },
          }),
        });
      return {
        clock,
        ours: requestsOf(opened.database),
        anothers: requestsOf(opened.another),
        redeemed: () => redeemed,
      };
    };
    const asker = { client: 'a program', device: undefined };
    type Requests = ReturnType<typeof createConnectionRequests>;
    const session = { amr: ['swk'] };
    const sign = async (requests: Requests, ticket: string) => {
      const evidence = (await requests.details(ticket, 'alice'))?.digest;
      return await requests.allow(ticket, 'alice', { evidence, session });
    };
    const answer = async (requests: Requests, ticket: string) => {
      const state = new URL((await sign(requests, ticket)) ?? '').searchParams.get('state') ?? '';
      return { user: 'alice', connection: 'broker', state, code: 'code', denied: false };
    };

    it('shows a request to any process, and to the person who started it', async () => {
      const { ours, anothers, clock } = start();
      const { ticket, authSession, expiresAt } = await ours.start('alice', asker, 'broker', []);
      const shown = { user: 'alice', asker, connection: 'broker', status: 'open', expiresAt };
      expect(await anothers.byTicket(ticket)).toMatchObject(shown);
      expect(await anothers.byAuthSession(authSession, 'alice')).toMatchObject(shown);
      expect(await anothers.byAuthSession(authSession, 'bob')).toBeUndefined();
      expect(await anothers.byTicket(authSession)).toBeUndefined();
      clock.advance(expiresAt - clock.now());
      expect(await ours.byTicket(ticket)).toMatchObject({ status: 'expired' });
    });

    it('takes no response before the person has signed the request, in any process', async () => {
      const { ours, anothers, redeemed } = start();
      const { ticket } = await ours.start('alice', asker, 'broker', []);
      const [row] = await opened.database.all<{ state: string }>('SELECT state FROM connection_requests');
      const given = { user: 'alice', connection: 'broker', state: row?.state ?? '', code: 'code', denied: false };
      expect(await ours.finish(given)).toBeUndefined();
      expect(await ours.finish({ ...given, denied: true })).toBeUndefined();
      expect(await anothers.details(ticket, 'bob')).toBeUndefined();
      expect(await anothers.allow(ticket, 'bob', { evidence: undefined, session })).toBeUndefined();
      await expect(anothers.allow(ticket, 'alice', { evidence: 'another', session })).rejects.toThrow('not signed');
      expect(await ours.finish(given)).toBeUndefined();
      expect(await sign(anothers, ticket)).toContain(row?.state);
      expect(redeemed()).toBe(0);
      expect(await ours.finish(given)).toMatchObject({ status: 'connected' });
      expect(await sign(anothers, ticket)).toBeUndefined();
    });

    it('is denied without a signature, once, by the person alone', async () => {
      const { ours, anothers, redeemed } = start();
      const { ticket, authSession } = await ours.start('alice', asker, 'broker', []);
      const given = await answer(ours, ticket);
      expect(await anothers.deny(ticket, 'bob')).toBeUndefined();
      const denied = await Promise.all([ours, anothers].map((requests) => requests.deny(ticket, 'alice')));
      expect(denied.filter((one) => one !== undefined)).toMatchObject([{ status: 'denied' }]);
      expect(await ours.finish(given)).toBeUndefined();
      expect(redeemed()).toBe(0);
      expect(await ours.byAuthSession(authSession, 'alice')).toMatchObject({ status: 'denied' });
    });

    it('takes the first response, whichever process it reaches', async () => {
      const { ours, anothers, redeemed } = start();
      const { ticket, authSession } = await ours.start('alice', asker, 'broker', []);
      const given = await answer(ours, ticket);
      expect(await ours.finish({ ...given, user: 'bob' })).toBeUndefined();
      expect(await ours.finish({ ...given, connection: 'another' })).toBeUndefined();
      const finished = await Promise.all([ours.finish(given), anothers.finish(given)]);
      expect(finished.filter((one) => one !== undefined)).toMatchObject([{ status: 'connected' }]);
      expect(redeemed()).toBe(1);
      expect(await anothers.byAuthSession(authSession, 'alice')).toMatchObject({ status: 'connected' });
    });

    it('takes no response after the end, and records a denial', async () => {
      const { ours, clock } = start();
      const late = await ours.start('alice', asker, 'broker', []);
      const given = await answer(ours, late.ticket);
      clock.advance(late.expiresAt - clock.now());
      expect(await ours.finish(given)).toBeUndefined();
      const { ticket } = await ours.start('alice', asker, 'broker', []);
      expect(await ours.finish({ ...(await answer(ours, ticket)), denied: true })).toMatchObject({ status: 'denied' });
      clock.advance(20 * 60_000 + 1);
      await ours.start('alice', asker, 'broker', []);
      expect(await ours.byTicket(late.ticket)).toBeUndefined();
    });
  });
}
