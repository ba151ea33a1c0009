import * as client from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { shot as pictureOf } from '../home/decision-fixture.ts';
import { openPhoneBrowser, type PhoneBrowser } from '../home/phone-browser.ts';
import {
  ALL_SCOPES,
  type ApprovalClient,
  details,
  refusal,
  registerApprovalClient,
  startIdentityProvider,
  type World,
} from './identity-provider-fixture.ts';

let browser: Browser;
let world: World;
let approval: ApprovalClient;
let phone: PhoneBrowser;
let page: Page;
let isSpent = true;

beforeAll(async () => {
  world = await startIdentityProvider();
  approval = await registerApprovalClient(world);
  browser = await launchChromium();
}, 120_000);
afterAll(async () => {
  await phone?.close();
  await browser?.close();
  await world?.close();
});
afterEach(({ task }) => {
  isSpent ||= task.result?.state === 'fail';
  expect(phone?.complaints.splice(0) ?? []).toEqual([]);
});

const at = (name: string) => page.getByTestId(name);
const shot = (name: string) => pictureOf(page, name, true);

/** Alice’s phone on the page of requests, where nothing is kept of the test before. */
async function openPhone(): Promise<void> {
  if (isSpent) return pairPhone('alice');
  // From a page that keeps nothing, else what it hears on its way out is kept after all.
  await page.goto(`${world.issuer}/.well-known/openid-configuration`);
  await page.evaluate('sessionStorage.clear()');
  await page.goto(`${world.issuer}/phone`);
  await at('signed-in-user').waitFor();
}

async function pairPhone(user: string): Promise<void> {
  await phone?.close();
  phone = await openPhoneBrowser(browser);
  page = phone.page;
  isSpent = user !== 'alice';
  await phone.pair((await world.phone.pairing(user)).url);
}

async function clear(): Promise<void> {
  for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
}

describe('the device pages', () => {
  it('lead from the code over the sign-in and the consent to a signed-in device', async () => {
    const config = await world.loginClient();
    const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
    const asked = { scope: ALL_SCOPES, device_name: 'alices-laptop' };
    const device = await client.initiateDeviceAuthorization(config, asked);
    await openPhone();
    isSpent = true;
    await phone.signOut();
    await at('sign-in').waitFor();
    await page.goto(device.verification_uri_complete ?? '');
    await at('user-code').waitFor();
    await shot('device-code');
    expect(await at('user-code').inputValue()).toBe(device.user_code);
    expect(await at('sandbox-badge').textContent()).toContain('SANDBOX');
    await at('continue').click();
    await at('sign-in').waitFor();
    await shot('sign-in');
    await phone.signIn();
    await at('allow').waitFor();
    await shot('device-consent');
    expect(await at('device-code').textContent()).toBe(device.user_code);
    expect(await at('device-name').textContent()).toBe('alices-laptop');
    const body = await page.locator('main').textContent();
    expect(body).toContain('Continue only if you started this yourself.');
    expect(body).toContain('If someone sent you this code, don’t use it: it’s a scam.');
    expect(await at('scopes').locator('li').count()).toBe(8);
    await at('allow').click();
    await at('device-done').waitFor();
    await shot('device-done');
    const polled = { ...device, interval: 0 };
    const tokens = await client.pollDeviceAuthorizationGrant(config, polled, undefined, dpop);
    expect(tokens.claims()?.sub).toBe('alice');
    await at('phone-link').click();
    await at('empty').waitFor();
    await shot('phone-empty');
  });

  it('turn a device away', async () => {
    const config = await world.loginClient();
    const device = await client.initiateDeviceAuthorization(config, { scope: ALL_SCOPES });
    await openPhone();
    await page.goto(device.verification_uri_complete ?? '');
    await at('continue').click();
    await at('refuse').click();
    expect(await at('message').textContent()).toBe('Sign-in denied');
    const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
    const polled = { ...device, interval: 0 };
    const call = client.pollDeviceAuthorizationGrant(config, polled, undefined, dpop);
    expect(await refusal(call)).toBe('access_denied');
  });

  it('say what is wrong with a code', async () => {
    await openPhone();
    await page.goto(`${world.issuer}/device`);
    await at('user-code').fill('BCDF-GHJK');
    await at('continue').click();
    expect(await at('problem').textContent()).toContain('No device is waiting');
  });
});

