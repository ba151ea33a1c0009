import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { certificate, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { gatewayAsking } from '../sandbox/proposal-fixture.ts';
import { liveOrder, shot, usualOrder, usualSale } from './decision-fixture.ts';
import { type HttpBrowser, pairByHttp } from './http-browser.ts';

let context: BrowserContext;
let page: Page;
let paired: HttpBrowser;
setDefaultCACertificates([...getCACertificates('default'), certificate.cert]);
const world = await startIdentityProvider({
  signatures: 'required',
  tls: certificate,
  fetch: async () => new Response(null, { status: 204 }),
});
const [gateway, browser] = await Promise.all([gatewayAsking(world), launchChromium()]);
afterAll(async () => {
  await browser.close();
  await world.close();
});
beforeEach(async () => {
  context = await browser.newContext({
    javaScriptEnabled: false,
    ignoreHTTPSErrors: true,
    viewport: { width: 390, height: 844 },
  });
  context.setDefaultTimeout(10_000);
  // A page without script can pair nothing: the session was opened where scripts run.
  ({ browser: paired } = await pairByHttp((await world.phone.pairing('alice')).url));
  await context.addCookies([...paired.jar].map(([name, value]) => ({ name, value, url: world.issuer, secure: true })));
  page = await context.newPage();
});
afterEach(async () => {
  for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
  await context.close();
});

const at = (name: string) => page.getByTestId(name);

describe('over https and without script', () => {
  it('everything is read, times in UTC said so, and a sentence stands where Approve would', async () => {
    await gateway.ask(usualOrder());
    await page.goto(`${world.issuer}/phone`);
    expect(await at('headline').textContent()).toBe('Buy 5 AAPL');
    expect(await at('amount').textContent()).toBe('$900.00');
    expect(await at('approve').isVisible()).toBe(false);
    expect(await at('no-script').isVisible()).toBe(true);
    expect(await at('no-script').textContent()).toContain('You can deny without');
    expect(await at('countdown').textContent()).toMatch(/^until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    await at('all-fields').locator('summary').click();
    expect(await page.locator('[data-field=limit_price]').isVisible()).toBe(true);
    await shot(page, 'no-script');
  });

  it('denies by the form', async () => {
    await gateway.ask(usualOrder());
    await page.goto(`${world.issuer}/phone`);
    await at('deny').click();
    await page.locator('[data-testid=recent][data-status=denied]').first().waitFor();
    expect(await world.phone.requests('alice')).toEqual([]);
  });

  it('denies what would take a code and a word to approve', async () => {
    await gateway.ask(liveOrder());
    await page.goto(`${world.issuer}/phone`);
    await at('deny').click();
    await page.locator('[data-testid=recent][data-status=denied]').first().waitFor();
  });

  it('shows each of several by its link', async () => {
    await gateway.ask(usualOrder());
    await gateway.ask(usualSale());
    await page.goto(`${world.issuer}/phone`);
    await at('other').locator('a').click();
    expect(await at('headline').textContent()).toBe('Sell 12 MSFT');
    expect(await at('other').count()).toBe(1);
  });

  it('approves nothing, whatever a form says', async () => {
    await gateway.ask(usualOrder());
    const [request] = await world.phone.requests('alice');
    const form = { decision: 'approve' };
    // As of a browser too old to know that it has no script, which shows the button.
    const answer = await paired.submit('/phone', `/phone/requests/${request?.id}`, form, {
      accept: 'text/html',
    });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain('Your passkey did not sign the request');
    expect(await world.phone.requests('alice')).toMatchObject([{ id: request?.id, status: 'pending' }]);
  });

  it('is loaded again by itself only while there is nothing to read', async () => {
    await page.goto(`${world.issuer}/phone`);
    expect(await page.locator('meta[http-equiv=refresh]').count()).toBe(1);
    await gateway.ask(usualOrder());
    await page.reload();
    expect(await page.locator('meta[http-equiv=refresh]').count()).toBe(0);
  });
});
