import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { slowness } from '../../slowness.ts';
import { startDecisionWorld, usualOrder } from './decision-fixture.ts';

/** Bytes of all that the page of requests takes from an empty cache to a signed decision, compressed. */
const MOST_BYTES = 60 * 1024;
/** Milliseconds from the start of the navigation until the card is painted. */
const LATEST_PAINT = 1000;

const world = await startDecisionWorld();
afterAll(() => world.close());

it('the page with a card is painted within a second and weighs less than 60 KB in all', async () => {
  const phone = await world.phone();
  const { page, cdp } = phone;
  await world.gateway.ask(usualOrder());
  await page.getByTestId('request').waitFor();
  await cdp.send('Network.enable');
  await cdp.send('Network.clearBrowserCache');
  const bodies = new Map<string, Promise<string>>();
  cdp.on('Network.loadingFinished', ({ requestId }) => {
    bodies.set(
      requestId,
      cdp.send('Network.getResponseBody', { requestId }).then(({ body }) => body),
    );
  });
  await page.addInitScript(`
    new MutationObserver(() => {
      if (window.cardAt !== undefined || document.querySelector('[data-testid=amount]') === null) return;
      requestAnimationFrame(() => setTimeout(() => { window.cardAt ??= performance.now(); }));
    }).observe(document, { childList: true, subtree: true })`);
  await page.goto(`${world.world.issuer}/phone`);
  await page.getByTestId('amount').waitFor();
  // Not waitForFunction: its second look is an eval, which the page's policy refuses.
  await expect.poll(() => page.evaluate('window.cardAt !== undefined')).toBe(true);
  await page.getByTestId('deny').waitFor();
  // What signing takes is loaded by the first tap.
  await page.locator('[data-testid=approve]:not([aria-disabled])').tap();
  await page.getByTestId('result').waitFor();
  const painted = await page.evaluate<number>('window.cardAt');
  const texts = await Promise.all(bodies.values());
  const weight = texts.reduce((sum, text) => sum + gzipSync(text).length, 0);
  process.stdout.write(
    `page of requests: ${Math.round(weight / 1024)} KB compressed, ${bodies.size} files, card at ${Math.round(painted)} ms\n`,
  );
  expect(bodies.size).toBeGreaterThan(4);
  expect(weight).toBeLessThan(MOST_BYTES);
  expect(painted).toBeLessThan(LATEST_PAINT * slowness());
  await phone.close();
});