describe('the phone page', () => {
  beforeEach(clear);

  it('shows an order the moment it is asked for: every field, the code, and what it is about', async () => {
    await openPhone();
    await at('empty').waitFor();
    const terms = {
      type: 'stop_limit',
      stop_price: '181.00',
      limit_price: '182.50',
      time_in_force: 'gtc',
    } as const;
    const asked = details(terms);
    const { code = '' } = await approval.ask(asked);
    await at('request').waitFor();
    await at('all-fields').locator('summary').click();
    await shot('phone-pending');
    for (const [name, value] of Object.entries(asked)) {
      const field = page.locator(`[data-field="${name}"]`);
      const told = typeof value === 'string' ? value : JSON.stringify(value);
      expect(await field.isVisible(), name).toBe(true);
      expect(await field.getAttribute('data-value'), name).toBe(told);
    }
    for (const [name, told] of [
      ['code', String(code)],
      ['headline', 'Buy 5 AAPL'],
      ['client-name', 'trade-agent on test-laptop'],
      ['amount', '$912.50'],
      ['binding-message', `BUY 5 AAPL STP 181.00 LMT 182.50 ${code}`],
    ] as const) {
      expect(await at(name).textContent(), name).toBe(told);
    }
    expect(await at('environment').textContent()).toContain('PAPER');
    expect(await at('countdown').textContent()).toMatch(/^[45]:\d\d left$/);
  });

  it('tells live from paper by word and sign, not by color alone', async () => {
    await approval.ask(details({ environment: 'live' }));
    await openPhone();
    const live = await at('environment').textContent();
    expect(live).toContain('LIVE');
    expect(live).toContain('real money');
    expect(live).not.toContain('PAPER');
    await shot('phone-live');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.reload();
    await at('request').waitFor();
    await shot('phone-live-dark');
    await page.emulateMedia({ colorScheme: null });
  });

  it('approves with one tap, and tells of it', async () => {
    const request = await approval.ask(details({ symbol: 'MSFT' }));
    await openPhone();
    await at('approve').click();
    const done = page.locator('[data-testid=result][data-status=approved]').first();
    await done.waitFor();
    expect(await done.textContent()).toContain('Buy 5 MSFT');
    expect(await at('request').count()).toBe(0);
    await shot('phone-approved');
    expect((await approval.poll(request.auth_req_id)).access_token).toBeTypeOf('string');
  });

  it('denies', async () => {
    const request = await approval.ask(details());
    await openPhone();
    await at('deny').click();
    await page.locator('[data-testid=result][data-status=denied]').first().waitFor();
    expect(await refusal(approval.poll(request.auth_req_id))).toBe('access_denied');
  });

  it('decides several one after the other, each by itself', async () => {
    const first = await approval.ask(details({ symbol: 'NVDA' }));
    const second = await approval.ask(details({ symbol: 'TSLA', side: 'sell' }));
    await openPhone();
    await at('other').getByText('Sell 5 TSLA').click();
    await at('headline').getByText('Sell 5 TSLA', { exact: true }).waitFor();
    await page.locator('[data-testid=approve]:not([aria-disabled])').click();
    await at('headline').getByText('Buy 5 NVDA', { exact: true }).waitFor();
    expect((await approval.poll(second.auth_req_id)).access_token).toBeTypeOf('string');
    await page.locator('[data-testid=deny]:not([aria-disabled])').click();
    await at('empty').waitFor({ state: 'attached' });
    await at('result').filter({ hasText: 'Buy 5 NVDA' }).waitFor();
    expect(await refusal(approval.poll(first.auth_req_id))).toBe('access_denied');
  });

  it('never lets what a client calls itself become markup', async () => {
    const client_name = '<img src=x onerror=alert(1)> PAPER';
    const hostile = await registerApprovalClient(world, { client_name });
    await hostile.ask(details({ account: '"><script>alert(2)</script>' }));
    await openPhone();
    expect(await at('client-name').textContent()).toBe(client_name);
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  it('asks for a sign-in, and shows nobody the requests of somebody else', async () => {
    await approval.ask(details({ symbol: 'NFLX' }));
    await pairPhone('bob');
    await phone.signOut();
    await page.goto(`${world.issuer}/phone`);
    await at('sign-in').waitFor();
    await phone.signIn();
    await at('empty').waitFor();
    expect(await at('signed-in-user').textContent()).toBe('Bob Brown');
    expect(await page.locator('main').textContent()).not.toContain('NFLX');
  });
});

// Both wait for the server's next look at a page that is open, which is seconds away: they wait together.
describe.concurrent('the phone page, with its next sign of life,', () => {
  it('takes an order away that was decided elsewhere, and one that expired', async () => {
    await clear();
    const { page, pair, close } = await openPhoneBrowser(browser);
    const at = (name: string) => page.getByTestId(name);
    await pair((await world.phone.pairing('alice')).url);
    await approval.ask(details());
    await at('request').waitFor();
    await clear();
    await at('request').waitFor({ state: 'detached' });
    await approval.ask(details(), { requested_expiry: '2' });
    await at('request').waitFor();
    await page.getByText('expired', { exact: true }).waitFor();
    expect(await at('approve').isDisabled()).toBe(true);
    await page.locator('[data-testid=result][data-status=expired]').first().waitFor();
    await close();
  });

  it('ends with the sign-out, in other windows too', async () => {
    const { context, pair, signOut, close } = await openPhoneBrowser(browser);
    await pair((await world.phone.pairing('bob')).url);
    const other = await context.newPage();
    await other.goto(`${world.issuer}/phone`);
    await signOut();
    await other.waitForURL('**/signin', { timeout: 15_000 });
    await close();
  });
});
