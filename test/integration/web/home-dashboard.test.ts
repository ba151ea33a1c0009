import { afterAll, expect, it } from 'vitest';
import { renderDashboardPart } from '../../../src/home/phone/dashboard/parts.ts';
import { anOrder } from '../../fixtures/builders.ts';
import { findings } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { openCliWorld } from '../cli/cli-world.ts';
import {
  cutOff,
  disclosureMarkers,
  openPhoneBrowser,
  type PhoneBrowser,
  type PhoneBrowserOptions,
} from '../home/phone-browser.ts';
import { longestFrameOfSwitching, settled, shot } from './web-world.ts';

const [browser, world] = await Promise.all([launchChromium(), openCliWorld()]);
await world.login();
await world.run(['portfolio']);
afterAll(async () => {
  await browser.close();
  await world.close();
});

const option = 'AAPL261218C00190000';
/** A coin at a hundredth of a cent, a share that lost everything, a short option, and 47 more. */
const positions = Array.from({ length: 50 }, (_, index) => ({
  symbol: ['PEPE/USD', 'GONE', option][index] ?? `LONG${index}`,
  side: index === 2 ? 'short' : 'long',
  qty: index === 0 ? '123456789012.123456789' : '2',
  avg_entry_price: '150',
  current_price: ['0.0001', '0'][index] ?? '200',
  lastday_price: '205',
  market_value: index === 1 ? '0' : `98765432${index}.99`,
  cost_basis: '300',
  unrealized_pl: '-300',
  unrealized_plpc: '-1',
  change_today: index === 1 ? '-1' : '-0.0244',
}));
const extremes = {
  form: { path: '/phone/dashboard', formToken: 't', hidesCodes: true },
  data: {
    account: async () => ({
      ...{ account: 'PA1', environment: 'live', cash: '600000000.00', buying_power: '60000000000.00' },
      ...{ equity: '123456789012.34', last_equity: '246913578024.68', trading_blocked: true, simulated: true },
    }),
    positions: async () => positions,
    orders: async () =>
      Array.from({ length: 500 }, (_, index) =>
        anOrder({ id: `o${index}`, symbol: option, qty: '123456789.123456', limit_price: '0.0001' }),
      ),
    quotes: async (symbols: readonly string[]) =>
      symbols.map((symbol) => ({
        symbol,
        name: 'The Wolfeschlegelsteinhausenbergerdorff International Holdings Trust',
      })),
    bars: async () => ['0.0001', '123456789.99', '0'].map((close) => ({ at: '2026-11-24T05:00:00Z', close })),
    activities: async () => [
      {
        ...{ id: '1', kind: 'fill', type: 'FILL', at: '2026-11-24T15:00:00Z', symbol: option },
        ...{ side: 'buy', qty: '123456789.123456', price: '0.0001', amount: null },
      },
      {
        ...{ id: '2', kind: 'dividend', type: 'DIV', at: '2026-11-24T16:00:00Z', symbol: option },
        ...{ side: null, qty: null, price: null, amount: '-123456789012.34' },
      },
    ],
  } as unknown as Parameters<typeof renderDashboardPart>[1]['data'],
};

async function paired(options: PhoneBrowserOptions = {}): Promise<PhoneBrowser> {
  const phone = await openPhoneBrowser(browser, options);
  const { stdout } = await world.run(['phone', 'link', '--user', 'alice', '--output', 'json']);
  await phone.pair(JSON.parse(stdout).url);
  return phone;
}

it('is reached from the page of requests, shows what is the person’s own, and is approved on by the same card', async () => {
  const phone = await paired();
  const { page } = phone;
  await page.getByRole('link', { name: 'Dashboard' }).tap();
  await settled(page);
  expect(await page.getByTestId('equity').textContent()).toMatch(/^\$[\d,]+\.\d\d$/);
  expect(await longestFrameOfSwitching(page)).toBeLessThan(200);
  expect(await page.getByTestId('part-schedules').textContent()).toContain('stored where your agent runs');
  await world.run(['run', 'buy 2 AAPL', '--approval', 'detach']);
  await page.getByTestId('headline').getByText('Buy 2 AAPL', { exact: true }).waitFor();
  await shot(page, 'home-phone');
  expect(await disclosureMarkers(page)).toEqual(['chevron']);
  expect(await findings(page)).toEqual([]);
  await page.locator('[data-testid=approve]:not([aria-disabled])').tap();
  await page.getByTestId('result').waitFor();
  await page.locator('[data-testid=proposal][data-state=executed]').waitFor();
  expect(await page.locator('[data-testid=proposal][data-state=executed] [data-testid=signed]').textContent()).toMatch(
    /^Signed by a single-device passkey\. The signature matches this proposal: digest /,
  );
  await phone.close();
});

