import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { ProposalDetails } from '../../../src/approval/details.ts';
import type { NumberMatching } from '../../../src/home/phone/decision/approval-steps.ts';
import { launchChromium } from '../chromium.ts';
import { draft, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { gatewayAsking, proposalDetails } from '../sandbox/proposal-fixture.ts';
import { openPhoneBrowser, type PhoneBrowserOptions } from './phone-browser.ts';

const screenshots = join(import.meta.dirname, '../../../test-results/screenshots');
mkdirSync(screenshots, { recursive: true });

/** How long a button that moved takes no tap. */
const SETTLE_MS = 700;
const skippingTime = new WeakSet<Page>();

/** A usual order, as the gateway asks for it: company, effects, two warnings, one field of other origin. */
export function usualOrder(changes: Partial<ProposalDetails> = {}): ProposalDetails {
  return proposalDetails('order', {
    worst_case: {
      cash: '900.00',
      price: '180.00',
      text: 'Costs at most $900.00 (limit $180.00 a share).',
    },
    shows: {
      Company: 'Apple Inc.',
      Price: '$160.50 a share now',
      Cash: '$25,600.00 now, $24,700.00 after',
      Position: '10 shares now, 15 shares after, 10.4% of the account',
    },
    warnings: ['The limit is 12% above the current price ($160.50).', 'This is 26% of the account in one order.'],
    provenance: {
      fields: { symbol: { source: 'user' }, qty: { source: 'computed', from: 'half of the cash' } },
      sentence: 'put half of my cash into AAPL',
    },
    ...changes,
  });
}

/** A sale, beside it. */
export function usualSale(changes: Partial<ProposalDetails> = {}): ProposalDetails {
  const subject = { ...draft({ symbol: 'MSFT', side: 'sell', qty: '12', limit_price: '410.00' }) };
  return proposalDetails('order', {
    code: 'M3XD',
    subject,
    worst_case: {
      cash: '4920.00',
      price: '410.00',
      text: 'Brings in at least $4,920.00 if it all sells (limit $410.00 a share).',
    },
    shows: {
      Company: 'Microsoft Corporation',
      Price: '$412.00 a share now',
      Cash: '$25,600.00 now, $30,520.00 after',
      Position: '20 shares now, 8 shares after, 4.1% of the account',
    },
    ...changes,
  });
}

/** The same order for real money. */
export const liveOrder = (changes: Partial<ProposalDetails> = {}): ProposalDetails =>
  usualOrder({ subject: { ...draft({ environment: 'live' }) }, ...changes });

export type DecisionWorld = Awaited<ReturnType<typeof startDecisionWorld>>;

/** A provider, a gateway that asks, and Chromium. */
export async function startDecisionWorld(
  options: { numberMatching?: NumberMatching; signatures?: 'required' | 'off' } = {},
) {
  const world = await startIdentityProvider({
    signatures: 'required',
    ...options,
    fetch: async () => new Response(null, { status: 204 }),
  });
  const [gateway, browser] = await Promise.all([gatewayAsking(world), launchChromium()]);
  return {
    world,
    gateway,
    browser,
    /**
     * A phone that is paired to Alice, with the page of requests on it.
     * @param options `skipsTime`: `settled` advances its clock past the rest of a button that moved
     */
    async phone({ skipsTime = false, ...given }: PhoneBrowserOptions & { skipsTime?: boolean } = {}) {
      const phone = await openPhoneBrowser(browser, given);
      if (skipsTime) {
        await phone.page.clock.install();
        skippingTime.add(phone.page);
      }
      await phone.pair((await world.phone.pairing('alice')).url);
      await connected(phone.page);
      return phone;
    },
    /** Denies all that waits. */
    async clear() {
      for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
    },
    async close() {
      await browser.close();
      await world.close();
    },
  };
}

/** The page is in step with the server. */
export const connected = (page: Page): Promise<void> =>
  page.getByText('Connected', { exact: true }).waitFor({ state: 'attached' });

/** The card's buttons take a tap again. */
export async function settled(page: Page): Promise<void> {
  if (skippingTime.has(page)) await page.clock.fastForward(SETTLE_MS);
  await page.locator('[data-testid=deny]:not([aria-disabled])').waitFor();
}

/** Waits for the card of this headline, whose buttons take a tap. */
export async function cardOf(page: Page, headline: string): Promise<void> {
  await page.getByTestId('headline').getByText(headline, { exact: true }).waitFor();
  await settled(page);
}

/** A picture for people, who look at it with `PAGES=all`; no test compares it, and one takes up to a second. */
export async function shot(page: Page, name: string, fullPage = false): Promise<void> {
  if (process.env.PAGES !== 'all') return;
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage });
}
