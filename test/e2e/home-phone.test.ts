import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../integration/chromium.ts';
import { openPhoneBrowser } from '../integration/home/phone-browser.ts';
import { createHomeWorld, type HomeWorld } from './home-world.ts';

let browser: Browser;
let world: HomeWorld;
beforeAll(async () => {
  browser = await launchChromium();
  world = await createHomeWorld();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

/** Nothing here takes a minute: the ten that docs/HOME.md promises are for the person. */
const LIMIT_MS = 60_000;

it('from nothing to a fill that a phone signed, as a person does it: init, serve, pair, login, order, tap', async () => {
  const began = performance.now();
  await world.init();
  let stop = await world.serve();
  const phone = await openPhoneBrowser(browser);
  const { page } = phone;
  await phone.pair((await world.json<{ url: string }>('home', 'pair')).url);
  expect(await phone.authenticator.credentials()).toHaveLength(1);

  await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
  const login = world.start('login');
  const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  await page.goto(`${world.address}/device/confirm?user_code=${code}`);
  await page.getByTestId('allow').tap();
  await page.getByTestId('device-done').waitFor();
  expect((await login.finished).code).toBe(0);

  await page.goto(`${world.address}/phone`);
  const run = world.start('run', 'buy 2 AAPL limit 400', '--output', 'json');
  await page.getByTestId('request').waitFor();
  await page.getByTestId('approve').tap();
  const { code: exit, stdout } = await run.finished;
  expect([exit, JSON.parse(stdout)]).toMatchObject([0, { status: 'done', orders: [{ status: 'filled' }] }]);
  await expect.poll(() => page.getByTestId('standing').first().textContent()).toMatch(/^\s*Filled/);
  expect(performance.now() - began).toBeLessThan(LIMIT_MS);

  expect(phone.complaints).toEqual([]);

  // A home that is killed hard is the same home at its next start: the browser stays signed in, the passkey good.
  await stop('SIGKILL');
  stop = await world.serve();
  await page.goto(`${world.address}/phone`);
  const again = world.start('run', 'buy 1 AAPL limit 400', '--output', 'json');
  await page.getByTestId('request').waitFor();
  // The person does not unlock it: nothing is signed, nothing is placed.
  await phone.authenticator.unlock(false);
  await page.getByTestId('approve').tap();
  await page.getByTestId('said').getByText('Not approved', { exact: true }).waitFor();
  expect(world.sandbox.broker.book()).toHaveLength(1);
  await phone.authenticator.unlock(true);
  await page.getByTestId('approve').tap();
  expect((await again.finished).code).toBe(0);
  expect(world.sandbox.broker.book()).toHaveLength(2);
  await phone.close();
  await stop();
}, 180_000);
