import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import { proposalKinds } from '../../../src/trading/proposal.ts';
import { launchChromium } from '../chromium.ts';
import { openPhoneBrowser, type PhoneBrowser } from '../home/phone-browser.ts';
import { draft, startIdentityProvider, type World } from './identity-provider-fixture.ts';
import { type GatewayAsking, gatewayAsking, proposalDetails } from './proposal-fixture.ts';

const screenshots = join(import.meta.dirname, '../../../test-results/screenshots');
mkdirSync(screenshots, { recursive: true });

let browser: Browser;
let world: World;
let gateway: GatewayAsking;
let phone: PhoneBrowser;
let page: Page;
let loads = 0;

beforeAll(async () => {
  world = await startIdentityProvider({ fetch: async () => new Response(null, { status: 204 }) });
  gateway = await gatewayAsking(world);
  browser = await launchChromium();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await world?.close();
});
beforeEach(async () => {
  for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
  await open();
});
afterEach(async () => {
  await phone.close();
  expect(phone.complaints).toEqual([]);
});

async function open(): Promise<void> {
  await phone?.close();
  phone = await openPhoneBrowser(browser);
  page = phone.page;
  await phone.pair((await world.phone.pairing('alice')).url);
  loads = 0;
  page.on('load', () => {
    loads += 1;
  });
}

const at = (name: string) => page.getByTestId(name);
const text = async (name: string) => (await at(name).first().textContent())?.trim();
const connected = () => page.getByText('Connected', { exact: true }).waitFor();

/** All that a card may have to show. */
const everything = (changes: Partial<ProposalDetails> = {}): ProposalDetails =>
  proposalDetails('order', {
    warnings: ['The limit is 4 % above the price.', 'It is more than a quarter of the account.'],
    shows: { Company: 'Apple Inc.', Cash: '$2,600.00 → $1,700.00', Position: '10 → 15 shares' },
    requested_by: 'schedule close-check',
    provenance: {
      fields: {
        symbol: { source: 'user' },
        qty: { source: 'computed', from: 'half of the cash' },
        limit_price: { source: 'other', from: 'news server' },
        time_in_force: { source: 'default' },
      },
      sentence: 'put half of my cash into AAPL',
      tainted_by: ['standard input'],
    },
    again: 2,
    ...changes,
  });

