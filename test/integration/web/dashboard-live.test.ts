import type { Page } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { slowness } from '../../slowness.ts';
import { launchChromium } from '../chromium.ts';
import { impatientClock } from '../hasty-clock.ts';
import { longestFrameOfSwitching, openWebPage, openWebWorld, settled, shot } from './web-world.ts';

/** Milliseconds from following the link until the portfolio's value is painted. */
const LATEST_PAINT = 1000;
/** Cumulative Layout Shift that counts as good (web.dev/cls). */
const MOST_SHIFT = 0.1;
/** The gateway tells of a change at once; the page has it within this, milliseconds. */
const LATEST_NEWS = 1000;
/** A frame that takes longer is felt, milliseconds. */
const LONGEST_FRAME = 200;

const [browser, world] = await Promise.all([launchChromium(), openWebWorld()]);
await world.run(['run', 'buy 1 KO limit 20 gtc', '--approval', 'detach']);
await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '20s']);
afterAll(async () => {
  await browser.close();
  await world.close();
});

const watched = `
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  new MutationObserver(() => {
    if (window.paintedAt !== undefined || document.querySelector('[data-testid=equity]') === null) return;
    requestAnimationFrame(() => setTimeout(() => { window.paintedAt ??= performance.timeOrigin + performance.now(); }));
  }).observe(document, { childList: true, subtree: true })`;

async function opened(
  screen = {},
  clock = systemClock,
): Promise<{ page: Page; began: number; close: () => Promise<void> }> {
  const { link, origin } = await world.web([], { clock });
  const { context, page } = await openWebPage(browser, screen, origin);
  await page.addInitScript(watched);
  const began = Date.now();
  await page.goto(link);
  await settled(page);
  return { page, began, close: () => context.close() };
}

it.each([
  ['desktop', { width: 1280, height: 900 }],
  ['phone', { width: 390, height: 844 }],
])('is painted within a second on %s, and nothing on it moves about', async (name, screen) => {
  const times: number[] = [];
  let shifted = 0;
  // The first has the program load what it takes; other tests may have the processor for a while.
  for (let opening = 0; opening < 4; opening += 1) {
    const { page, began, close } = await opened(screen, opening === 0 ? impatientClock : systemClock);
    await expect.poll(() => page.evaluate('window.paintedAt !== undefined')).toBe(true);
    times.push((await page.evaluate<number>('window.paintedAt')) - began);
    if (opening === 0) {
      const value = await page.getByTestId('equity').textContent();
      // A look at the prices.
      await expect.poll(() => page.getByTestId('equity').textContent(), { timeout: 25_000 }).not.toBe(value);
    }
    shifted = Math.max(shifted, await page.evaluate<number>('window.shifted'));
    await close();
  }
  const painted = Math.min(...times);
  process.stdout.write(
    `dashboard on ${name}: value painted at ${Math.round(painted)} ms, layout shift ${shifted.toFixed(4)}\n`,
  );
  expect(painted).toBeLessThan(LATEST_PAINT * slowness());
  expect(shifted).toBeLessThan(MOST_SHIFT);
});

it('goes on while the system switches between light and dark, and its charts follow', async () => {
  const { page, close } = await opened({}, impatientClock);
  const canvas = page.locator('[data-chart] canvas').first();
  const light = await canvas.screenshot();
  const value = await page.getByTestId('equity').textContent();
  const longest = await longestFrameOfSwitching(page);
  process.stdout.write(`dashboard, light to dark and back: longest frame ${Math.round(longest)} ms\n`);
  expect(longest).toBeLessThan(LONGEST_FRAME);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(async () => (await canvas.screenshot()).equals(light)).toBe(false);
  await expect.poll(() => page.getByTestId('equity').textContent(), { timeout: 25_000 }).not.toBe(value);
  await close();
});

it('what changes at the gateway is on the page within a second, and what was opened stays open', async () => {
  const { page, close } = await opened();
  await page.locator('[data-testid=proposal][data-state=executed] summary').click();
  const { stdout } = await world.run(['run', 'buy 2 MSFT limit 10 gtc', '--approval', 'detach', '--output', 'json']);
  const { id } = JSON.parse(stdout).approvals[0];
  const proposal = page.locator(`[data-testid=proposal][data-id=${id}]`);
  await proposal.and(page.locator('[data-state=requested]')).waitFor();
  await page.getByTestId('elsewhere').waitFor();
  await world.run(['approvals', 'cancel', id]);
  const since = performance.now();
  await proposal.and(page.locator('[data-state=cancelled]')).waitFor();
  const took = performance.now() - since;
  expect(took).toBeLessThan(LATEST_NEWS * slowness());
  await page.getByTestId('nothing-waits').waitFor();
  expect(await page.locator('[data-testid=proposal][data-state=executed] details').getAttribute('open')).not.toBeNull();
  await close();
});

it('a part that can’t be read says so and why, and the others stand', async () => {
  // Each is withdrawn to have the page read again at once.
  const [first, second] = await Promise.all(
    ['MSFT', 'KO'].map(async (symbol) => {
      const prompt = `buy 3 ${symbol} limit 10 gtc`;
      const { stdout } = await world.run(['run', prompt, '--approval', 'detach', '--output', 'json']);
      return JSON.parse(stdout).approvals[0].id as string;
    }),
  );
  const { page, close } = await opened({}, impatientClock);
  world.sandbox.faults.set('broker_5xx', Number.POSITIVE_INFINITY);
  await world.run(['approvals', 'cancel', first ?? '']);
  await page.getByTestId('part-summary').getByTestId('unread').waitFor({ timeout: 20_000 });
  expect(await page.getByTestId('proposals').count()).toBe(1);
  await shot(page, 'unread');
  world.sandbox.faults.set('broker_5xx', 0);
  await world.run(['approvals', 'cancel', second ?? '']);
  await page.getByTestId('equity').waitFor({ timeout: 20_000 });
  await close();
});

it('says that it is not connected once the program has ended, and keeps what it had', async () => {
  const { link, origin, running } = await world.web();
  const { context, page } = await openWebPage(browser, {}, origin);
  await page.goto(link);
  await settled(page);
  running.interrupt();
  expect((await running.done).exitCode).toBe(0);
  await page.getByTestId('live').getByText('Not connected, trying again').waitFor();
  expect(await page.getByTestId('equity').count()).toBe(1);
  await shot(page, 'offline');
  await context.close();
});
