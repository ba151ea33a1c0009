import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { PhoneNotice } from '../../../../src/home/phone/push/phone-notices.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import { linesIn } from '../../../fixtures/record-lines.ts';
import { startProposalWorld } from '../../approval/world.ts';
import type { CompanyPerson } from '../companies/company-person.ts';
import { logOut, push, rowsOf, startCompany } from './company.ts';

const DAY_MS = 86_400_000;
/** What a signal takes back has ended by then. */
const AT_ONCE_MS = 1_000;
const RISC = 'https://schemas.openid.net/secevent/risc/event-type';

/** At home, by their own sign-in. */
const told: PhoneNotice[] = [];
const options = {
  push: { notices: { tell: async (notice: PhoneNotice) => void told.push(notice) } },
  quotas: { own: { open: 50, hour: 500 }, other: { open: 20, hour: 100 } },
};
const company = await startCompany();
const world = await startProposalWorld({ ...options, companies: [company.listed] });
const home = world.sandbox.ready.issuer;
const alice = await world.as('alice');
const bob = await company.signIn(home, 'acme-bob');
afterAll(async () => {
  await world.close();
  await company.close();
});

const order = (symbol: string) => ({
  kind: 'order',
  order: { symbol, side: 'buy', qty: '1', type: 'limit', limit_price: '1.00' },
});

/** By the company's client; at home, where they look by their own sign-in. */
async function proposed(session: CompanyPerson, symbol: string): Promise<{ id: string; code: string }> {
  const { status, body } = await session.send('POST', '/v1/proposals', order(symbol));
  expect(status).toBe(201);
  return body as { id: string; code: string };
}

async function granted(): Promise<string> {
  const { id, code } = await alice.propose({
    kind: 'mandate',
    mandate: {
      symbols: ['KO'],
      max_order_notional: '200',
      max_total_notional: '600',
      max_orders: 5,
      expires_at: formatUtcSeconds(Date.now() + 20 * DAY_MS),
    },
  });
  await alice.tap(code);
  return ((await alice.until(id, 'executed')).result as { mandate: string }).mandate;
}

const signInAgain = () => company.signInAgain(home);

/** What is kept of alice's consent at the broker. No two sealings are the same: another one is another refresh token. */
const connection = () =>
  rowsOf(world, "SELECT hex(sealed_refresh_token) AS kept FROM vault_connections WHERE username = 'alice'");
const record = () =>
  linesIn(join(world.folder, 'sandbox', 'gateway.db')).filter(({ event }) => event === 'signal_received');
const notices = () => told.filter((one) => 'access' in one);
const mandateState = async (id: string) => (await alice.send('GET', `/v1/mandates/${id}`)).body.state;
const stateOf = async ({ id }: { id: string }) => (await alice.proposal(id)).state;

