import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../integration/chromium.ts';
import { openPhoneBrowser, type PhoneBrowser } from '../integration/home/phone-browser.ts';
import { createWorld, type World } from './world.ts';

/** Kept for people to look at; one is the README's picture. */
const screenshots = new URL('../../test-results/screenshots/', import.meta.url).pathname;

let world: World;
let browser: Browser;
let phone: PhoneBrowser;
let page: Page;

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  [world, browser] = await Promise.all([createWorld(), launchChromium()]);
  phone = await openPhoneBrowser(browser);
  page = phone.page;
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

const shot = (name: string, fullPage = false) => page.screenshot({ path: join(screenshots, `${name}.png`), fullPage });
const text = (id: string) => page.getByTestId(id).first().textContent();

const card = (name: string) => page.getByRole('article', { name });
const other = (name: string) => page.getByTestId('other').getByText(name, { exact: true });
const focused = () => page.evaluate<string>(`document.activeElement.dataset.testid ?? ''`);
/** Whether the page was loaded again since `notReloaded` was set. */
const isReloaded = () => page.evaluate<boolean>(`window.notReloaded !== true`);
const dismiss = () => page.locator('[data-put-away]').first().tap();

const terminalCode = /\bcode\s+([0-9A-HJKMNP-TV-Z]{4})\b/;

