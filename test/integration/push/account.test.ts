import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { PhoneNotice } from '../../../src/home/phone/push/phone-notices.ts';
import { createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import {
  challengeOf,
  createHttpBrowser,
  type HttpBrowser,
  issueRecoveryCode,
  ledTo,
  pairByHttp,
  signInByHttp,
} from '../home/http-browser.ts';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { openPushService } from './push-service.ts';

/*
 * What happens to how a person gets in rings their other phones, to the wire: the push service verifies and decrypts.
 */

const PATH = '/phone/authenticators';
const json = { accept: 'application/json' };

const told: PhoneNotice[] = [];
const notices = { tell: async (notice: PhoneNotice) => void told.push(notice) };
const [world, service] = await Promise.all([
  startIdentityProvider({ push: { loopback: true, notices } }),
  openPushService(),
]);
afterAll(async () => {
  await world.close();
  await service.close();
});
beforeEach(() => {
  service.received.length = 0;
  told.length = 0;
});
afterEach(() => {
  world.database().exec('DELETE FROM push_subscriptions');
  expect([...service.complaints, ...world.problems]).toEqual([]);
});

const paired = async (user = 'alice') => await pairByHttp((await world.phone.pairing(user)).url);
const device = () => createAuthenticator('ES256', { origin: world.issuer, rpId: 'localhost' });
async function ring(browser: HttpBrowser, name: string): Promise<void> {
  const subscription = JSON.stringify(service.subscribe(name));
  const answer = await browser.submit('/phone', '/phone/push/subscriptions', { subscription }, json);
  expect(answer.status).toBe(201);
}
const rung = () => service.received.map(({ browser, message }) => [browser, message.kind, message.title]);

it('a passkey that comes, by a link or by another passkey, rings the phones that are there', async () => {
  const { browser, authenticator } = await paired();
  await ring(browser, 'first');
  const { browser: bobs } = await paired('bob');
  await ring(bobs, 'bobs');
  service.received.length = 0;
  told.length = 0;
  const second = await paired();
  await expect.poll(rung).toEqual([['first', 'account', 'A passkey was added']]);
  await ring(second.browser, 'second');
  const options = await second.browser.submit(PATH, `${PATH}/create-options`, {}, json);
  const registration = JSON.stringify(device().register(await challengeOf(options)));
  const toSign = await second.browser.submit(PATH, `${PATH}/add-options`, { registration }, json);
  const assertion = JSON.stringify(authenticator.assert(await challengeOf(toSign)));
  const form = { registration, assertion, name: 'Security key' };
  expect(ledTo(await second.browser.submit(PATH, `${PATH}/add`, form))).toBe(PATH);
  // Whoever adds it knows.
  await expect.poll(() => rung().map(([name]) => name)).toEqual(['first', 'first']);
  expect(service.received[1]?.message.body).toMatch(
    /^“Security key” on .*\. If that was not you, sign that browser out/,
  );
  expect(told).toEqual([]);
});

it('a passkey that goes rings the others, and not the phone that it is gone from', async () => {
  const first = await paired();
  const other = await paired();
  await ring(first.browser, 'first');
  await ring(other.browser, 'other');
  const third = await signInByHttp(world.issuer, first.authenticator);
  await ring(third, 'third');
  const id = other.authenticator.credentialId;
  const options = await first.browser.submit(PATH, `${PATH}/remove-options`, { id }, json);
  const assertion = JSON.stringify(first.authenticator.assert(await challengeOf(options)));
  expect(ledTo(await first.browser.submit(PATH, `${PATH}/remove`, { id, assertion }))).toBe(PATH);
  await expect.poll(rung).toEqual([['third', 'account', 'A passkey was removed']]);
});

it('a sign-in by the recovery code rings every phone; and is told by other ways where none rings', async () => {
  const { browser } = await paired();
  const code = await issueRecoveryCode(browser);
  const recover = () =>
    createHttpBrowser(world.issuer).submit('/signin', '/signin/recovery', { username: 'alice', code });
  await ring(browser, 'phone');
  expect(ledTo(await recover())).toBe('/phone');
  await expect.poll(rung).toEqual([['phone', 'account', 'Signed in with the recovery code']]);
  world.database().exec('DELETE FROM push_subscriptions');
  told.length = 0;
  expect(ledTo(await recover())).toBe('/phone');
  await expect
    .poll(() => told)
    .toMatchObject([
      { user: 'alice', title: 'Signed in with the recovery code', account: { event: 'recovery_sign_in' } },
    ]);
  // What does not get in rings nobody.
  service.received.length = 0;
  const wrong = { username: 'alice', code: 'AAAA-AAAA-AAAA-AAAA-AAAA-AAAA' };
  expect((await createHttpBrowser(world.issuer).submit('/signin', '/signin/recovery', wrong)).status).toBe(401);
  expect(told).toHaveLength(1);
});
