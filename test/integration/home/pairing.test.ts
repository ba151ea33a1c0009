import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { startIdentityProvider, type World } from '../sandbox/identity-provider-fixture.ts';

import { openPhoneBrowser, type PhoneBrowser } from './phone-browser.ts';

let browser: Browser;
let world: World;
let phone: PhoneBrowser;
beforeAll(async () => {
  [world, browser] = await Promise.all([startIdentityProvider(), launchChromium()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
});
beforeEach(async () => {
  phone = await openPhoneBrowser(browser);
});
afterEach(async () => {
  vi.useRealTimers();
  await phone.close();
  expect(phone.complaints).toEqual([]);
});

const link = async (user = 'alice') => (await world.phone.pairing(user)).url;
const text = async (id: string) => (await phone.page.getByTestId(id).first().textContent())?.trim();

describe('a pairing link', () => {
  it('says whose home and whose money it is, makes a passkey, and signs in', async () => {
    const url = await link();
    await phone.page.goto(url);
    expect(await text('person')).toBe('Alice Adams');
    expect(await text('home-name')).toBe('Sandbox');
    expect(await text('environment')).toContain('PAPER');
    await phone.page.getByTestId('passkey-name').fill('my old phone');
    await phone.page.getByTestId('set-up').tap();
    await phone.page.getByTestId('empty').waitFor();
    expect(await text('signed-in-user')).toBe('Alice Adams');
    expect(await phone.authenticator.credentials()).toHaveLength(1);
    expect(await world.keys.list('alice')).toMatchObject([
      { name: 'my old phone', method: 'webauthn', deviceType: 'singleDevice' },
    ]);
    // Neither in the address that is left, nor in the history.
    expect(phone.page.url()).toBe(`${world.issuer}/phone`);
  });
});
