import { describe, expect, it } from 'vitest';
import type { Company } from '../../../../src/home/identity-provider/companies/company.ts';
import {
  type CompanyRevocations,
  openCompanyRevocations,
} from '../../../../src/home/identity-provider/signals/company-revocations.ts';
import type { Signal } from '../../../../src/home/identity-provider/signals/signal-token.ts';
import { findGrant } from '../../../../src/store/home/oidc-store.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const NOW_S = 1_700_000_000;
const companyNamed = (name: string): Company => ({
  issuer: `https://${name}.example`,
  name,
  organization: name,
  groups: false,
  people: { 'u-alice': 'alice', 'u-bob': 'bob' },
  scopes: [],
  clients: [{ client_id: `${name}-agent`, name, jwks: { keys: [] } }],
});
const [acme, other] = [companyNamed('acme'), companyNamed('other')];

export function companyRevocationsContract(open: OpenHomeDatabase): void {
  describe('access that companies have revoked', () => {
    const opened = homeDatabaseForEach(open);
    const start = () => {
      const clock = { now: NOW_S * 1000 };
      const [ours, anothers] = [opened.database, opened.another].map((database) =>
        openCompanyRevocations({ database, companies: [acme, other], now: () => clock.now }),
      ) as [CompanyRevocations, CompanyRevocations];
      return { clock, ours, anothers };
    };
    const signal = (change: Partial<Signal> & { effect?: 'ended' | 'disabled' | 'enabled' } = {}): Signal => {
      const { effect = 'ended', ...rest } = change;
      const about = { effect, event: 'session-revoked', reason: 'left', subject: 'u-alice' };
      return { company: acme, jti: 'one', digest: 'digest of one', issuedAt: NOW_S, about, ...rest };
    };
    const access = { sub: 'alice', client: 'acme-agent' };
    const addGrant = async (id: string, accountId: string, clientId: string) => {
      await opened.database.run(`INSERT INTO oidc_entities (model, id, payload) VALUES ('Grant', @id, @payload)`, {
        id,
        payload: JSON.stringify({ accountId, clientId }),
      });
    };
    const isGranted = async (id: string) => (await opened.database.read(() => findGrant(id))) !== undefined;

    it('are revoked for every process when the signal is stored', async () => {
      const { ours, anothers } = start();
      expect(await anothers.isRevokedBySignal(access, NOW_S * 1000)).toBe(false);
      expect(await anothers.refusal(acme.issuer, 'u-alice', NOW_S)).toBeUndefined();
      expect(await ours.take(signal())).toBe('taken');
      expect(await anothers.isRevokedBySignal(access, NOW_S * 1000)).toBe(true);
      expect(await anothers.isRevokedBySignal({ sub: 'alice' }, NOW_S * 1000)).toBe(true);
      expect(await anothers.isRevokedBySignal(access, (NOW_S + 1) * 1000)).toBe(false);
      expect(await anothers.isRevokedBySignal({ ...access, client: 'other-agent' }, NOW_S * 1000)).toBe(false);
      expect(await anothers.isRevokedBySignal({ ...access, client: 'trade-agent' }, NOW_S * 1000)).toBe(false);
      expect(await anothers.isRevokedBySignal({ ...access, sub: 'bob' }, NOW_S * 1000)).toBe(false);
      expect(await anothers.refusal(acme.issuer, 'u-alice', NOW_S)).toBe('revoked');
      expect(await anothers.refusal(acme.issuer, 'u-alice', NOW_S + 1)).toBeUndefined();
    });

    it('end the person’s grants through the company in the same transaction, and no others', async () => {
      const { ours } = start();
      await addGrant('hers', 'alice', 'acme-agent');
      await addGrant('elsewhere', 'alice', 'other-agent');
      await addGrant('his', 'bob', 'acme-agent');
      await ours.take(signal());
      expect(await Promise.all(['hers', 'elsewhere', 'his'].map(isGranted))).toEqual([false, true, true]);
    });

    it('take a signal once, whichever process it reaches', async () => {
      const { ours, anothers } = start();
      const taken = await Promise.all([ours.take(signal()), anothers.take(signal())]);
      expect(taken.sort()).toEqual(['known', 'taken']);
      expect(await anothers.take(signal({ digest: 'digest of another' }))).toBe('replayed');
      expect(await ours.take(signal({ company: other }))).toBe('taken');
      expect(await ours.unended()).toHaveLength(2);
    });

    it('never become valid again by an earlier signal', async () => {
      const { ours, clock } = start();
      clock.now += 100_000;
      await ours.take(signal());
      clock.now -= 100_000;
      await ours.take(signal({ jti: 'two' }));
      expect(await ours.isRevokedBySignal(access, (NOW_S + 100) * 1000)).toBe(true);
    });

    it('stay disabled until the company enables the account', async () => {
      const { ours, anothers } = start();
      await ours.take(signal({ effect: 'disabled' }));
      await ours.take(signal({ jti: 'two' }));
      expect(await anothers.refusal(acme.issuer, 'u-alice', NOW_S + 1000)).toBe('disabled');
      await anothers.take(signal({ jti: 'three', effect: 'enabled' }));
      expect(await ours.refusal(acme.issuer, 'u-alice', NOW_S + 1000)).toBeUndefined();
      expect(await ours.refusal(acme.issuer, 'u-alice', NOW_S)).toBe('revoked');
    });

    it('list the signals whose clean-up is not complete, oldest first', async () => {
      const { ours, anothers } = start();
      await ours.take(signal());
      await ours.take(signal({ jti: 'two' }));
      await ours.take(signal({ jti: 'three', about: undefined }));
      const [first] = await anothers.unended();
      expect(first).toMatchObject({ user: 'alice', issuer: acme.issuer, effect: 'ended', jti: 'one' });
      if (first !== undefined) await Promise.all([ours.ended(first), anothers.ended(first)]);
      expect((await ours.unended()).map(({ jti }) => jti)).toEqual(['two']);
    });
  });
}
