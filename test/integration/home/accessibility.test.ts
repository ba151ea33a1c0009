import { afterAll, describe, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { screensOf } from '../screens.ts';
import { liveOrder, settled, shot, startDecisionWorld, usualOrder, usualSale } from './decision-fixture.ts';
import type { PhoneBrowserOptions } from './phone-browser.ts';

const world = await startDecisionWorld();
afterAll(() => world.close());

const screens: Record<string, PhoneBrowserOptions> = {
  light: {},
  dark: { dark: true },
  '320 px': { width: 320, height: 640 },
  landscape: { width: 844, height: 390 },
  'dark, 320 px': { dark: true, width: 320, height: 640 },
};

describe.each(screensOf(screens, ['light', 'dark, 320 px']))('in %s', (name, options) => {
  it('nothing worse than minor is found on any of the pages', async () => {
    await world.clear();
    const phone = await world.phone({ ...options, skipsTime: true });
    const { page } = phone;
    const found: Record<string, string[]> = {};
    const look = async (what: string) => {
      found[what] = await findings(page);
      await shot(page, `${name}-${what}`.replaceAll(' ', '-'));
    };
    const card = async (headline: string) => {
      await page.getByTestId('headline').getByText(headline, { exact: true }).waitFor();
      await settled(page);
    };
    await look('empty');
    await world.gateway.ask(usualOrder());
    await card('Buy 5 AAPL');
    await look('one');
    await page.getByTestId('all-fields').locator('summary').click();
    await look('all fields');
    await world.gateway.ask(usualSale());
    await page.getByTestId('other').waitFor();
    await look('two');
    for (let index = 0; index < 18; index += 1) await world.gateway.ask(usualOrder({ code: `AB${10 + index}` }));
    await expect.poll(() => page.getByTestId('other').count()).toBe(19);
    await look('twenty');
    await world.clear();
    while ((await page.getByTestId('put-away').count()) > 0) await page.getByTestId('put-away').first().tap();
    await page.getByTestId('empty').waitFor();
    await world.gateway.ask(liveOrder());
    await card('Buy 5 AAPL');
    await page.getByTestId('approve').tap();
    await page.getByTestId('said').getByText('Pick the code').waitFor();
    await look('live, with a complaint');
    await page.getByTestId('deny').tap();
    await page.getByTestId('request').waitFor({ state: 'detached' });
    await world.gateway.ask(usualOrder({ code_entry: 'typed' }));
    await card('Buy 5 AAPL');
    await page.getByTestId('approve').tap();
    await page.getByTestId('said').getByText('Type the code').waitFor();
    await look('typed code, with a complaint');
    await page.getByTestId('deny').tap();
    const kinds = { message: 'Send to #trading', cancel: 'Cancel the order to sell 5 AAPL' } as const;
    for (const [kind, headline] of Object.entries(kinds)) {
      await world.gateway.ask(proposalDetails(kind as keyof typeof kinds));
      await card(headline);
      await look(kind);
      await page.getByTestId('deny').tap();
      await page.getByTestId('request').waitFor({ state: 'detached' });
    }
    await look('results');
    await page.goto(`${world.world.issuer}/phone/history`);
    await page.getByTestId('entry').first().waitFor();
    await look('history');
    expect(Object.fromEntries(Object.entries(found).filter(([, all]) => all.length > 0))).toEqual({});
    expect(Object.keys(found)).toHaveLength(11);
    await phone.close();
  }, 60_000);
});
