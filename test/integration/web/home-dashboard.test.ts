import { afterAll, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { openCliWorld } from '../cli/cli-world.ts';
import { openPhoneBrowser, type PhoneBrowser } from '../home/phone-browser.ts';
import { longestFrameOfSwitching, settled, shot } from './web-world.ts';

const [browser, world] = await Promise.all([launchChromium(), openCliWorld()]);
await world.login();
await world.run(['portfolio']);
afterAll(async () => {
  await browser.close();
  await world.close();
});

async function paired(): Promise<PhoneBrowser> {
  const phone = await openPhoneBrowser(browser);
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
  expect(await findings(page)).toEqual([]);
  await page.locator('[data-testid=approve]:not([aria-disabled])').tap();
  await page.getByTestId('result').waitFor();
  await page.locator('[data-testid=proposal][data-state=executed]').waitFor();
  expect(await page.locator('[data-testid=proposal][data-state=executed] [data-testid=signed]').textContent()).toMatch(
    /^Signed by a single-device passkey\. The signature matches this proposal: digest /,
  );
  await phone.close();
});