describe('a proposal on the phone page', () => {
  it('shows what matters first, and Approve and Deny without scrolling', async () => {
    const asked = everything();
    await gateway.ask(asked);
    await at('request').waitFor();
    await connected();
    await page.screenshot({ path: join(screenshots, 'phone-proposal.png') });
    await page.screenshot({ path: join(screenshots, 'phone-proposal-full.png'), fullPage: true });
    expect(await text('headline')).toBe('Buy 5 AAPL');
    expect(await text('total')).toBe('At most $900.00 in all');
    expect(await text('terms')).toBe('Limit order at $180.00 · Day');
    expect(await text('code')).toBe(asked.code);
    expect(await text('again')).toBe('Again, the second time within the hour');
    expect(await at('warnings').locator('li').allTextContents()).toEqual(asked.warnings);
    expect(await text('shows')).toContain('Apple Inc.');
    expect(await text('requested-by')).toBe('schedule close-check, by trade-agent');
    expect(await text('sentence')).toBe('put half of my cash into AAPL');
    expect(await text('tainted')).toContain('standard input');
    const origins = await text('origins');
    expect(origins).toContain('worked out: half of the cash');
    expect(origins).toContain('not in your words: news server');
    expect(origins).not.toContain('Symbol');
    for (const name of ['headline', 'total', 'approve', 'deny', 'countdown']) {
      const box = await at(name).boundingBox();
      expect((box?.y ?? 0) + (box?.height ?? 999), name).toBeLessThanOrEqual(844);
    }
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
  });

  it.each(proposalKinds)('of kind %s shows every field of its subject', async (kind) => {
    const asked = proposalDetails(kind);
    await gateway.ask(asked);
    await at('request').waitFor();
    await page.screenshot({ path: join(screenshots, `phone-proposal-${kind}.png`), fullPage: true });
    const shown = (await at('request').textContent()) ?? '';
    const { order, draft: whole, changes, ...own } = asked.subject as Record<string, object>;
    for (const name of Object.keys({ ...own, ...whole })) {
      expect(await page.locator(`[data-field="${name}"]`).isVisible(), name).toBe(true);
    }
    for (const name of Object.keys(changes ?? {})) {
      expect(await page.locator(`[data-field="changes.${name}"]`).isVisible(), name).toBe(true);
    }
    for (const [name, value] of Object.entries(order ?? {})) {
      if (value !== null) expect(shown, name).toContain(`Open order: `);
      if (value === null) continue;
      expect(await page.locator(`[data-field="order.${name}"]`).isVisible(), name).toBe(true);
    }
    expect(shown).toContain(asked.digest);
    expect(shown).toContain(asked.proposal);
  });

  it('tells after the tap what became of it, without a reload', async () => {
    const request = await gateway.ask(everything());
    await at('approve').tap();
    await at('result').waitFor();
    expect(await text('outcome')).toBe('sending …');
    expect(await at('request').count()).toBe(0);
    await gateway.tell(request.auth_req_id, 'executing', 'sending to the broker');
    await page.getByTestId('outcome').getByText('sending to the broker').waitFor();
    await gateway.tell(request.auth_req_id, 'executed', 'filled 5 at $180.12');
    await page.getByTestId('outcome').getByText('filled 5 at $180.12').waitFor();
    await page.screenshot({ path: join(screenshots, 'phone-proposal-filled.png') });
    expect(await at('recent').first().textContent()).toContain('filled 5 at $180.12');
    expect(await at('recent').first().getAttribute('data-state')).toBe('executed');
    await page.locator('[data-put-away]').tap();
    await at('empty').waitFor();
    expect(loads).toBe(0);
  });

  it('tells that it was refused, and why', async () => {
    const request = await gateway.ask(everything());
    await at('approve').tap();
    await at('result').waitFor();
    await gateway.tell(request.auth_req_id, 'blocked', 'the price moved 3 %');
    await page.getByTestId('outcome').getByText('refused: the price moved 3 %').waitFor();
  });

  it('goes away when it is withdrawn, and can not be approved any more', async () => {
    const request = await gateway.ask(everything());
    await at('request').waitFor();
    await gateway.tell(request.auth_req_id, 'cancelled', 'withdrawn in the terminal');
    await at('request').waitFor({ state: 'detached' });
    await at('empty').waitFor();
    const last = page.locator('[data-testid=recent][data-status=withdrawn]').first();
    expect(await last.textContent()).toContain('withdrawn in the terminal');
  });

  it('says so where the tap came after the withdrawal', async () => {
    const request = await gateway.ask(everything());
    await at('request').waitFor();
    await connected();
    // The page hears nothing more: its thumb is faster than the news.
    await page.route('**/phone/requests/*', async (route) => {
      await gateway.tell(request.auth_req_id, 'cancelled');
      await route.continue();
    });
    await at('approve').tap();
    await page.getByTestId('result').getByText('Withdrawn', { exact: true }).waitFor();
    expect(await text('outcome')).toContain('Nothing was placed');
  });

  it('keeps its focus and its place while others come, are decided, and are told of', async () => {
    const first = await gateway.ask(everything());
    await at('request').waitFor();
    await gateway.ask(proposalDetails('order', { subject: { ...draft({ symbol: 'MSFT' }) } }));
    const microsoft = at('request').filter({ hasText: 'Buy 5 MSFT' });
    await microsoft.getByTestId('approve').focus();
    await page.evaluate(`document.activeElement.closest('article').dataset.mark = 'the same element'`);
    const place = async () => (await microsoft.getByTestId('approve').boundingBox())?.y;
    const before = await place();
    // Decided here: the card stays where it is, and tells.
    await page.evaluate(`document.querySelector('[data-testid=deny]').click()`);
    await at('result').waitFor();
    await gateway.tell(first.auth_req_id, 'blocked', 'denied');
    await gateway.ask(proposalDetails('lift'));
    await at('headline').getByText('Let trading go on').waitFor();
    expect(await place()).toBe(before);
    expect(await page.evaluate(`document.activeElement.closest('article')?.dataset.mark`)).toBe(
      'the same element',
    );
    expect(await page.evaluate('document.activeElement.dataset.testid')).toBe('approve');
  });

  it('takes no tap with a button that has just moved', async () => {
    const first = await gateway.ask(everything());
    await gateway.ask(proposalDetails('order', { subject: { ...draft({ symbol: 'MSFT' }) } }));
    const microsoft = at('request').filter({ hasText: 'Buy 5 MSFT' });
    await microsoft.waitFor();
    await connected();
    await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
    await page.evaluate(`
      new MutationObserver(() => {
        if (document.querySelectorAll('[data-testid=request]').length === 1)
          document.querySelector('[data-testid=approve]').click();
      }).observe(document.getElementById('pending'), { childList: true })`);
    await page.evaluate(`document.documentElement.style.overflowAnchor = 'none'`);
    await gateway.tell(first.auth_req_id, 'cancelled');
    await expect.poll(() => at('request').count()).toBe(1);
    await microsoft.locator('[data-testid=approve]:not([aria-disabled])').waitFor();
    expect(await world.phone.requests('alice')).toHaveLength(1);
    await microsoft.getByTestId('approve').tap();
    await at('result').waitFor();
  });

  it('never lets a proposal’s words become markup', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    await gateway.ask(
      everything({
        warnings: [hostile],
        shows: { [hostile]: hostile },
        requested_by: hostile,
        provenance: { fields: {}, sentence: `${hostile}\u202e`, tainted_by: [hostile] },
      }),
    );
    await at('request').waitFor();
    expect(await text('sentence')).toBe(`${hostile}\ufffd`);
    expect(await page.locator('main img, main script').count()).toBe(0);
  });
});