it('a leaver’s proposals, approval, mandate, broker tokens and sign-in have ended a second later; nobody else’s', async () => {
  const session = await company.signIn(home, 'acme-alice');
  const early = await company.assertion(home, 'acme-alice');
  const mandate = await granted();
  const [open, unsent] = [await proposed(session, 'AAPL'), await proposed(session, 'MSFT')];
  const bobs = await proposed(bob, 'AAPL');
  const own = await alice.propose({ ...order('PEP'), kind: 'order' } as never);
  // Approved, and the broker is out of reach: it is tried again and again.
  world.sandbox.faults.set('broker_5xx', Number.POSITIVE_INFINITY);
  await alice.tap(unsent.code);
  await expect.poll(async () => (await alice.proposal(unsent.id)).reason?.code, { timeout: 10_000 }).toBeDefined();
  expect(await stateOf(unsent)).toBe('approved');
  world.sandbox.faults.set('broker_5xx', 0);
  const before = connection();

  const reason = `left\u202e on ${'Friday '.repeat(60)}`;
  const events = {
    'https://schemas.openid.net/secevent/caep/event-type/session-revoked': {
      event_timestamp: Math.floor(Date.now() / 1000),
      initiating_entity: 'policy',
      reason_admin: { en: reason },
    },
  };
  const at = Date.now();
  expect((await push(home, await company.event({ events, jti: 'leaver-1' }))).status).toBe(202);

  // The sign-in has ended by the answer; what it had is redeemed by nobody any more.
  expect(await session.send('GET', '/v1/proposals')).toMatchObject({
    status: 401,
    body: { code: 'token_revoked' },
  });
  await expect(company.redeem(home, early)).rejects.toMatchObject({ error: 'invalid_grant' });
  await expect
    .poll(async () => [await stateOf(open), await stateOf(unsent), await mandateState(mandate)], {
      timeout: AT_ONCE_MS,
      interval: 20,
    })
    .toEqual(['cancelled', 'cancelled', 'suspended']);
  await expect.poll(notices, { timeout: AT_ONCE_MS }).toHaveLength(1);
  expect(Date.now() - at).toBeLessThan(2 * AT_ONCE_MS);
  expect(notices()[0]).toMatchObject({
    user: 'alice',
    title: 'Acme ended your sign-in',
    access: { company: 'Acme', signal: 'session-revoked' },
  });
  await expect.poll(record).toHaveLength(1);
  expect(record()[0]).toMatchObject({
    sub: 'alice',
    company: 'acme',
    issuer: company.issuer,
    signal: 'session-revoked',
    effect: 'ended',
    jti: 'leaver-1',
    reason: expect.stringMatching(/^left.? on (Friday )+/),
  });
  expect(String(record()[0]?.reason).length).toBeLessThanOrEqual(200);
  expect(String(record()[0]?.reason)).not.toContain('\u202e');
  // The phone asks no more of it; what they asked for themselves it still does.
  expect((await world.phone.requests('alice')).map(({ code }) => code)).toEqual([own.code]);

  // The broker's token in memory is forgotten: the next is made again. The consent itself is the person's own.
  expect(connection()).toEqual(before);
  expect((await alice.send('GET', '/v1/account')).status).toBe(200);
  expect(connection()).toHaveLength(1);
  expect(connection()).not.toEqual(before);

  expect((await bob.send('GET', `/v1/proposals/${bobs.id}`)).body.state).toBe('requested');
  const book = JSON.stringify(world.sandbox.broker.book());
  expect(book).not.toContain('MSFT');

  // By a sign-in of afterwards their agent is in again.
  const again = await signInAgain();
  expect((await again.send('GET', '/v1/proposals')).status).toBe(200);
  await alice.send('DELETE', `/v1/proposals/${own.id}`);
});

it.each([
  [
    'credential-change, of one session',
    async () =>
      push(
        home,
        await company.event({
          sub_id: {
            format: 'complex',
            user: { format: 'iss_sub', iss: company.issuer, sub: 'acme-alice' },
            session: { format: 'opaque', id: 'ALL' },
          },
          events: {
            'https://schemas.openid.net/secevent/caep/event-type/credential-change': {
              change_type: 'update',
              credential_type: 'password',
            },
          },
        }),
      ),
    202,
  ],
  ['a back-channel logout', async () => logOut(home, await company.logout()), 200],
] as const)('%s ends what came by the company, and a sign-in after it works', async (_, send, status) => {
  const session = await signInAgain();
  const open = await proposed(session, 'AAPL');
  expect((await send()).status).toBe(status);
  expect((await session.send('GET', '/v1/proposals')).status).toBe(401);
  await expect.poll(() => stateOf(open), { timeout: AT_ONCE_MS }).toBe('cancelled');
  await signInAgain();
  expect((await bob.send('GET', '/v1/proposals')).status).toBe(200);
});

it('one whose account is disabled is out until it is enabled, by the company or by the home’s owner', async () => {
  const session = await signInAgain();
  const disable = async () =>
    push(home, await company.event({ events: { [`${RISC}/account-disabled`]: { reason: 'hijacking' } } }));
  const refused = async () =>
    expect(company.signIn(home, 'acme-alice')).rejects.toMatchObject({ error: 'invalid_grant' });
  expect((await disable()).status).toBe(202);
  expect((await session.send('GET', '/v1/proposals')).status).toBe(401);
  // What the home keeps for them at the broker is gone with it; their own sign-in is theirs.
  await expect.poll(connection, { timeout: AT_ONCE_MS }).toEqual([]);
  expect((await alice.send('GET', '/v1/proposals')).status).toBe(200);
  // A sign-in of a later second is no better.
  const second = Math.floor(Date.now() / 1000);
  await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 5_000 }).toBeGreaterThan(second);
  await refused();
  await world.restart();
  await refused();
  const enabled = await company.event({ events: { [`${RISC}/account-enabled`]: {} } });
  expect((await push(home, enabled)).status).toBe(202);
  await signInAgain();

  expect((await disable()).status).toBe(202);
  await refused();
  const later = new Date(Date.now() + 2_000).toISOString();
  const { listed } = company;
  Object.assign(listed, { signals: { ...listed.signals, enabled: { 'acme-alice': later } } });
  await world.restart();
  await signInAgain();
});
