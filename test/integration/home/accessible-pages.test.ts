import { afterAll, describe, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { launchChromium } from '../chromium.ts';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { screensOf } from '../screens.ts';
import { openPhoneBrowser, type PhoneBrowserOptions } from './phone-browser.ts';
import { publicClient, register } from './public-client.ts';

const [world, browser] = await Promise.all([startIdentityProvider(), launchChromium()]);
const agent = (await register(world.issuer, { client_name: `An agent ${'whose name has no end '.repeat(4)}` })).body
  .client_id;
afterAll(async () => {
  await browser.close();
  await world.close();
});

const screens: Record<string, PhoneBrowserOptions> = {
  light: {},
  dark: { dark: true },
  'at 320 px': { width: 320 },
  'in landscape': { width: 844, height: 390 },
  'dark, at 320 px': { dark: true, width: 320 },
};

describe.each(screensOf(screens, ['light', 'dark, at 320 px']))('the pages of getting in, %s', (_, options) => {
  it('are for everybody, and fit', async () => {
    const phone = await openPhoneBrowser(browser, options);
    const { page } = phone;
    const check = async (name: string, testId: string) => {
      await page.getByTestId(testId).first().waitFor();
      for (const summary of await page.locator('summary:visible').all()) await summary.tap();
      expect(await findings(page), name).toEqual([]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
      expect(overflow, name).toBeLessThanOrEqual(0);
      for (const button of await page.locator('main button:visible').all()) {
        expect((await button.boundingBox())?.height, name).toBeGreaterThanOrEqual(44);
      }
    };
    await page.goto(`${world.issuer}/signin`);
    await check('sign in', 'sign-in');
    const link = (await world.phone.pairing('alice')).url;
    await page.goto(link);
    await check('set up', 'set-up');
    await phone.pair(link);
    await page.goto(`${world.issuer}/phone/authenticators`);
    await check('passkeys', 'authenticator');
    await page.getByTestId('new-recovery').tap();
    await check('recovery code', 'code');
    await page.goto(`${world.issuer}/phone/sessions`);
    await check('signed in on', 'session');
    await page.goto(`${world.issuer}/device`);
    await check('device', 'user-code');
    const { url } = await publicClient(world, agent);
    await page.goto(url().href);
    await check('let a program in', 'consent');
    await page.goto(`${world.issuer}/phone/programs`);
    await check('programs', 'let-in');
    await page.goto('about:blank');
    await page.goto(link);
    await check('link used up', 'message');
    await phone.openLink((await world.phone.ticket('alice')).url);
    await check('by a link', 'limits');
    await phone.close();
  });
});
