import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { afterAll, describe, expect, it } from 'vitest';
import { deriveSoftwareKey } from '../../../src/approval/signature/software-key.ts';
import { ALL_SCOPES, CIBA, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { allowDevice, pairByHttp, signGrant } from './http-browser.ts';
import { ask, decide, publicClient } from './public-client.ts';

const world = await startIdentityProvider({ signatures: 'required' });
afterAll(() => world.close());

const { browser, authenticator } = await pairByHttp((await world.phone.pairing('alice')).url);
const grants = () =>
  world
    .database()
    .prepare<[], { payload: string; expires_at: number }>(
      "SELECT payload, expires_at FROM oidc_entities WHERE model = 'Grant'",
    )
    .all();

async function startDevice() {
  const config = await world.loginClient();
  const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
  const device = await client.initiateDeviceAuthorization(config, { scope: ALL_SCOPES, device_name: 'laptop' });
  const tokens = () => client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 }, undefined, dpop);
  const code = device.user_code;
  return { code, page: `/device/confirm?user_code=${code}`, tokens };
}

describe('a device', () => {
  it('is signed in by a passkey’s signature over who, what, from where and until when', async () => {
    const { code, page, tokens } = await startDevice();
    const options = await browser.submit(page, '/device/confirm/options', { user_code: code });
    const { statement } = (await options.json()) as { statement: Record<string, unknown> };
    expect(statement).toMatchObject({ purpose: 'trade-agent.grant', sub: 'alice', decision: 'approve' });
    expect((await allowDevice(browser, code)).status).toBe(200);
    expect((await tokens()).access_token).toBeDefined();
    const kept = await world.keys.list('alice');
    expect(kept.map(({ credentialId }) => credentialId)).toContain(authenticator.credentialId);
  });

  it('ends when the person said', async () => {
    const { code, page } = await startDevice();
    const form = { user_code: code, days: '7' };
    const evidence = await signGrant(browser, page, '/device/confirm/options', form);
    // Signed for seven days: no other number goes with that signature.
    const longer = await browser.submit(page, '/device/confirm', { ...form, days: '90', decision: 'allow', evidence });
    expect(longer.status).toBe(403);
    expect((await browser.submit(page, '/device/confirm', { ...form, decision: 'allow', evidence })).status).toBe(200);
    const days = (Math.max(...grants().map(({ expires_at }) => expires_at)) - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(6.9);
    const latest = grants().map(({ expires_at }) => (expires_at - Date.now() / 1000) / 86_400);
    expect(latest.some((left) => left > 6.9 && left < 7.1)).toBe(true);
  });

  it.each([
    ['no signature', {}],
    ['something that is no evidence', { evidence: '{}' }],
    ['no lifetime that is offered', { days: '3650' }],
  ])('is not signed in with %s', async (_, form) => {
    const before = grants().length;
    const { code, page } = await startDevice();
    const answer = await browser.submit(page, '/device/confirm', { user_code: code, decision: 'allow', ...form });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(grants()).toHaveLength(before);
    // The sign-in is still open: its person can refuse it.
    const refused = await browser.submit(page, '/device/confirm', { user_code: code, decision: 'refuse' });
    expect(refused.status).toBe(200);
  });

  it('is not signed in by the signature for another device, or by another person’s', async () => {
    const [one, other] = [await startDevice(), await startDevice()];
    const form = { user_code: one.code };
    const evidence = await signGrant(browser, one.page, '/device/confirm/options', form);
    const allow = { decision: 'allow', evidence };
    const wrong = await browser.submit(other.page, '/device/confirm', { user_code: other.code, ...allow });
    expect(wrong.status).toBe(403);
    const { browser: bob } = await pairByHttp((await world.phone.pairing('bob')).url);
    expect((await bob.submit(one.page, '/device/confirm', { user_code: one.code, ...allow })).status).toBe(403);
    expect((await browser.submit(one.page, '/device/confirm', { user_code: one.code, ...allow })).status).toBe(200);
  });

  it('is signed in by the terminal phone only with an enrolled key', async () => {
    const { code, tokens } = await startDevice();
    await expect(world.phone.completeDevice('alice', code)).rejects.toMatchObject({ code: 'provider_error' });
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey(world.pairingSecret, 'alice'));
    await world.phone.completeDevice('alice', code);
    expect((await tokens()).access_token).toBeDefined();
  });
});

