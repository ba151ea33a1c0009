import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHtmlReport } from '../../../src/check/report/html.ts';
import { checks, position, quote, snapshot, TUESDAY_NOON } from '../../unit/check/sample-snapshot.ts';
import { launchChromium } from '../chromium.ts';

const DAY = 86_400_000;
const screenshots = fileURLToPath(new URL('../../../test-results/screenshots/', import.meta.url));

async function page(): Promise<string> {
  const made = await checks(`targets: {AAPL: 50%, MSFT: 20%, BRK.B: 5%, VTI: 20%}
rules:
  - {name: drift, kind: drift}
  - {name: fall, kind: drawdown, above: 1%, severity: critical}
  - {name: a-rule-with-a-name-as-long-as-names-may-be-00000, kind: price, symbol: AAPL, below: 200, severity: info}
`);
  const { account, ...rest } = snapshot();
  const { result, figures } = made.run(
    {
      ...rest,
      account: { ...account, equity: '123456.78', last_equity: '120000.00', cash: '3456.78' },
      positions: [
        position('AAPL', 300, 100),
        position('MSFT', 900, 95),
        position('BRK.B', 10, 400),
        ...Array.from({ length: 14 }, (_, index) => position(`LONG${index}/USD`, 3 + index, 17)),
      ],
      quotes: new Map(['AAPL', 'MSFT', 'BRK.B', 'VTI'].map((symbol) => [symbol, quote(symbol, '95')] as const)),
      history: Array.from({ length: 700 }, (_, day) => ({
        at: TUESDAY_NOON - (700 - day) * DAY,
        equity: (100_000 + day * 30 + 9000 * Math.sin(day / 40)).toFixed(2),
      })),
    },
    { awaited: new Set(), wasAsked: () => false },
  );
  return renderHtmlReport(result, figures);
}

/** Runs in the page: texts of charts that are cut off, lie on a bar, or are too small. */
const unreadable = `[...document.querySelectorAll('svg')].flatMap((chart) => {
  const edge = chart.getBoundingClientRect();
  const bars = [...chart.querySelectorAll('rect')].map((bar) => bar.getBoundingClientRect());
  return [...chart.querySelectorAll('text')].flatMap((text) => {
    const box = text.getBoundingClientRect();
    const covered = bars.some(
      (bar) => box.left < bar.right && box.right > bar.left && box.top < bar.bottom && box.bottom > bar.top,
    );
    const problems = [];
    if (box.left < edge.left || box.right > edge.right) problems.push(text.textContent + ' is cut off');
    if (covered) problems.push(text.textContent + ' lies on a bar');
    if (box.height < 11) problems.push(text.textContent + ' is small');
    return problems;
  });
})`;

describe('the page of a report, in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it.each([
    ['a phone', 390, 844, 'light'],
    ['a phone', 390, 844, 'dark'],
    ['a desktop', 1280, 900, 'light'],
    ['a desktop', 1280, 900, 'dark'],
  ] as const)('fits %s of %i × %i, %s: nothing is cut off, covered, or too small to read', async (...shape) => {
    const [device, width, height, colorScheme] = shape;
    const tab = await browser.newPage({ viewport: { width, height }, colorScheme });
    try {
      await tab.setContent(await page());
      const name = `check-report-${device.split(' ')[1]}-${colorScheme}.png`;
      await tab.screenshot({ path: `${screenshots}${name}`, fullPage: true });
      expect(await tab.evaluate(unreadable)).toEqual([]);
      expect(await tab.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBe(0);
    } finally {
      await tab.close();
    }
  });
});
