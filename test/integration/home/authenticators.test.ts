import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveSoftwareKey } from '../../../src/approval/signature/software-key.ts';
import { createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import { launchChromium } from '../chromium.ts';
import { startIdentityProvider, type World } from '../sandbox/identity-provider-fixture.ts';
import { challengeOf, type HttpBrowser, ledTo, openLinkByHttp, pairByHttp, signInByHttp } from './http-browser.ts';
import { openPhoneBrowser, type PhoneBrowser } from './phone-browser.ts';

/** A page is loaded again meanwhile. */
const patiently = { timeout: 10_000 };

let world: World;
let phone: PhoneBrowser;
const browser = await launchChromium();
afterAll(() => browser.close());
beforeEach(async () => {
  world = await startIdentityProvider();
  phone = await openPhoneBrowser(browser);
});
afterEach(async () => {
  await phone.close();
  expect(world.problems).toEqual([]);
  await world.close();
});

const PATH = '/phone/authenticators';
const json = { accept: 'application/json' };
const link = async (user = 'alice') => (await world.phone.pairing(user)).url;
const namesOf = async (user = 'alice') => (await world.keys.list(user)).map(({ name }) => name);
const newDevice = () => createAuthenticator('ES256', { origin: world.issuer, rpId: 'localhost' });

/** Adds a passkey over HTTP, said yes to by another one. */
async function addByHttp(
  own: HttpBrowser,
  { made = newDevice(), by }: { made?: ReturnType<typeof newDevice>; by: ReturnType<typeof newDevice> },
) {
  const options = await own.submit(PATH, `${PATH}/create-options`, {}, json);
  const registration = JSON.stringify(made.register(await challengeOf(options)));
  const toSign = await own.submit(PATH, `${PATH}/add-options`, { registration }, json);
  const assertion = JSON.stringify(by.assert(await challengeOf(toSign)));
  const answer = await own.submit(PATH, `${PATH}/add`, { registration, assertion, name: 'added' });
  return { made, answer, registration, assertion };
}

async function removeByHttp(own: HttpBrowser, id: string, by: ReturnType<typeof newDevice>) {
  const options = await own.submit(PATH, `${PATH}/remove-options`, { id }, json);
  const assertion = JSON.stringify(by.assert(await challengeOf(options)));
  return own.submit(PATH, `${PATH}/remove`, { id, assertion });
}

describe('the page of passkeys', () => {
  it('in a real browser: a second is added, named, and removes the first, whose sessions end', async () => {
    const { page, authenticator: first } = phone;
    await phone.pair(await link());
    await phone.openSetting('Passkeys');
    await page.getByTestId('authenticator').waitFor();
    expect(await page.getByTestId('authenticator-kind').textContent()).toBe('Stays on one device');
    // The last one: only the machine can.
    expect(await page.getByTestId('remove').count()).toBe(0);

    // The person touches the new one when it is made, and the old one when it is asked to say yes.
    const second = await phone.addAuthenticator();
    await first.touch(false);
    await page.route('**/add-options', async (route) => {
      await first.touch(true);
      await second.touch(false);
      await route.continue();
    });
    await page.getByTestId('new-name').fill('blue key');
    await page.getByTestId('add').tap();
    await expect.poll(() => page.getByTestId('authenticator').count(), patiently).toBe(2);
    expect(await page.getByTestId('authenticator-name').allTextContents()).toEqual(['Chrome on Linux', 'blue key']);
    expect(await second.credentials()).toHaveLength(1);

    const blue = page.getByTestId('authenticator').filter({ hasText: 'blue key' });
    await blue.locator('summary').tap();
    await blue.getByTestId('rename').fill('green key');
    await blue.getByTestId('save-name').tap();
    await expect.poll(() => page.getByTestId('authenticator-name').allTextContents(), patiently).toContain('green key');

    await second.touch(true);
    await first.touch(false);
    const old = page.getByTestId('authenticator').filter({ hasText: 'Chrome on Linux' });
    await old.locator('summary').tap();
    await old.getByTestId('remove').tap();
    // This browser had come in with the one that is gone.
    await page.getByTestId('sign-in').waitFor();
    await phone.signIn();
    await page.getByTestId('authenticator').waitFor();
    expect(await page.getByTestId('authenticator-name').allTextContents()).toEqual(['green key']);
    expect(await namesOf()).toEqual(['green key']);
    expect(await second.credentials()).toHaveLength(1);
  });

  it('tells synced passkeys from those of one device, and both from software', async () => {
    const synced = await openPhoneBrowser(browser, { synced: true });
    await synced.pair(await link());
    await synced.page.goto(world.issuer + PATH);
    await synced.page.getByTestId('authenticator').waitFor();
    expect(await synced.page.getByTestId('authenticator-kind').textContent()).toMatch(/^Synced/);
    await world.keys.enrollSoftwareKey('alice', deriveSoftwareKey('secret', 'alice'));
    await synced.page.reload();
    await expect.poll(() => synced.page.getByTestId('authenticator').count(), patiently).toBe(2);
    expect(await synced.page.getByTestId('authenticator-kind').last().textContent()).toMatch(/^Software key/);
    await synced.close();
  });

  it('is added to by one of the same person’s alone, over the very passkey that was made', async () => {
    const { browser: own, authenticator } = await pairByHttp(await link());
    const { authenticator: bobs } = await pairByHttp(await link('bob'));
    for (const by of [bobs, newDevice()]) {
      expect((await addByHttp(own, { by })).answer.status).toBe(403);
    }
    const { registration, assertion, answer } = await addByHttp(own, { by: authenticator });
    expect(ledTo(answer)).toBe(PATH);
    // A yes to one is none to another, and none the second time.
    const other = await own.submit(PATH, `${PATH}/create-options`, {}, json);
    const swapped = JSON.stringify(newDevice().register(await challengeOf(other)));
    expect((await own.submit(PATH, `${PATH}/add`, { registration: swapped, assertion })).status).toBe(403);
    expect((await own.submit(PATH, `${PATH}/add`, { registration, assertion })).status).toBeGreaterThan(400);
    expect(await namesOf()).toEqual(['test phone', 'added']);
  });

  it('is added to by nobody who does not answer', async () => {
    const { browser: own } = await pairByHttp(await link());
    const options = await own.submit(PATH, `${PATH}/create-options`, {}, json);
    const registration = JSON.stringify(newDevice().register(await challengeOf(options)));
    expect((await own.submit(PATH, `${PATH}/add`, { registration })).status).toBe(400);
    expect((await own.submit(PATH, `${PATH}/add-options`, {}, json)).status).toBe(400);
    expect(await namesOf()).toEqual(['test phone']);
  });

  it('loses none by itself, by a stranger’s, or by another person’s', async () => {
    const { browser: own, authenticator } = await pairByHttp(await link());
    const { authenticator: bobs } = await pairByHttp(await link('bob'));
    const { made } = await addByHttp(own, { by: authenticator });
    for (const by of [made, bobs, newDevice()]) {
      expect((await removeByHttp(own, made.credentialId, by)).status).toBe(403);
    }
    expect((await removeByHttp(own, bobs.credentialId, authenticator)).status).toBeGreaterThanOrEqual(400);
    expect((await own.submit(PATH, `${PATH}/remove`, { id: made.credentialId })).status).toBe(400);
    expect(await namesOf()).toEqual(['test phone', 'added']);
    expect(await namesOf('bob')).toEqual(['test phone']);
    expect(ledTo(await removeByHttp(own, made.credentialId, authenticator))).toBe(PATH);
    expect(await namesOf()).toEqual(['test phone']);
  });

  it('lets one that was removed sign nobody in', async () => {
    const { browser: own, authenticator } = await pairByHttp(await link());
    const { made } = await addByHttp(own, { by: authenticator });
    const other = await signInByHttp(world.issuer, made);
    await removeByHttp(own, made.credentialId, authenticator);
    expect(ledTo(await other.visit('/phone'))).toMatch(/^\/signin/);
    await expect(signInByHttp(world.issuer, made)).rejects.toThrow('not signed in: 401');
    expect((await own.visit('/phone')).status).toBe(200);
  });

  it('names another person’s for nobody', async () => {
    const { browser: own } = await pairByHttp(await link());
    const { authenticator: bobs } = await pairByHttp(await link('bob'));
    const answer = await own.submit(PATH, `${PATH}/rename`, { id: bobs.credentialId, name: 'mine' });
    expect(answer.status).toBe(404);
    expect(await namesOf('bob')).toEqual(['test phone']);
  });

  it('shows one who is in by a link what there is, and changes nothing for them', async () => {
    const { authenticator } = await pairByHttp(await link());
    const own = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const shown = await (await own.visit(PATH)).text();
    expect(shown).toContain('test phone');
    expect(shown).not.toMatch(/data-testid="(add|remove|rename|new-recovery)"/);
    const id = authenticator.credentialId;
    for (const path of ['create-options', 'add-options', 'add', 'rename', 'remove-options', 'remove', 'recovery']) {
      const form_token = await own.formToken('/phone');
      expect((await own.post(`${PATH}/${path}`, { form_token, id, name: 'x' })).status, path).toBe(403);
    }
    expect(await namesOf()).toEqual(['test phone']);
  });
});
