import type { AdapterPayload } from 'oidc-provider';
import { describe, expect, it } from 'vitest';
import {
  AlreadyDecidedError,
  createIssuedTokenStore,
  createOidcStore,
  endAllSignIns,
  type GrantInfo,
  type RefreshTokenReusePolicy,
} from '../../../../src/store/home/oidc-store.ts';
import type { SqlTransactions } from '../../../../src/store/sql/sql-database.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const CLIENT = 'trade-agent';
const SERVER = 'https://server.example';

function storeOf(database: SqlTransactions, refreshTokenReuse: RefreshTokenReusePolicy = 'never', at = NOW) {
  const ended: GrantInfo[] = [];
  const store = createOidcStore({
    database,
    now: () => at,
    refreshTokenReuse,
    onGrantEnded: async (granted) => void ended.push(granted),
    beforeBackchannelRequest: async () => undefined,
  });
  return { ...store, ended };
}

const outcomes = async (tries: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(tries)).map(({ status }) => status).sort();

/** What a home keeps for its OpenID provider: codes, tokens and grants. */
export function oidcStoreContract(open: OpenHomeDatabase): void {
  describe('the OpenID provider’s store', () => {
    const opened = homeDatabaseForEach(open);
    const both = (reuse?: RefreshTokenReusePolicy) =>
      [storeOf(opened.database, reuse), storeOf(opened.another, reuse)] as const;
    const grant = async (id: string, sub: string, more: AdapterPayload = {}) =>
      await storeOf(opened.database)
        .adapter('Grant')
        .upsert(id, { accountId: sub, clientId: CLIENT, ...more }, 3600);

    it.each(['AuthorizationCode', 'DeviceCode', 'RefreshToken', 'BackchannelAuthenticationRequest'])(
      'lets one of two processes consume the same %s',
      async (model) => {
        const [ours, theirs] = both();
        await ours.adapter(model).upsert('code', { accountId: 'alice', jkt: 'key', grantId: 'g' }, 600);
        const tries = [ours, theirs, ours, theirs].map(({ adapter }) => adapter(model).consume('code'));
        expect(await outcomes(tries)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
        expect(await theirs.adapter(model).find('code')).toMatchObject({ consumed: NOW / 1000 });
        await expect(theirs.adapter(model).consume('no-such-code')).rejects.toMatchObject({ error: 'invalid_grant' });
      },
    );

    it('returns what another process stored, and its latest version', async () => {
      const [ours, theirs] = both();
      await ours.adapter('DeviceCode').upsert('d', { userCode: 'BCDF', uid: 'u', params: { scope: 'openid' } }, 600);
      const found = { userCode: 'BCDF', uid: 'u', params: { scope: 'openid' } };
      expect(await theirs.adapter('DeviceCode').findByUserCode('BCDF')).toEqual(found);
      expect(await theirs.adapter('DeviceCode').findByUid('u')).toEqual(found);
      expect(await theirs.adapter('AuthorizationCode').find('d')).toBeUndefined();
      await theirs.adapter('DeviceCode').destroy('d');
      expect(await ours.adapter('DeviceCode').find('d')).toBeUndefined();
    });

    it.each<[string, AdapterPayload, AdapterPayload]>([
      ['DeviceCode', { accountId: 'alice', grantId: 'ours' }, { error: 'access_denied' }],
      ['DeviceCode', { error: 'access_denied' }, { accountId: 'alice', grantId: 'theirs' }],
      ['Interaction', { result: { login: { accountId: 'alice' } } }, { result: { error: 'access_denied' } }],
    ])('keeps the first answer to a %s, and tells the other process', async (model, first, second) => {
      const [ours, theirs] = both();
      await ours.adapter(model).upsert('asked', { userCode: 'BCDF' }, 600);
      await ours.adapter(model).upsert('asked', first, 600);
      await expect(theirs.adapter(model).upsert('asked', second, 600)).rejects.toThrow(AlreadyDecidedError);
      expect(await theirs.adapter(model).find('asked')).toEqual(first);
    });

    it('takes one of two answers to a device at the same time', async () => {
      const [ours, theirs] = both();
      await ours.adapter('DeviceCode').upsert('d', { userCode: 'BCDF' }, 600);
      const tries = [ours, theirs].map(({ adapter }, i) =>
        adapter('DeviceCode').upsert('d', { grantId: `g${i}` }, 600),
      );
      expect(await outcomes(tries)).toEqual(['fulfilled', 'rejected']);
    });

    it('keeps the first delivery of a decision on a CIBA request', async () => {
      const [ours, theirs] = both();
      const model = 'BackchannelAuthenticationRequest';
      await ours.adapter(model).upsert('r', { accountId: 'alice' }, 600);
      await ours.adapter(model).upsert('r', { accountId: 'alice', grantId: 'ours' }, 600);
      await theirs.adapter(model).upsert('r', { accountId: 'alice', grantId: 'theirs' }, 600);
      expect(await ours.adapter(model).find('r')).toMatchObject({ grantId: 'ours' });
    });

    it('ends a grant with all its codes and tokens, once', async () => {
      const [ours, theirs] = both();
      await grant('g', 'alice', { resources: { [SERVER]: 'read' } });
      await grant('other', 'alice');
      await ours.adapter('RefreshToken').upsert('t', { grantId: 'g' }, 600);
      await ours.adapter('RefreshToken').upsert('kept', { grantId: 'other' }, 600);
      await Promise.all([ours, theirs].map(({ adapter }) => adapter('Grant').destroy('g')));
      expect([...ours.ended, ...theirs.ended]).toEqual([{ sub: 'alice', clientId: CLIENT, resources: [SERVER] }]);
      expect(await theirs.grant('g')).toBeUndefined();
      expect(await theirs.adapter('RefreshToken').find('t')).toBeUndefined();
      expect(await theirs.adapter('RefreshToken').find('kept')).toBeDefined();
    });

    it('ends a person’s grants, to one client or to all', async () => {
      const [ours, theirs] = both();
      await grant('a1', 'alice');
      await grant('a2', 'alice', { clientId: 'another' });
      await grant('b1', 'bob');
      expect(await theirs.findGrants('alice')).toHaveLength(2);
      await ours.endGrants({ sub: 'alice', clientId: 'another' });
      expect(await theirs.findGrants('alice')).toEqual([{ sub: 'alice', clientId: CLIENT, resources: [] }]);
      await theirs.endGrants({ sub: 'alice' });
      expect(await ours.findGrants('alice')).toEqual([]);
      expect(await ours.findGrants('bob')).toHaveLength(1);
    });

    it('deletes what expired more than a day ago', async () => {
      const [ours] = both();
      await ours.adapter('AuthorizationCode').upsert('old', {}, 60);
      const later = storeOf(opened.another, 'never', NOW + 25 * 3_600_000);
      await later.adapter('AuthorizationCode').upsert('new', {}, 60);
      expect(await ours.adapter('AuthorizationCode').find('old')).toBeUndefined();
      expect(await ours.adapter('AuthorizationCode').find('new')).toBeDefined();
    });

    describe('a refresh token whose response may be lost', () => {
      const token = { grantId: 'g', jkt: 'key' };
      const next = { ...token, rotations: 1 };

      it('can be used again until its successor was used, which ends the successor', async () => {
        const [ours, theirs] = both('until_confirmed');
        await ours.adapter('RefreshToken').upsert('first', token, 600);
        await ours.adapter('RefreshToken').consume('first');
        await ours.adapter('RefreshToken').upsert('lost', next, 600);
        expect(await theirs.adapter('RefreshToken').find('first')).not.toHaveProperty('consumed');
        await theirs.adapter('RefreshToken').consume('first');
        expect(await ours.adapter('RefreshToken').find('lost')).toBeUndefined();
        await theirs.adapter('RefreshToken').upsert('second', next, 600);
        await ours.adapter('RefreshToken').consume('second');
        expect(await theirs.adapter('RefreshToken').find('first')).toHaveProperty('consumed');
        await expect(theirs.adapter('RefreshToken').consume('first')).rejects.toMatchObject({ error: 'invalid_grant' });
      });

      it('is used in one process or its successor in another, not both', async () => {
        const [ours, theirs] = both('until_confirmed').map(({ adapter }) => adapter('RefreshToken'));
        // The order in which the processes reach the database differs from round to round.
        for (let round = 0; round < 20; round++) {
          const grantId = `g${round}`;
          const [first, successor] = [`first ${round}`, `successor ${round}`];
          await ours?.upsert(first, { ...token, grantId }, 600);
          await ours?.consume(first);
          await ours?.upsert(successor, { ...next, grantId }, 600);
          const tries = [ours?.consume(first), theirs?.consume(successor)].map((one) => Promise.resolve(one));
          expect(await outcomes(tries)).toEqual(['fulfilled', 'rejected']);
        }
      });

      it('can be used once if anyone could replay it', async () => {
        const [ours, theirs] = both('until_confirmed');
        await ours.adapter('RefreshToken').upsert('bearer', { grantId: 'g' }, 600);
        await ours.adapter('RefreshToken').consume('bearer');
        await expect(theirs.adapter('RefreshToken').consume('bearer')).rejects.toMatchObject({
          error: 'invalid_grant',
        });
      });
    });

    it('ends all sign-ins, and keeps registered clients', async () => {
      const [ours, theirs] = both();
      await grant('g', 'alice');
      await ours.adapter('Client').upsert('client', { client_id: 'client' });
      await endAllSignIns(opened.database);
      expect(await theirs.grant('g')).toBeUndefined();
      expect(await theirs.adapter('Client').find('client')).toEqual({ client_id: 'client' });
      await ours.forgetClient('client');
      expect(await theirs.adapter('Client').find('client')).toBeUndefined();
    });

    it('knows a token by its grant until the grant has ended or the person was removed', async () => {
      const [ours, theirs] = [opened.database, opened.another].map((one) => createIssuedTokenStore(one, () => NOW)) as [
        ReturnType<typeof createIssuedTokenStore>,
        ReturnType<typeof createIssuedTokenStore>,
      ];
      for (const sub of ['alice', 'bob']) {
        await opened.database.run("INSERT INTO people (username, name, email, added_at) VALUES (@sub, 'Name', '', 0)", {
          sub,
        });
        await grant(`g-${sub}`, sub);
        await ours.note({ jti: `t-${sub}`, grantId: `g-${sub}`, expiresAt: NOW + 600_000 });
      }
      expect(await theirs.liveGrant('t-alice')).toBe('g-alice');
      expect(await theirs.liveGrant('made-up')).toBeUndefined();
      await storeOf(opened.database).endGrant('g-alice');
      expect(await theirs.liveGrant('t-alice')).toBeUndefined();
      await opened.database.run("UPDATE people SET removed_at = 1 WHERE username = 'bob'");
      expect(await theirs.liveGrant('t-bob')).toBeUndefined();
    });
  });
}
