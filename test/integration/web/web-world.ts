import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { SandboxOptions } from '../../../src/sandbox/sandbox.ts';
import { type CommandOptions, openCliWorld, type RunningCommand } from '../cli/cli-world.ts';

export const screenshots = join(import.meta.dirname, '../../../test-results/screenshots');
mkdirSync(screenshots, { recursive: true });

export type WebWorld = Awaited<ReturnType<typeof openWebWorld>>;

/** A signed-in agent on a sandbox, with `trade-agent web` under way. */
export async function openWebWorld(options: Pick<SandboxOptions, 'secondAccounts'> = {}) {
  const world = await openCliWorld(options);
  await world.login();
  const started: RunningCommand[] = [];
  return {
    ...world,
    /** Starts one more, and gives its link. */
    async web(args: readonly string[] = [], options?: CommandOptions) {
      const running = world.start(['web', '--no-open', ...args], options);
      started.push(running);
      const link = await running.says(/http:\/\/127\.0\.0\.1:\d+\/#[A-Za-z0-9_-]{43}/);
      const { origin, hash } = new URL(link);
      return { link, origin, secret: hash.slice(1), running };
    },
    async close() {
      for (const running of started) running.interrupt();
      await Promise.all(started.map(({ done }) => done));
      await world.close();
    },
  };
}

export interface Screen {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

export async function openWebPage(browser: Browser, screen: Screen = {}, origin = '') {
  const { width = 1280, height = 900, dark = false } = screen;
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: width < 600 ? 2 : 1,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  /** What a blocked style or script (Content Security Policy) or a script's error says; it shows only here. */
  const complaints: string[] = [];
  /** Every address that was asked, but for our own. */
  const elsewhere: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d|ERR_CONNECTION|ERR_INCOMPLETE/.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (origin !== '' && !request.url().startsWith(`${origin}/`)) elsewhere.push(request.url());
  });
  return { context, page, complaints, elsewhere };
}

/** All parts are there, and live. */
export async function settled(page: Page): Promise<void> {
  await page.getByTestId('live').getByText('Live', { exact: true }).waitFor();
  // Not waitForFunction: its second look is an eval, which the page's policy refuses.
  await expect.poll(() => page.locator('#dashboard .coming').count()).toBe(0);
}

/**
 * Switches between light and dark and back, some times, while the page goes on.
 * @returns the longest frame of the calmest round, milliseconds: other tests may have the processor for a while
 */
export async function longestFrameOfSwitching(page: Page): Promise<number> {
  await page.evaluate(`
    window.longest = 0;
    (function frame(before) {
      requestAnimationFrame((now) => { window.longest = Math.max(window.longest, now - before); frame(now); });
    })(performance.now())`);
  const rounds: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    await page.evaluate('window.longest = 0');
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      // Two frames: the first may have begun before the switch.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))');
    }
    rounds.push(await page.evaluate<number>('window.longest'));
  }
  return Math.min(...rounds);
}

/** The screen as it is, and the whole page; docs/guide/WEB.md has some of the former. */
export async function shot(page: Page, name: string): Promise<void> {
  await page.evaluate('scrollTo(0, 0)');
  await page.screenshot({ path: join(screenshots, `dashboard-${name}-top.png`) });
  await page.screenshot({ path: join(screenshots, `dashboard-${name}.png`), fullPage: true });
}
