import { afterAll, describe, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { screensOf } from '../screens.ts';
import { openWebPage, openWebWorld, type Screen, settled, shot } from './web-world.ts';

const [browser, world] = await Promise.all([launchChromium(), openWebWorld()]);
await world.run(['run', 'buy 2 AAPL limit 100 gtc', '--approval', 'detach']);
await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '20s']);
await world.run(['run', 'buy 1 KO', '--approval', 'detach']);
await world.run(['phone', '--decide', 'deny', '--once', '--timeout', '20s']);
afterAll(async () => {
  await browser.close();
  await world.close();
});

const screens: Record<string, Screen> = {
  desktop: { height: 1000 },
  'desktop-dark': { height: 1000, dark: true },
  phone: { width: 390, height: 844 },
  'phone-dark': { width: 390, height: 844, dark: true },
  narrow: { width: 320, height: 640 },
  'narrow-dark': { width: 320, height: 640, dark: true },
};

it('the picture in docs/guide/WEB.md, where nothing waits', async () => {
  const { link, origin } = await world.web();
  const { context, page } = await openWebPage(browser, { height: 1000 }, origin);
  await page.goto(link);
  await settled(page);
  await page.getByTestId('nothing-waits').waitFor();
  await shot(page, 'docs');
  await context.close();
  await world.run(['run', 'buy 3 MSFT limit 300', '--approval', 'detach']);
});

describe.each(screensOf(screens, ['desktop', 'narrow-dark']))('the dashboard on %s', (name, screen) => {
  it('is whole, live, fits, asks nobody else for anything, and axe finds nothing worse than minor', async () => {
    const { link, origin } = await world.web();
    const { context, page, complaints, elsewhere } = await openWebPage(browser, screen, origin);
    await page.goto(link);
    await settled(page);
    expect(await page.getByTestId('simulated').count()).toBeGreaterThan(0);
    expect(await page.getByTestId('unread').allTextContents()).toEqual([]);
    expect(await page.locator('.uplot canvas').count()).toBe(2);
    await shot(page, name);
    await page.locator('[data-testid=proposal][data-state=executed] summary').click();
    await shot(page, `${name}-story`);
    expect(await findings(page)).toEqual([]);
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(wide).toBeLessThanOrEqual(0);
    // The outcome takes no room from the terms.
    const shares = await page.evaluate<number[]>(`[...document.querySelectorAll('.terms')]
      .filter((terms) => terms.closest('[data-testid=order], [data-testid=proposal] summary') !== null)
      .map((terms) => terms.clientWidth / terms.parentElement.clientWidth)`);
    expect(shares.length).toBeGreaterThan(2);
    expect(Math.min(...shares)).toBeGreaterThan(0.98);
    expect(complaints).toEqual([]);
    expect(elsewhere).toEqual([]);
    await context.close();
  });
});