describe('a person with a phone, in a real browser', () => {
  it('sets the phone up by the link that the terminal prints', async () => {
    const { stdout } = await world.cli(['phone', 'link', '--output', 'json']);
    await page.goto(JSON.parse(stdout).url);
    await page.getByTestId('set-up').waitFor();
    await shot('phone-pair');
    await phone.pair(JSON.parse(stdout).url);
    await phone.signOut();
    await page.getByTestId('sign-in').waitFor();
    await shot('sign-in');
  });

  it('signs the terminal in by the device page', async () => {
    const login = world.start(['login']);
    const [, url = ''] = await login.waitFor(/(http:\/\/localhost:\d+\/device)\b/);
    const [code] = await login.waitFor(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);

    await page.goto(url);
    await page.getByTestId('user-code').fill(code);
    await page.getByTestId('continue').tap();
    await phone.authenticator.unlock(false);
    await page.getByTestId('sign-in').tap();
    expect(await text('problem')).toMatch(/\w/);
    await phone.authenticator.unlock(true);
    await phone.signIn();

    expect(await text('device-code')).toBe(code);
    expect(await page.locator('body').textContent()).toMatch(/scam|started this yourself/i);
    await shot('device-consent');
    await page.getByTestId('allow').tap();
    await page.getByTestId('phone-link').waitFor();
    const { code: exit, stderr } = await login.finished;
    expect(exit, stderr).toBe(0);
    await page.getByTestId('phone-link').tap();
    await page.getByTestId('empty').waitFor();
    await shot('phone-empty');
  });

  it('sees the pending order with every field and the terminal’s code, taps Approve, and the terminal shows the fill', async () => {
    const run = world.start(['run', 'buy 5 AAPL limit 400']);
    const [, code] = await run.waitFor(terminalCode);
    // Live: the page was open before the order was.
    await page.getByTestId('request').waitFor();
    expect(await text('code')).toBe(code);
    expect(await text('environment')).toMatch(/PAPER/);
    expect(await text('headline')).toMatch(/BUY 5 AAPL/i);

    const { details, expires_at } = (await world.phone.requests('alice', { waitSeconds: 0 }))[0] ?? {};
    const subject = { ...(details?.subject as Record<string, unknown> | undefined) };
    expect(subject).toMatchObject({ symbol: 'AAPL', qty: '5', limit_price: '400.00', type: 'limit' });
    const shown = (await page.getByTestId('request').textContent()) ?? '';
    const inWords: Record<string, string> = {
      side: 'Buy',
      type: 'Limit',
      time_in_force: 'Day',
      extended_hours: 'Extended hoursNo',
      max_slippage: '1%',
      environment: 'PAPER',
      expires_at: String(expires_at).slice(0, 4),
    };
    const fields = Object.entries(subject);
    expect(fields.length).toBeGreaterThan(11);
    for (const [field, value] of fields) expect(shown, field).toContain(inWords[field] ?? [value].flat().join(', '));
    for (const field of ['proposal', 'digest', 'identifier']) expect(shown, field).toContain(String(details?.[field]));
    expect(await text('total')).toMatch(/Costs at most \$2,000\.00/);
    expect(await text('warnings')).toMatch(/limit is \d+% above the current price/);
    expect(await text('requested-by')).toBe('trade-agent (run)');
    expect(await text('sentence')).toBe('buy 5 AAPL limit 400');
    // All of it stands in the person's own words.
    expect(await page.getByTestId('origins').count()).toBe(0);
    await shot('phone-approval');
    await shot('phone-approval-whole', true);

    await page.evaluate(`window.notReloaded = true`);
    await page.getByTestId('approve').tap();
    const { code: exit, stdout, stderr } = await run.finished;
    expect(exit, stdout + stderr).toBe(0);
    expect(stdout + stderr).toMatch(/Bought 5 AAPL at/);
    // What became of it takes the buttons' place; the page stays, and so does the focus.
    await expect.poll(() => text('outcome'), { timeout: 10_000 }).toMatch(/filled 5 at \$/);
    expect(await isReloaded()).toBe(false);
    expect(await focused()).toBe('result');
    await shot('phone-approved');
    await dismiss();
    expect(await page.getByTestId('recent').first().textContent()).toMatch(/Buy 5 AAPL[\s\S]*filled 5 at/);
    expect((await world.book()).filter(({ qty, symbol }) => symbol === 'AAPL' && qty === '5')).toHaveLength(1);
  });

  it('sees a request go away that is withdrawn while it is shown, and keeps the thumb on the other', async () => {
    const detach = async (prompt: string) => {
      const { stdout } = await world.cli(['run', prompt, '--approval', 'detach', '--output', 'json']);
      return JSON.parse(stdout).approvals[0].id as string;
    };
    const first = await detach('buy 1 NVDA limit 1');
    await detach('buy 3 NVDA limit 1');
    await other('Buy 3 NVDA').waitFor({ timeout: 15_000 });
    await page.evaluate(`window.notReloaded = true`);
    await other('Buy 3 NVDA').tap();
    await card('Buy 3 NVDA').locator('[data-testid=deny]:not([aria-disabled])').focus();
    const cancel = await world.cli(['approvals', 'cancel', first]);
    expect(cancel.code, cancel.stderr).toBe(0);
    await expect.poll(() => page.getByTestId('other').count(), { timeout: 15_000 }).toBe(0);
    expect(await card('Buy 3 NVDA').count()).toBe(1);
    expect(await focused()).toBe('deny');
    expect(await isReloaded()).toBe(false);
    expect(await page.getByTestId('recent').first().textContent()).toMatch(/Buy 1 NVDA[\s\S]*Withdrawn/);
    await shot('phone-withdrawn');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByTestId('request').count(), { timeout: 15_000 }).toBe(0);
    expect(await focused()).toBe('result');
    await dismiss();
  });

  it('taps Deny: exit 6, and no order', async () => {
    const before = (await world.book()).length;
    const run = world.start(['run', 'sell 3 MSFT', '--output', 'json']);
    await page.getByTestId('request').waitFor();
    await shot('phone-sell');
    await page.getByTestId('deny').tap();
    const { code, stdout, stderr } = await run.finished;
    expect(code, stdout + stderr).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'denied',
      orders: [],
      approvals: [{ status: 'denied' }],
    });
    expect(await world.book()).toHaveLength(before);
    await dismiss();
  });

  it('sees two orders one after the other and answers each by itself', async () => {
    const run = world.start(['run', 'buy 1 KO and buy 2 JPM', '--output', 'json']);
    await page.getByTestId('other').waitFor({ timeout: 15_000 });
    await shot('phone-two');
    if ((await card('Buy 2 JPM').count()) === 0) await other('Buy 2 JPM').tap();
    await card('Buy 2 JPM').getByTestId('deny').tap();
    // A button that has just come takes no tap at once.
    await card('Buy 1 KO').getByTestId('approve').tap();
    const { stdout, stderr } = await run.finished;
    const result = JSON.parse(stdout);
    expect(result.orders, stderr).toMatchObject([{ symbol: 'KO', qty: '1' }]);
    expect((await world.book()).filter(({ symbol, qty }) => symbol === 'JPM' && qty === '2')).toEqual([]);
  });

  it('connects Slack there, reads a message whole, taps Approve, and just that is sent', async () => {
    const add = world.start(['connections', 'add', 'slack']);
    const [link] = await add.waitFor(/http:\/\/localhost:\d+\/connections\/connect\?ticket=[\w-]+/);
    await page.goto(link);
    expect(await text('connection')).toBe('Slack');
    expect(await text('scopes')).toBe('send messages as you');
    await shot('connect-account');
    await page.getByTestId('allow').tap();
    await page.getByTestId('continue').tap();
    const alice = world.seed.users.find(({ username }) => username === 'alice');
    await page.locator('#username').fill('alice');
    await page.locator('#password').fill(alice?.broker_password ?? '');
    await shot('connect-consent');
    await page.getByRole('button', { name: 'Allow', exact: true }).tap();
    expect(await text('message')).toBe('Connected');
    const { code, stdout, stderr } = await add.finished;
    expect(code, stdout + stderr).toBe(0);

    await page.goto(world.ready.phone);
    const known = world.start(['policy', 'set', 'message_recipients+=slack:#trading']);
    await page.getByTestId('request').waitFor();
    const whole = await page.getByTestId('request').textContent();
    expect(whole).toContain('Allow messages to #trading on Slack');
    expect(whole).toContain('Check every character of the address. Each message still needs your approval.');
    await shot('phone-recipient', true);
    await page.getByTestId('approve').tap();
    expect((await known.finished).code).toBe(0);

    const run = world.start(['run', 'send my portfolio to slack #trading', '--output', 'json']);
    await card('Send to #trading').waitFor();
    const { details } = (await world.phone.requests('alice', { waitSeconds: 0 }))[0] ?? {};
    const { text: written } = { ...(details?.subject as { text: string } | undefined) };
    expect(await page.locator('dd[data-field="text"]').textContent()).toBe(written);
    // Line by line, as it will be read.
    const style = await page.evaluate(`getComputedStyle(document.querySelector('dd[data-field="text"]')).whiteSpace`);
    expect(style).toBe('pre-wrap');
    expect(await page.locator('dd[data-field="recipient"]').textContent()).toBe('#trading');
    expect(await text('environment')).toContain('MESSAGE');
    await shot('phone-message', true);
    await page.getByTestId('approve').tap();
    const sent = await run.finished;
    expect(sent.code, sent.stdout + sent.stderr).toBe(0);
    const answer = await fetch(`${world.ready.issuer}/admin/messages`, {
      headers: { authorization: `Bearer ${world.seed.admin_secret}` },
    });
    expect(await answer.json()).toMatchObject({
      messages: [{ service: 'slack', user: 'alice', recipient: '#trading', text: written }],
    });
  });
});
