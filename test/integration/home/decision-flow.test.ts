import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { cardOf, connected, settled, shot, startDecisionWorld, usualOrder, usualSale } from './decision-fixture.ts';
import type { PhoneBrowser } from './phone-browser.ts';

let phone: PhoneBrowser;
let page: Page;
let loads = 0;
/** The next test pairs a phone of its own: this one has no key or no session any more, or nobody knows what it has. */
let isSpent = true;
const world = await startDecisionWorld();
afterAll(async () => {
  await phone?.close();
  await world.close();
});
beforeEach(async () => {
  await world.clear();
  const begin = isSpent ? pair : startAnew;
  isSpent = true;
  await begin();
  isSpent = false;
  loads = 0;
});
afterEach(async ({ task }) => {
  isSpent ||= task.result?.state === 'fail';
  await page.unrouteAll();
  expect(phone.complaints.splice(0)).toEqual([]);
});

async function pair(): Promise<void> {
  await phone?.close();
  phone = await world.phone({ skipsTime: true });
  page = phone.page;
  page.on('load', () => {
    loads += 1;
  });
}

/** The page as a new tab of the paired phone has it: what the test before kept on it is forgotten. */
async function startAnew(): Promise<void> {
  await phone.authenticator.unlock(true);
  // From a page that keeps nothing, else what it hears on its way out is kept after all.
  await page.goto(`${world.world.issuer}/.well-known/openid-configuration`);
  await page.evaluate('sessionStorage.clear()');
  await page.goto(`${world.world.issuer}/phone`);
  await connected(page);
}

const at = (name: string) => page.getByTestId(name);
const text = async (name: string) => (await at(name).first().textContent())?.trim();
const waiting = async () => (await world.world.phone.requests('alice')).map(({ code }) => code);

async function ask(details = usualOrder()) {
  const request = await world.gateway.ask(details);
  await at('request').waitFor();
  await settled(page);
  return request;
}

describe('after the tap', () => {
  it('the card’s place tells what becomes of it, from sending to the fill, without a reload', async () => {
    const request = await ask();
    const posts: string[] = [];
    page.on('request', (made) => {
      if (made.method() === 'POST') posts.push(new URL(made.url()).pathname.replace(/[^/]{16,}/, 'ID'));
    });
    await at('approve').tap();
    await at('result').waitFor();
    expect(await text('standing')).toBe('Sending');
    expect(await at('request').count()).toBe(0);
    expect(posts).toEqual(['/phone/requests/ID/options', '/phone/requests/ID']);
    await shot(page, 'result-sending');
    await world.gateway.tell(request.auth_req_id, 'executed', 'placed, waiting for $180.00');
    await at('standing').getByText('Placed', { exact: true }).waitFor();
    await world.gateway.tell(request.auth_req_id, 'executed', 'filled 5 at $180.12');
    await at('standing').getByText('Filled', { exact: true }).waitFor();
    expect(await text('outcome')).toBe('filled 5 at $180.12');
    expect(await text('result')).toContain('$900.60 total');
    await shot(page, 'result-filled');
    expect(await at('recent').first().textContent()).toContain('filled 5 at $180.12');
    // What is read aloud, and where a key would act, stays with it.
    expect(await page.evaluate('document.activeElement.dataset.testid')).toBe('result');
    expect(loads).toBe(0);
  });

  it.each([
    ['blocked', 'the price moved 3 %', 'Refused', 'refused: the price moved 3 %'],
    ['cancelled', '', 'Withdrawn', 'withdrawn, nothing was done'],
    ['unknown', 'the broker did not answer', 'Outcome unknown', 'outcome unknown: the broker did not answer'],
    ['expired', 'approved too late', 'Too late', 'too late: approved too late'],
  ])('%s is told as it is', async (state, why, standing, said) => {
    const request = await ask();
    await at('approve').tap();
    await at('result').waitFor();
    await world.gateway.tell(request.auth_req_id, state, why);
    await at('standing').getByText(standing, { exact: true }).waitFor();
    expect(await text('outcome')).toBe(said);
  });

  it('a denial is told, and nothing was signed for it', async () => {
    await ask();
    const [before] = await phone.authenticator.credentials();
    await at('deny').tap();
    await at('standing').getByText('Denied', { exact: true }).waitFor();
    const [after] = await phone.authenticator.credentials();
    expect(after?.signCount).toBe(before?.signCount);
    expect(await waiting()).toEqual([]);
  });

  it('it stays until it is put away, also where the page is loaded again', async () => {
    await ask();
    await at('deny').tap();
    await at('result').waitFor();
    await page.reload();
    await at('result').waitFor();
    expect(await at('empty').isVisible()).toBe(false);
    await at('put-away').tap();
    await at('empty').waitFor();
    await page.reload();
    await connected(page);
    expect(await at('result').count()).toBe(0);
  });

  it('a new request is at the top, whole, and what became of former ones is a line below it', async () => {
    for (const code of ['AB10', 'AB11', 'AB12']) {
      await ask(usualOrder({ code }));
      await at('deny').tap();
      await at('request').waitFor({ state: 'detached' });
    }
    expect(await at('result').count()).toBe(3);
    await ask();
    await shot(page, 'request-above-results');
    const bar = await at('bar').boundingBox();
    for (const name of ['environment', 'amount', 'headline', 'terms', 'sentence', 'code']) {
      const part = await at(name).first().boundingBox();
      expect(part?.y, name).toBeGreaterThanOrEqual(0);
      expect((part?.y ?? 0) + (part?.height ?? 0), name).toBeLessThanOrEqual(bar?.y ?? 0);
    }
    const earlier = page.locator('#earlier > summary');
    expect(await earlier.textContent()).toBe('3 earlier results');
    expect(await at('result').first().isVisible()).toBe(false);
    await earlier.tap();
    await shot(page, 'request-and-results-opened', true);
    expect(await at('result').first().isVisible()).toBe(true);
    await at('deny').tap();
    await at('request').waitFor({ state: 'detached' });
    expect(await at('result').first().isVisible()).toBe(true);
    expect(await earlier.isVisible()).toBe(false);
  });

  it('a double tap is signed and sent once', async () => {
    await ask();
    const posts: string[] = [];
    page.on('request', (made) => {
      if (made.method() === 'POST') posts.push(made.url());
    });
    await at('approve').dblclick({ noWaitAfter: true });
    await at('result').waitFor();
    expect(posts).toHaveLength(2);
    expect(posts.filter((url) => url.endsWith('/options'))).toHaveLength(1);
  });
});

