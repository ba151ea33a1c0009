import { afterAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../integration/chromium.ts';
import { openWebPage, openWebWorld } from '../integration/web/web-world.ts';
import { slowness } from '../slowness.ts';
import { hasTmux, openTerminal } from './tmux.ts';

/** An order proposed in one window is in the other within this, milliseconds. */
const LATEST_NEWS = 1000;

const [browser, world] = await Promise.all([launchChromium(), openWebWorld()]);
afterAll(async () => {
  await browser.close();
  await world.close();
});

describe.skipIf(!hasTmux())('the chat page and the terminal’s chat on one thread', () => {
  it('an order proposed in one appears in the other within a second, and its outcome too', async () => {
    const { link, origin } = await world.web();
    const { context, page } = await openWebPage(browser, {}, origin);
    await page.goto(link);
    await page.getByRole('link', { name: 'Chat', exact: true }).click();
    await page.getByTestId('say').fill('quote AAPL');
    await page.getByTestId('say').press('Enter');
    await page.getByTestId('answer').waitFor();
    await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });
    const thread = new URL(page.url()).searchParams.get('thread') ?? '';
    const terminal = openTerminal({
      args: ['chat', '--thread', thread],
      env: world.env,
      columns: 100,
      rows: 40,
    });
    await terminal.shows(/\$[\d,]+\.\d\d/);

    await page.getByTestId('say').fill('buy 2 KO limit 21 gtc');
    await page.getByTestId('say').press('Enter');
    const mine = page.getByTestId('request').filter({ hasText: 'Buy 2 KO' });
    await mine.and(page.locator('[data-state=requested]')).waitFor();
    let since = performance.now();
    await terminal.shows(/from another window: BUY 2 KO/);
    expect(performance.now() - since).toBeLessThan(LATEST_NEWS * slowness());
    await world.decide('deny');
    await mine.and(page.locator('[data-state=denied]')).waitFor();
    await terminal.shows(/BUY 2 KO.*denied/);
    await page.locator('[data-activity=idle]').waitFor({ state: 'attached' });

    await terminal.turn('buy 3 KO limit 22 gtc\n', /waiting for your phone/);
    since = performance.now();
    const theirs = page.getByTestId('request').filter({ hasText: 'Buy 3 KO' });
    await theirs.and(page.locator('[data-state=requested]')).waitFor();
    expect(performance.now() - since).toBeLessThan(LATEST_NEWS * slowness());
    const shown = await theirs.getByTestId('code').textContent();
    expect(terminal.screen().replaceAll(' ', '')).toContain(shown);
    await world.decide('approve');
    await theirs.and(page.locator('[data-state=executed]')).waitFor();
    await context.close();
  });
});
