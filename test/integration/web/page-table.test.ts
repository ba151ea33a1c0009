import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { slowness } from '../../slowness.ts';
import { violations, worseThanMinor } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { openPhoneBrowser } from '../home/phone-browser.ts';
import {
  byImpact,
  colors,
  lighthouse,
  nextPaint,
  type PageMeter,
  pageMeter,
  performanceScore,
} from './page-measures.ts';
import { openWebPage, openWebWorld, settled } from './web-world.ts';

/** Bytes of a page and all that it loads from an empty cache, compressed. */
const MOST_BYTES = 100_000;
/** Milliseconds from the start of the navigation to the largest paint. */
const LATEST_PAINT = 1000;
/** Cumulative Layout Shift that counts as good (web.dev/cls). */
const MOST_SHIFT = 0.1;
const LEAST_SCORE = 95;

const isEveryPage = process.env.PAGES === 'all';
const [browser, world] = await Promise.all([launchChromium(), openWebWorld()]);
const report = join(world.folder, 'report.html');
const table: string[][] = [];

await world.run(['run', 'buy 2 AAPL', '--approval', 'detach']);
await world.decide('approve');
await world.run(['run', 'buy 1 KO', '--approval', 'detach']);
await world.decide('deny');
writeFileSync(
  join(world.folder, 'rules.yaml'),
  'targets: {AAPL: 50%, MSFT: 20%}\nrules:\n  - {name: drift, kind: drift}\n  - {name: fall, kind: drawdown, above: 1%}\n',
);
await world.run(['check', '--rules', join(world.folder, 'rules.yaml'), '--report', report]);
afterAll(async () => {
  await browser.close();
  await world.close();
  const heads = ['page', 'size', 'KB gzip', 'first paint', 'largest', 'shift', 'light', 'dark', 'switched', 'score'];
  const rows = [heads, ...table];
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(width(column)))
      .join('  ')
      .trimEnd();
  process.stdout.write(
    `${rows.map(line).join('\n')}\nPaints in milliseconds; axe finds critical/serious/moderate/minor; score as Lighthouse counts performance, throttled.\n`,
  );
});

const visible = (testId: string) => (page: Page) => page.getByTestId(testId).first().waitFor();
const connected = (page: Page) => page.getByText('Connected', { exact: true }).waitFor({ state: 'attached' });

/** Addresses of the pages of a home, and when each is complete. */
const phonePages = {
  home: ['/phone', settled],
  approvals: ['/phone/approvals', connected],
  'activity, history': ['/phone/history', visible('entry')],
  settings: ['/phone/settings', visible('sign-out')],
  symbol: ['/phone/dashboard/symbol?symbol=AAPL', settled],
  "home's dashboard": ['/phone/dashboard', settled],
  card: ['/phone/approvals', visible('amount')],
} as const;

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } } as const;

describe.each(Object.entries(sizes) as [keyof typeof sizes, (typeof sizes)['phone' | 'desktop']][])(
  'at the size of a %s',
  (size, { width, height }) => {
    /** Opens a page light, switches it to dark while it is open, and opens it dark. */
    async function measure(name: string, meter: PageMeter, url: string, ready: (page: Page) => Promise<unknown>) {
      const { page } = meter;
      await page.emulateMedia({ colorScheme: 'light' });
      const first = await meter.open(url, ready);
      const light = { found: await violations(page), colors: await colors(page) };
      await page.emulateMedia({ colorScheme: 'dark' });
      await nextPaint(page);
      const switched = { found: await violations(page), colors: await colors(page) };
      const second = await meter.open(url, ready);
      const dark = { found: await violations(page), colors: await colors(page) };
      const lens = lighthouse[size];
      const score = isEveryPage ? performanceScore(await meter.open(url, ready, lens.throttle), lens) : undefined;
      const largest = Math.min(first.largestPaint, second.largestPaint);
      const shift = Math.max(first.shift, second.shift);
      table.push([
        name,
        `${width}x${height}`,
        (first.bytes / 1000).toFixed(1),
        ...[Math.min(first.firstPaint, second.firstPaint), largest].map((ms) => String(Math.round(ms))),
        shift.toFixed(4),
        ...[light, dark, switched].map(({ found }) => byImpact(found)),
        score === undefined ? '-' : String(score),
      ]);
      const found = Object.entries({ light, dark, switched }).flatMap(([how, one]) =>
        worseThanMinor(one.found).map((text) => `${how}: ${text}`),
      );
      expect.soft(found, name).toEqual([]);
      expect.soft(switched.colors, `${name}, switched while open`).toEqual(dark.colors);
      expect.soft(light.colors, name).not.toEqual(dark.colors);
      expect.soft(first.bytes, name).toBeLessThan(MOST_BYTES);
      expect.soft(first.bytes, name).toBeGreaterThan(1000);
      expect.soft(largest, name).toBeLessThan(LATEST_PAINT * slowness());
      expect.soft(shift, name).toBeLessThan(MOST_SHIFT);
      if (score !== undefined) expect.soft(score, name).toBeGreaterThanOrEqual(LEAST_SCORE);
    }

    it('the pages of a phone are light, fast, calm and for everybody, and follow the theme', async () => {
      const phone = await openPhoneBrowser(browser, { width, height });
      const meter = await pageMeter(phone.page);
      const { url } = JSON.parse((await world.run(['phone', 'link', '--user', 'alice', '--output', 'json'])).stdout);
      const { origin } = new URL(url);
      await measure('sign in', meter, `${origin}/signin`, visible('sign-in'));
      await measure('pairing', meter, url, visible('set-up'));
      await phone.pair(url);
      for (const [name, [path, ready]] of Object.entries(phonePages)) {
        if (name === 'card') await world.run(['run', 'buy 1 MSFT limit 300', '--approval', 'detach']);
        await measure(name, meter, origin + path, ready);
      }
      await world.decide('deny');
      await phone.close();
    }, 240_000);

    it('so are those of the agent’s machine', async () => {
      const { link, origin } = await world.web();
      const { context, page } = await openWebPage(browser, { width, height }, origin);
      await page.goto(link);
      await settled(page);
      const meter = await pageMeter(page);
      await measure('dashboard', meter, page.url(), settled);
      await measure('chat', meter, `${origin}/chat`, (chat) => chat.getByTestId('live').getByText('Live').waitFor());
      await measure('check report', meter, pathToFileURL(report).href, (one) => one.locator('svg').first().waitFor());
      await context.close();
    }, 120_000);
  },
);