describe('a key that does not sign', () => {
  it('because the person does not unlock it: said in the card, its buttons alive, and the next tap works', async () => {
    await ask();
    await phone.authenticator.unlock(false);
    await at('approve').tap();
    await at('said').getByText('Not approved', { exact: true }).waitFor();
    expect(await text('said')).toContain('You canceled');
    await shot(page, 'not-signed');
    expect(await waiting()).toEqual(['K7QP']);
    await phone.authenticator.unlock(true);
    await at('approve').tap();
    await at('result').waitFor();
  });

  it('because it is on another device: said in the card, and Deny still works', async () => {
    isSpent = true;
    await ask();
    await phone.cdp.send('WebAuthn.clearCredentials', { authenticatorId: phone.authenticator.id });
    await at('approve').tap();
    await at('said').getByText('Not approved', { exact: true }).waitFor();
    expect(await text('said')).toContain('none of your passkeys is on this device');
    await at('deny').tap();
    await at('standing').getByText('Denied', { exact: true }).waitFor();
  });

  it('what it signed is something else: refused, said in the card', async () => {
    await ask();
    await page.route('**/phone/requests/*', async (route) => {
      const form = new URLSearchParams(route.request().postData() ?? '');
      const evidence = JSON.parse(form.get('evidence') ?? '{}');
      form.set('evidence', JSON.stringify({ ...evidence, signature: `AAAA${evidence.signature.slice(4)}` }));
      await route.continue({ postData: form.toString() });
    });
    await at('approve').tap();
    await at('said').getByText('Not approved', { exact: true }).waitFor();
    expect(await waiting()).toEqual(['K7QP']);
    expect(await at('approve').getAttribute('aria-busy')).toBeNull();
  });

  it('because the browser is signed in by a link alone: a sentence stands in the button’s place', async () => {
    isSpent = true;
    await phone.signOut();
    await phone.openLink((await world.world.phone.ticket('alice')).url);
    await world.gateway.ask(usualOrder());
    await at('cannot-approve').waitFor();
    expect(await at('approve').count()).toBe(0);
    await settled(page);
    await at('deny').tap();
    await at('result').waitFor();
  });
});

describe('a request that ends while it is read', () => {
  it('is replaced by what became of it', async () => {
    const request = await ask();
    await world.gateway.tell(request.auth_req_id, 'cancelled', 'withdrawn in the terminal');
    await at('result').waitFor();
    expect(await text('standing')).toBe('Withdrawn');
    expect(await text('outcome')).toBe('withdrawn in the terminal');
    expect(await at('request').count()).toBe(0);
  });

  it('under a thumb that is faster than the news, says so', async () => {
    const request = await ask();
    await page.route('**/phone/requests/*/options', async (route) => {
      await world.gateway.tell(request.auth_req_id, 'cancelled');
      await route.continue();
    });
    await at('approve').tap();
    await at('standing').getByText('Withdrawn', { exact: true }).waitFor();
  });

  it('by its time takes no tap any more', async () => {
    await world.gateway.ask(usualOrder(), { requested_expiry: '3' });
    await at('request').waitFor();
    await at('standing').getByText('Expired', { exact: true }).waitFor();
    expect(await at('request').count()).toBe(0);
  });
});

