import { gzipSync } from 'node:zlib';
import type { Result } from 'axe-core';
import type { CDPSession, Page, Request } from 'playwright-core';

/** What one opening of a page took. Times are milliseconds from the start of its navigation. */
export interface Opening {
  readonly bytes: number;
  readonly firstPaint: number;
  readonly largestPaint: number;
  readonly blocked: number;
  readonly shift: number;
}

const observers = `
  window.measured = { first: 0, largest: 0, blocked: 0, shift: 0 };
  const watch = (type, add) => new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type, buffered: true });
  watch('paint', ({ name, startTime }) => { if (name === 'first-contentful-paint') window.measured.first = startTime; });
  watch('largest-contentful-paint', ({ startTime }) => { window.measured.largest = startTime; });
  watch('longtask', ({ duration }) => { window.measured.blocked += duration - 50; });
  watch('layout-shift', ({ value, hadRecentInput }) => { if (!hadRecentInput) window.measured.shift += value; });`;

type Measured = Readonly<Record<'first' | 'largest' | 'blocked' | 'shift', number>>;
/** The browser tells of a paint some time after it. */
const painted = `new Promise((done) => {
  (function look() {
    if (window.measured.first > 0 && window.measured.largest > 0) done(window.measured);
    else requestAnimationFrame(look);
  })();
})`;

/** A network and a processor as Lighthouse has them for a score. */
export interface Throttle {
  readonly latency: number;
  readonly bytesPerSecond: number;
  readonly slowdown: number;
}

export type PageMeter = Awaited<ReturnType<typeof pageMeter>>;

/** Measures what a page opens, each time with an empty cache. */
export async function pageMeter(page: Page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Network.enable');
  await page.addInitScript(observers);
  return {
    page,
    async open(url: string, ready: (page: Page) => Promise<unknown>, throttle?: Throttle): Promise<Opening> {
      await page.goto('about:blank');
      await cdp.send('Network.clearBrowserCache');
      await throttled(cdp, throttle);
      const bodies: Promise<number>[] = [];
      const finished = (request: Request) => bodies.push(weight(request));
      page.on('requestfinished', finished);
      await page.goto(url);
      await ready(page);
      await nextPaint(page);
      page.off('requestfinished', finished);
      await throttled(cdp);
      const bytes = (await Promise.all(bodies)).reduce((sum, size) => sum + size, 0);
      const { first, largest, blocked, shift } = await page.evaluate<Measured>(painted);
      return { bytes, firstPaint: first, largestPaint: largest, blocked, shift };
    },
  };
}

/** A stream goes on, and what it brings comes after the page. */
async function weight(request: Request): Promise<number> {
  if (request.headers().accept === 'text/event-stream') return 0;
  const answer = await request.response();
  if (answer === null || answer.status() === 204 || answer.headers().location !== undefined) return 0;
  return gzipSync(await answer.body()).length;
}

async function throttled(cdp: CDPSession, throttle?: Throttle): Promise<void> {
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: throttle?.latency ?? 0,
    downloadThroughput: throttle?.bytesPerSecond ?? -1,
    uploadThroughput: throttle?.bytesPerSecond ?? -1,
  });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: throttle?.slowdown ?? 1 });
}

/** Two frames: the first may have begun before the change. */
export const nextPaint = (page: Page): Promise<void> =>
  page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))');

/** Runs in the page: each color in use, by the element that has it, and that which a chart is drawn in most. */
const palette = `
  [...new Set([...document.querySelectorAll('body, body *')].filter((element) => element.checkVisibility()).flatMap((element) => {
    const name = element.tagName.toLowerCase() + [...element.classList].map((one) => '.' + one).join('');
    if (element instanceof HTMLCanvasElement) {
      const { data } = element.getContext('2d').getImageData(0, 0, element.width, element.height);
      const counts = new Map();
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] !== 255) continue;
        const color = data.slice(at, at + 3).join();
        counts.set(color, (counts.get(color) ?? 0) + 1);
      }
      return [name + ' is drawn in ' + [...counts].sort(([, one], [, other]) => other - one)[0]?.[0]];
    }
    const style = getComputedStyle(element);
    return ['color', 'backgroundColor', 'borderTopColor', 'fill', 'stroke'].map((property) => name + ' ' + property + ' ' + style[property]);
  }))].sort()`;

export const colors = (page: Page): Promise<string[]> => page.evaluate(palette);

const impacts = ['critical', 'serious', 'moderate', 'minor'] as const;

/** Numbers of what axe finds, from critical to minor: `0/0/0/1`. */
export function byImpact(found: readonly Result[]): string {
  return impacts.map((impact) => found.filter((one) => one.impact === impact).length).join('/');
}

/**
 * What Lighthouse 13 measures with: its slow phone over 4G, with latency and throughput as it asks DevTools for them, and
 * its desktop. Each metric scores 90 at the first number and 50 at the second, on a log-normal curve.
 * See core/config/constants.js and core/audits/metrics of its package, Apache-2.0.
 */
export const lighthouse = {
  phone: {
    throttle: { latency: 562.5, bytesPerSecond: (1474.56 * 1024) / 8, slowdown: 4 },
    curves: { firstPaint: [1800, 3000], largestPaint: [2500, 4000], blocked: [200, 600], shift: [0.1, 0.25] },
  },
  desktop: {
    throttle: { latency: 150, bytesPerSecond: (9216 * 1024) / 8, slowdown: 1 },
    curves: { firstPaint: [934, 1600], largestPaint: [1200, 2400], blocked: [150, 350], shift: [0.1, 0.25] },
  },
} as const;
/** Its weights. The speed index, 10, needs a film of the page; the others are taken for the whole. */
const weights = { firstPaint: 10, largestPaint: 25, blocked: 30, shift: 25 } as const;

/** The performance score that Lighthouse gives these measurements, 0 to 100. */
export function performanceScore(opening: Opening, { curves }: (typeof lighthouse)['phone' | 'desktop']): number {
  const parts = Object.entries(weights) as [keyof typeof weights, number][];
  const total = parts.reduce((sum, [, weight]) => sum + weight, 0);
  const sum = parts.reduce((sum, [metric, weight]) => sum + weight * logNormal(opening[metric], curves[metric]), 0);
  return Math.round((100 * sum) / total);
}

/** Closest double to the inverse of the complementary error function at 1/5. */
const INVERSE_ERFC_ONE_FIFTH = 0.9061938024368232;

function logNormal(value: number, [good, median]: readonly [number, number]): number {
  if (value <= 0) return 1;
  return (1 - erf((Math.log(value / median) * INVERSE_ERFC_ONE_FIFTH) / Math.log(median / good))) / 2;
}

/** Abramowitz and Stegun 7.1.26. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}