describe('an agent', () => {
  const asked = async () => ask(browser, (await publicClient(world)).url());

  it('is allowed by a passkey’s signature', async () => {
    expect(await decide(browser, await asked(), 'allow')).toContain('code=');
  });

  it('is not allowed without it, and can still be denied', async () => {
    const before = grants().length;
    const page = await asked();
    expect((await browser.submit(page, page, { decision: 'allow' })).status).toBe(422);
    expect((await browser.submit(page, page, { decision: 'allow', evidence: '{}' })).status).toBe(403);
    expect(grants()).toHaveLength(before);
    expect(await decide(browser, page, 'deny')).toContain('error=access_denied');
  });
});

describe('an app that registers with a token', () => {
  const form = async (days: string) => {
    const grant = /name="grant" value="([^"]+)"/.exec(await (await browser.visit('/phone/programs')).text())?.[1] ?? '';
    return { grant, days };
  };
  const path = '/phone/programs/token';

  it('has access until the person said, and is listed with that', async () => {
    const signed = await form('7');
    const evidence = await signGrant(browser, '/phone/programs', `${path}/options`, signed);
    // Signed for seven days: no other number goes with that signature.
    const longer = await browser.submit('/phone/programs', path, { ...signed, days: '90', evidence });
    expect(longer.status).toBe(403);
    const issued = await (await browser.submit('/phone/programs', path, { ...signed, evidence })).text();
    const token = /data-testid="registration-token">([\w-]+)</.exec(issued)?.[1] ?? '';
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const registered = await fetch(`${world.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({
        client_name: 'a robot for a week',
        grant_types: [CIBA],
        response_types: [],
        token_endpoint_auth_method: 'private_key_jwt',
        backchannel_token_delivery_mode: 'poll',
        authorization_details_types: ['trade_order'],
        jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
      }),
    });
    expect(registered.status).toBe(201);
    const row = world
      .database()
      .prepare<[], { ends_at: number; used_at: number | null }>('SELECT ends_at, used_at FROM registered_clients')
      .get();
    const days = ((row?.ends_at ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
    const listed = await (await browser.visit('/phone/programs')).text();
    expect(listed).toMatch(/data-testid="program"><span>a robot for a week<br>.*never used; ends/);
  });
});

describe.each([
  ['a registration token', '/phone/programs', '/phone/programs/token', 'registration-token'],
  ['a recovery code', '/phone/authenticators', '/phone/authenticators/recovery', 'data-testid="code"'],
])('%s', (_, page, path, issued) => {
  const identifier = async () =>
    /name="grant" value="([^"]+)"/.exec(await (await browser.visit(page)).text())?.[1] ?? '';

  it('is issued for a passkey’s signature, once', async () => {
    const grant = await identifier();
    const form = { grant, evidence: await signGrant(browser, page, `${path}/options`, { grant }) };
    expect(await (await browser.submit(page, path, form)).text()).toContain(issued);
    const again = await browser.submit(page, path, form);
    expect(again.status).toBe(403);
    expect(await again.text()).not.toContain(issued);
  });

  it('takes an identifier for a day', async () => {
    const options = async (grant: string) => (await browser.submit(page, `${path}/options`, { grant })).status;
    const from = (ageMs: number) => Math.floor((Date.now() - ageMs) / 1000).toString(36);
    const random = 'x'.repeat(22);
    expect(await options(`gr_${random}${from(86_000_000)}`)).toBe(200);
    for (const wrong of ['gr_x', `gr_${random}`, `gr_${random}000000`, `gr_${random}${from(86_402_000)}`]) {
      expect(await options(wrong), wrong).toBe(400);
    }
  });

  it.each([
    ['without it', {}],
    ['with something that is no evidence', { evidence: '{}' }],
    ['with another identifier', { evidence: '{}', grant: 'gr_x' }],
  ])('is not issued %s', async (_name, form) => {
    const answer = await browser.submit(page, path, { grant: await identifier(), ...form });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toContain(issued);
  });
});
