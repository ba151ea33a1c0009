import type { Locator } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { cardOf, connected, startDecisionWorld, usualOrder } from './decision-fixture.ts';
import { disclosureMarkers, openPhoneBrowser } from './phone-browser.ts';

const world = await startDecisionWorld();
const { issuer } = world.world;
const phone = await world.phone();
const { page } = phone;
afterAll(async () => {
  await phone.close();
  await world.close();
});

const at = (name: string) => page.getByTestId(name);
async function box(part: Locator) {
  const found = await part.boundingBox();
  if (found === null) throw new Error('it is not on the page');
  return { ...found, bottom: found.y + found.height };
}
const tabs = () => box(page.locator('footer'));
const scrollToEnd = () => page.evaluate('scrollTo(0, document.body.scrollHeight)');

describe('the tabs', () => {
  it('are at the end of the screen below little content', async () => {
    await page.goto(`${issuer}/phone/approvals`);
    await connected(page);
    expect((await tabs()).bottom).toBe(844);
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBe(844);
  });

  it('are at the end of the screen above more content, and cover none of it once it is scrolled to its end', async () => {
    await page.setViewportSize({ width: 390, height: 480 });
    await page.goto(`${issuer}/phone/settings`);
    await at('sign-out').waitFor();
    expect((await tabs()).bottom).toBe(480);
    await scrollToEnd();
    const { y, bottom } = await tabs();
    expect(bottom).toBe(480);
    // The scroll position is a whole pixel.
    expect((await box(page.locator('main'))).bottom).toBeLessThan(y + 1);
    await page.setViewportSize({ width: 390, height: 844 });
  });

  it('are right above Deny and Approve below a short card, and below a long one at its end', async () => {
    await page.goto(`${issuer}/phone/approvals`);
    await connected(page);
    await world.gateway.ask(proposalDetails('lift'));
    await at('request').waitFor();
    expect((await tabs()).bottom).toBeCloseTo((await box(at('bar'))).y, 1);
    await world.clear();
    await at('request').waitFor({ state: 'detached' });
    await world.gateway.ask(usualOrder());
    await cardOf(page, 'Buy 5 AAPL');
    await at('all-fields').locator('summary').tap();
    expect((await tabs()).y).toBeGreaterThan(844);
    const bar = await box(at('bar'));
    await page.evaluate(`scrollBy(0, ${(await tabs()).y - bar.y})`);
    await at('deny').tap({ trial: true });
    await scrollToEnd();
    expect((await tabs()).bottom).toBeCloseTo((await box(at('bar'))).y, 1);
    await world.clear();
  });
});

it('each part of a page that opens has the same sign for it', async () => {
  await world.gateway.ask(usualOrder());
  await page.goto(`${issuer}/phone/approvals`);
  await cardOf(page, 'Buy 5 AAPL');
  const onCard = await disclosureMarkers(page);
  await world.clear();
  await page.goto(`${issuer}/phone/authenticators`);
  await at('authenticator').first().waitFor();
  const onPasskeys = await disclosureMarkers(page);
  await page.goto(`${issuer}/signin`);
  await at('sign-in').waitFor();
  const onSignIn = await disclosureMarkers(page);
  expect(onCard).toEqual(['chevron']);
  expect(onPasskeys).toEqual(['chevron']);
  expect(onSignIn).toEqual(['chevron']);
});

describe('signing out', () => {
  it('of this browser has one place, which does not move when the switch for notifications appears', async () => {
    await page.goto(`${issuer}/phone/settings`);
    await at('sign-out').waitFor();
    const move = async (isHidden: boolean) => {
      await page.evaluate(`document.querySelector('[data-push]').hidden = ${isHidden}`);
      return (await box(at('sign-out'))).y;
    };
    expect(await move(false)).toBe(await move(true));
    await page.goto(`${issuer}/phone/sessions`);
    const mine = at('session').filter({ has: at('this-browser') });
    await mine.waitFor();
    expect(await mine.getByRole('button').count()).toBe(0);
  });
});

describe('the form for a recovery code', () => {
  it.each([320, 360, 390])('has room for a whole code at %i px', async (width) => {
    const stranger = await openPhoneBrowser(world.browser, { width });
    await stranger.page.goto(`${issuer}/signin`);
    await stranger.page.locator('summary').tap();
    const room = await stranger.page.evaluate<number>(`(() => {
      const field = document.querySelector('#code');
      const { fontSize, letterSpacing, paddingLeft, paddingRight } = getComputedStyle(field);
      const [size, more, left, right] = [fontSize, letterSpacing, paddingLeft, paddingRight].map((one) => parseFloat(one) || 0);
      // Browsers for tests have no monospaced font: the letters of Menlo are 0.602 of its size wide.
      return (field.clientWidth - left - right) / (0.602 * size + more);
    })()`);
    expect(room).toBeGreaterThanOrEqual('XXXX-XXXX-XXXX-XXXX-XXXX-XXXX'.length);
    await stranger.close();
  });

  it.each([844, 480])('says beside the field that a code is wrong, and keeps the name (height %i)', async (height) => {
    const stranger = await openPhoneBrowser(world.browser, { height });
    const part = (name: string) => stranger.page.getByTestId(name);
    await stranger.page.goto(`${issuer}/signin`);
    await stranger.page.locator('summary').tap();
    await part('username').fill('alice');
    await part('recovery-code').fill('0000-0000-0000-0000-0000-0000');
    await part('recover').tap();
    const problem = part('problem');
    await problem.getByText('do not match').waitFor();
    const field = part('recovery-code');
    expect(await part('username').inputValue()).toBe('alice');
    expect(await field.inputValue()).toBe('');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await field.getAttribute('aria-describedby')).toContain(await problem.getAttribute('id'));
    expect(await stranger.page.evaluate('document.activeElement.dataset.testid')).toBe('recovery-code');
    const [above, below] = [await box(field), await box(problem)];
    expect(above.y).toBeGreaterThanOrEqual(0);
    expect(below.y - above.bottom).toBeLessThan(16);
    expect(below.y).toBeGreaterThanOrEqual(above.bottom);
    expect(below.bottom).toBeLessThanOrEqual(height);
    await stranger.close();
  });
});
