import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { cardOf, liveOrder, settled, shot, startDecisionWorld } from './decision-fixture.ts';
import type { PhoneBrowser } from './phone-browser.ts';

const world = await startDecisionWorld({ numberMatching: 'off' });
let phone: PhoneBrowser;
beforeAll(async () => {
  phone = await world.phone();
});
afterAll(async () => {
  await phone.close();
  await world.close();
});

const at = (name: string) => phone.page.getByTestId(name);
const waiting = async () => (await world.world.phone.requests('alice')).length;
const much = (cash: string | null = '1000.00') =>
  liveOrder({ worst_case: { cash, price: '200.00', text: `Costs at most ${cash ?? 'whatever it takes'}.` } });

/** Shows the order's card, with the word typed if it is the first one. */
async function ask(details: ReturnType<typeof liveOrder>): Promise<void> {
  await world.gateway.ask(details);
  await cardOf(phone.page, 'Buy 5 AAPL');
  if ((await at('confirm').count()) > 0) await at('confirm').fill('LIVE');
}

beforeEach(async () => {
  await world.clear();
  await at('request').waitFor({ state: 'detached' });
});

async function press(): Promise<void> {
  const { x = 0, y = 0, width = 0, height = 0 } = (await at('approve').boundingBox()) ?? {};
  await phone.page.mouse.move(x + width / 2, y + height / 2);
  await phone.page.mouse.down();
}

it('takes a hold, once, and no tap', async () => {
  await ask(much());
  expect(await at('approve').textContent()).toContain('Hold to approve');
  await at('approve').tap();
  await at('said').getByText('Hold to approve').waitFor();
  expect(await waiting()).toBe(1);
  expect(await findings(phone.page)).toEqual([]);
  await shot(phone.page, 'hold');
  await press();
  await phone.page.mouse.up();
  expect(await waiting()).toBe(1);
  expect(await phone.page.locator('[data-holding]').count()).toBe(0);
  await press();
  await phone.page.locator('[data-holding]').waitFor();
  await phone.page.locator('[data-testid=result][data-status=approved]').first().waitFor();
  await phone.page.mouse.up();
  expect(await waiting()).toBe(0);
});

it('is confirmed by keyboard without a hold', async () => {
  await ask(much(null));
  await at('approve').focus();
  await phone.page.keyboard.press('Enter');
  await at('confirm-instead').waitFor();
  expect(await waiting()).toBe(1);
  await at('confirm-instead').focus();
  await phone.page.keyboard.press('Enter');
  await at('said').getByText('Confirmed').waitFor();
  expect(await waiting()).toBe(1);
  await phone.page.keyboard.press('Enter');
  await expect.poll(waiting).toBe(0);
  await phone.page.locator('[data-testid=result][data-status=approved]').nth(1).waitFor();
});

it('is not asked for below the limit', async () => {
  await ask(much('999.99'));
  expect(await at('approve').textContent()).not.toContain('Hold');
  await settled(phone.page);
  await at('approve').tap();
  await expect.poll(waiting).toBe(0);
});
