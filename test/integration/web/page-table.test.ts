import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as client from 'openid-client';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { slowness } from '../../slowness.ts';
import { violations, worseThanMinor } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { cutOff, openPhoneBrowser } from '../home/phone-browser.ts';
import { publicClient } from '../home/public-client.ts';
import {
  byImpact,
  colors,
  lighthouse,
  nextPaint,
  type PageMeter,
  pageMeter,
  performanceScore,
} from './page-measures.ts';
import { openWebPage, openWebWorld, screenshots, settled } from './web-world.ts';

/** Bytes of a page and all that it loads from an empty cache, compressed. */
const MOST_BYTES = 100_000;
/** Milliseconds from the start of the navigation to the largest paint. */
const LATEST_PAINT = 1000;
/** Cumulative Layout Shift that counts as good (web.dev/cls). */
const MOST_SHIFT = 0.1;
const LEAST_SCORE = 95;

/** Every page is measured, and photographed for people to look at, with `PAGES=all`; otherwise the ones used most. */
const isEveryPage = process.env.PAGES === 'all';
const photographs = join(screenshots, 'pages');
mkdirSync(photographs, { recursive: true });
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
if (isEveryPage) {
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '400', '--total', '800', '--orders', '2', '--until', until];
  const granted = world.run(['mandates', 'add', 'KO', ...terms]);
  await world.decide('approve');
  await granted;
}
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

/** The pages that the settings, a device or an app lead to. */
const rarePages = {
  passkeys: ['/phone/authenticators', visible('authenticator')],
  'signed in on': ['/phone/sessions', visible('session')],
  'devices and apps': ['/phone/programs', visible('device')],
  mandates: ['/phone/mandates', visible('mandate')],
  halt: ['/phone/halt', visible('halt')],
  "a device's code": ['/device', visible('user-code')],
  'connect an account': ['/connections/connect?connection=slack', visible('connection')],
  'a message': ['/connections/connect?connection=none', visible('message')],
} as const;

/** Starts the sign-in of a device and of an app. @returns the addresses that they send the person to */
async function consentPages(issuer: string) {
  const device = world.start(['login']);
  const code = await device.says(/\b[A-Z0-9]{4}-[A-Z0-9]{4}\b/);
  const app = await publicClient({
    issuer,
    discover: (id, metadata, auth) =>
      client.discovery(new URL(issuer), id, metadata, auth, { execute: [client.allowInsecureRequests] }),
  });
  return {
    pages: {
      "a device's consent": [`${issuer}/device/confirm?user_code=${code}`, visible('scopes')],
      "an app's consent": [app.url({ resource: `${world.sandbox.ready.gateway}/mcp` }).href, visible('consent')],
    } as const,
    async end() {
      device.interrupt();
      await device.done;
    },
  };
}

async function photograph(page: Page, name: string): Promise<void> {
  if (!isEveryPage) return;
  const file = name.replaceAll(/[^a-z]+/g, '-');
  const timeout = 60_000;
  await page.screenshot({ path: join(photographs, `${file}.png`), timeout });
  await page.screenshot({ path: join(photographs, `${file}-whole.png`), fullPage: true, timeout });
}

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
      const cut = await cutOff(page);
      await photograph(page, `${name}, ${size}, light`);
      await page.emulateMedia({ colorScheme: 'dark' });
      await nextPaint(page);
      const switched = { found: await violations(page), colors: await colors(page) };
      const second = await meter.open(url, ready);
      const dark = { found: await violations(page), colors: await colors(page) };
      await photograph(page, `${name}, ${size}, dark`);
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
      expect.soft(cut, `${name}, cut off`).toEqual([]);
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
      if (isEveryPage) {
        for (const [name, [path, ready]] of Object.entries(rarePages)) await measure(name, meter, origin + path, ready);
        const consent = await consentPages(origin);
        for (const [name, [address, ready]] of Object.entries(consent.pages))
          await measure(name, meter, address, ready);
        await consent.end();
      }
      await phone.close();
    }, 600_000);

    it('so are those of the agent’s machine', async () => {
      const { link, origin } = await world.web();
      const { context, page } = await openWebPage(browser, { width, height }, origin);
      await page.goto(link);
      await settled(page);
      const meter = await pageMeter(page);
      await measure('dashboard', meter, page.url(), settled);
      await measure('chat', meter, `${origin}/chat`, (chat) => chat.getByTestId('live').getByText('Live').waitFor());
      if (isEveryPage) {
        const { thread } = (await world.json('run', 'buy 1 MSFT limit 300', '--approval', 'detach')).body;
        await measure('a conversation', meter, `${origin}/chat?thread=${thread}`, visible('request'));
        await world.decide('deny');
      }
      await measure('check report', meter, pathToFileURL(report).href, (one) => one.locator('svg').first().waitFor());
      await context.close();
    }, 300_000);
  },
);