describe('several requests', () => {
  it('are shown one at a time, the others in a list above with what, how much and how long', async () => {
    await ask();
    await world.gateway.ask(usualSale());
    await at('other').waitFor();
    await shot(page, 'two');
    expect(await at('request').count()).toBe(1);
    expect(await text('headline')).toBe('Buy 5 AAPL');
    expect((await text('other'))?.replaceAll(/\s+/g, ' ')).toMatch(/^Sell 12 MSFT \$4,920\.00 [45]:\d\d$/);
    const [list, card] = [await at('other').boundingBox(), await at('request').boundingBox()];
    expect(list?.y).toBeLessThan(card?.y ?? 0);
    expect(await page.title()).toMatch(/^\(2\) /);
  });

  it('that come later don’t take the place of the one that is read', async () => {
    await ask();
    await world.gateway.ask(usualSale());
    await world.gateway.ask(proposalDetails('lift', { code: 'ZZZZ' }));
    await expect.poll(() => at('other').count()).toBe(2);
    expect(await text('headline')).toBe('Buy 5 AAPL');
  });

  it('each can be shown by a tap, and stays after a reload', async () => {
    await ask();
    await world.gateway.ask(usualSale());
    await at('other').locator('a').tap();
    await cardOf(page, 'Sell 12 MSFT');
    expect((await text('other'))?.startsWith('Buy 5 AAPL')).toBe(true);
    await page.reload();
    await cardOf(page, 'Sell 12 MSFT');
  });

  it('the next one comes when one is decided, and a second tap does not hit it', async () => {
    await ask();
    await world.gateway.ask(usualSale());
    await at('other').waitFor();
    await page.evaluate(`
      new MutationObserver(() => {
        const card = document.querySelector('[data-testid=request]');
        if (card && card.textContent.includes('MSFT')) for (const button of card.querySelectorAll('button')) button.click();
      }).observe(document.getElementById('stage'), { childList: true })`);
    await at('deny').tap();
    await cardOf(page, 'Sell 12 MSFT');
    expect(await waiting()).toEqual(['M3XD']);
    expect(await text('result')).toContain('Buy 5 AAPL');
    await shot(page, 'next');
    await at('deny').tap();
    await expect.poll(waiting).toEqual([]);
  });

  it('a button that has just come takes no tap where the one before was withdrawn', async () => {
    const first = await ask();
    await world.gateway.ask(usualSale());
    await at('other').waitFor();
    await page.evaluate(`
      new MutationObserver(() => document.querySelector('[data-testid=deny]')?.click())
        .observe(document.getElementById('stage'), { childList: true })`);
    await world.gateway.tell(first.auth_req_id, 'cancelled');
    await cardOf(page, 'Sell 12 MSFT');
    expect(await waiting()).toEqual(['M3XD']);
  });

  it('more than a list can hold are all to be had', async () => {
    for (let index = 0; index < 12; index += 1) await world.gateway.ask(usualOrder({ code: `AB${10 + index}` }));
    await expect.poll(() => at('other').count()).toBe(11);
    await shot(page, 'twelve');
    expect((await at('approve').boundingBox())?.y).toBeLessThan(844);
    await at('other').last().locator('a').tap();
    await expect.poll(() => text('code')).toBe('AB21');
  });
});

it('a screen reader hears of a new request and of each result once, and of no seconds', async () => {
  const spoken: string[] = [];
  await page.exposeFunction('heard', (words: string) => spoken.push(words));
  await page.evaluate(`
    new MutationObserver(() => heard(document.getElementById('announce').textContent))
      .observe(document.getElementById('announce'), { childList: true, characterData: true, subtree: true })`);
  const request = await ask();
  await at('approve').tap();
  await at('result').waitFor();
  await world.gateway.tell(request.auth_req_id, 'executed', 'filled 5 at $180.12');
  await at('standing').getByText('Filled', { exact: true }).waitFor();
  await expect
    .poll(() => spoken)
    .toEqual([
      'Approval needed, paper: Buy 5 AAPL. Costs at most $900.00 (limit $180.00 a share).',
      'Buy 5 AAPL: Sending, On its way.',
      'Buy 5 AAPL: Filled, filled 5 at $180.12',
    ]);
  expect(await page.locator('#phone').locator('[aria-live], [role=status], [role=alert]').count()).toBe(2);
});