it('opens on value, curve, positions and activity, and another period is one tap away', async () => {
  const phone = await paired();
  const { page } = phone;
  await settled(page);
  expect(await page.getByTestId('equity').textContent()).toMatch(/^\$[\d,]+\.\d\d$/);
  expect(await page.getByTestId('holding').count()).toBeGreaterThan(0);
  const [front, tabs] = [await page.locator('.front').boundingBox(), await page.locator('.tabs').boundingBox()];
  expect((front?.y ?? 0) + (front?.height ?? 0)).toBeLessThanOrEqual(tabs?.y ?? 0);
  await page.getByRole('link', { name: 'One month' }).tap();
  await page.locator('.chart[data-period="1M"] canvas').waitFor();
  expect(new URL(page.url()).search).toBe('?period=1M');
  const chart = page.getByRole('slider', { name: 'Value over time' });
  await chart.focus();
  const last = await chart.getAttribute('aria-valuetext');
  await chart.press('ArrowLeft');
  await expect.poll(() => chart.getAttribute('aria-valuetext')).not.toBe(last);
  const { x = 0, y = 0, width = 0, height = 0 } = (await chart.boundingBox()) ?? {};
  await page.touchscreen.tap(x + width / 2, y + height / 2);
  await expect.poll(() => page.locator('.chart .at').textContent()).toMatch(/^\w{3} \d+, \d{4}: \$[\d,.]+, [+-]?\$/);
  expect(await findings(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  await shot(page, 'home-first');
  await phone.close();
});

it('leads from a position to the page of its symbol', async () => {
  const phone = await paired();
  const { page } = phone;
  await settled(page);
  await page.getByTestId('holding').first().locator('a').tap();
  await page.getByTestId('symbol').waitFor();
  await settled(page);
  expect(await page.getByTestId('unread').allTextContents()).toEqual([]);
  expect(await page.getByTestId('last-price').textContent()).toMatch(/^\$[\d,.]+$/);
  await page.locator('.chart[data-period="3M"] canvas').waitFor();
  await page.getByTestId('held').waitFor();
  for (const summary of await page.locator('summary:visible').all()) await summary.tap();
  await page.getByRole('link', { name: 'One day' }).tap();
  await page.locator('.chart[data-period="1D"] canvas').waitFor();
  await page.getByRole('slider', { name: 'Price over time' }).press('ArrowLeft');
  expect(await findings(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  await shot(page, 'home-symbol');
  await page.goto(new URL('/phone/dashboard/symbol?symbol=%3Cb%3E', page.url()).href);
  await page.getByTestId('message').getByText('No such symbol').waitFor();
  await phone.close();
});

const firstPage = { worth: 'worth', holdings: 'holdings', activity: 'activity', curve: 'orders' } as const;
const fullPage = { summary: 'summary', positions: 'positions', orders: 'orders' } as const;

it.each([
  ['the first page', 320, firstPage],
  ['the first page', 390, firstPage],
  ['the first page', 1280, firstPage],
  ['the dashboard', 390, fullPage],
  ['the dashboard', 1280, fullPage],
] as const)(
  '%s cuts nothing off at %i px: fifty positions, 500 orders, long names, huge and tiny amounts',
  async (_, width, parts) => {
    const phone = await paired(width > 1000 ? { width, height: 900 } : { width });
    const { page } = phone;
    await settled(page);
    if (parts === fullPage) {
      await page.getByRole('link', { name: 'Dashboard' }).tap();
      await page.getByTestId('dashboard').waitFor();
      await settled(page);
    }
    for (const [place, name] of Object.entries(parts)) {
      const { html } = await renderDashboardPart(name, { ...extremes, period: '1M', page: '/phone', now: Date.now() });
      expect(html).not.toContain('data-testid="unread"');
      await page.evaluate(`document.querySelector('[data-part=${place}]').innerHTML = ${JSON.stringify(html)}`);
    }
    const name = 'Maria Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh';
    await page.evaluate(`document.querySelector('[data-testid=signed-in-user]').textContent = '${name}'`);
    await page.evaluate(`document.querySelector('header .name').textContent = 'The home of ${name}'`);
    expect(await cutOff(page)).toEqual([]);
    await phone.close();
  },
);

it('keeps a request at the top, whole, above everything: three results and a request', async () => {
  const phone = await paired();
  const { page } = phone;
  for (const qty of [1, 2, 3]) {
    await world.run(['run', `buy ${qty} KO`, '--approval', 'detach']);
    await page.getByTestId('headline').getByText(`Buy ${qty} KO`, { exact: true }).waitFor();
    await page.locator('[data-testid=approve]:not([aria-disabled])').tap();
    await expect.poll(() => page.getByTestId('result').count()).toBe(qty);
    const after = page.getByTestId('result').first().getByTestId('after-fill');
    await expect.poll(() => after.textContent()).toMatch(/^Position\d+ KO before, \d+ after/);
    const [before = 0, now = 0] = ((await after.textContent()) ?? '').match(/\d+/g)?.map(Number) ?? [];
    expect(now - before).toBe(qty);
  }
  await shot(page, 'home-results');
  await world.run(['run', 'buy 1 MSFT', '--approval', 'detach']);
  await page.getByTestId('headline').getByText('Buy 1 MSFT', { exact: true }).waitFor();
  await page.evaluate('scrollTo(0, 0)');
  const at = async (selector: string) => {
    const box = await page.locator(selector).boundingBox();
    return { top: box?.y ?? 0, bottom: (box?.y ?? 0) + (box?.height ?? 0) };
  };
  const [card, bar, earlier, front] = [
    await at('.card.request'),
    await at('.bar'),
    await at('#earlier'),
    await at('.front'),
  ];
  expect(card.bottom).toBeLessThanOrEqual(bar.top);
  expect(earlier.top).toBeGreaterThanOrEqual(card.bottom);
  expect(front.top).toBeGreaterThanOrEqual(earlier.bottom);
  await shot(page, 'home-request');
  expect(await findings(page)).toEqual([]);
  await page.locator('[data-testid=deny]:not([aria-disabled])').tap();
  await page.getByTestId('request').waitFor({ state: 'detached' });
  await phone.close();
});
