import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatUtcSeconds } from '../../../src/machine/clock.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { type Person, type ProposalWorld, startProposalWorld } from '../approval/world.ts';
import { launchChromium } from '../chromium.ts';
import { mandateTerms, proposalDetails } from '../sandbox/proposal-fixture.ts';
import { cardOf, type DecisionWorld, shot, startDecisionWorld } from './decision-fixture.ts';
import { openPhoneBrowser, type PhoneBrowser } from './phone-browser.ts';

describe('the card of a mandate', () => {
  let world: DecisionWorld;
  let phone: PhoneBrowser;
  beforeAll(async () => {
    world = await startDecisionWorld();
    phone = await world.phone();
  });
  afterAll(() => world.close());

  it('says the worst that can come of it first, then what it is for, and fits one screen', async () => {
    const subject = { ...mandateTerms(), expires_at: '2099-12-25T05:00:00Z' };
    const worst = 'Up to $2,000.00 total, without asking again, until Dec 24.';
    await world.gateway.ask(
      proposalDetails('mandate', {
        subject: { ...subject, approve_by: formatUtcSeconds(Date.now() + 300_000) },
        worst_case: { cash: '2000.00', price: null, text: worst },
        warnings: ['$2,000.00 is 40% of the account.'],
      }),
    );
    await cardOf(phone.page, 'Buy AAPL, MSFT without asking again');
    const card = phone.page.getByTestId('request');
    expect(await card.getByTestId('total').textContent()).toBe(worst);
    const [first, headline] = await Promise.all(
      ['total', 'headline'].map(async (id) => (await card.getByTestId(id).boundingBox())?.y ?? 0),
    );
    expect(first).toBeLessThan(headline ?? 0);
    expect(await card.getByTestId('terms').textContent()).toBe(
      'At most $200.00 per order, $400.00 a day, 12 orders total · once a week for each symbol and side · market, limit · AAPL from $100.00 to $250.00',
    );
    await shot(phone.page, 'mandate-card');
    const approve = await phone.page.getByTestId('approve').boundingBox();
    expect((approve?.y ?? 0) + (approve?.height ?? 0)).toBeLessThanOrEqual(844);
    await phone.page.getByTestId('deny').tap();
    const result = phone.page.getByTestId('result');
    const [button, words] = await Promise.all(
      [result.getByTestId('put-away'), result.locator('.headline')].map((part) => part.boundingBox()),
    );
    expect((words?.x ?? 0) + (words?.width ?? 0)).toBeLessThanOrEqual(button?.x ?? 0);
    expect(phone.complaints).toEqual([]);
  });
});

describe('the page of mandates', () => {
  let world: ProposalWorld;
  let alice: Person;
  beforeAll(async () => {
    world = await startProposalWorld();
    alice = await world.as('alice');
  });
  afterAll(() => world.close());

  const granted = async (max_orders: number): Promise<string> => {
    const request: ProposalRequestInput = {
      kind: 'mandate',
      mandate: {
        symbols: ['KO', 'PEP'],
        max_order_notional: '200',
        max_day_notional: '400',
        max_total_notional: '600',
        max_orders,
        cadence: 'weekly',
        expires_at: formatUtcSeconds(Date.now() + 20 * 86_400_000),
      },
    };
    const { result } = await alice.approved(request);
    return (result as { mandate: string }).mandate;
  };
  const stateOf = async (id: string) => (await alice.send('GET', `/v1/mandates/${id}`)).body.state;

  it('shows what was used, and takes one back without a passkey: the next order is asked about', async () => {
    const [first, second] = [await granted(5), await granted(6)];
    const order: ProposalRequestInput = {
      kind: 'order',
      order: { symbol: 'KO', side: 'buy', qty: '2', type: 'limit', limit_price: '20.00' },
      mandate: first,
      provenance: { fields: { symbol: { source: 'user' } } },
    };
    await alice.until((await alice.propose(order)).id, 'executed');
    const browser = await launchChromium();
    const phone = await openPhoneBrowser(browser);
    // Signed in by a link: such a session can approve nothing.
    await phone.openLink((await world.phone.ticket('alice')).url);
    await phone.openSetting('Mandates');
    const card = (id: string) => phone.page.locator(`[data-testid=mandate][data-id="${id}"]`);
    await card(first).waitFor();
    expect(await card(first).textContent()).toContain('$40.00 of $600.00, 1 of 5 orders');
    await shot(phone.page, 'mandates');
    await card(first).getByTestId('revoke').tap();
    await phone.page.locator(`[data-testid=mandate-over][data-id="${first}"]`).waitFor();
    expect(await stateOf(first)).toBe('revoked');
    await card(second).getByTestId('suspend').tap();
    await phone.page.locator(`[data-testid=mandate][data-id="${second}"][data-state=suspended]`).waitFor();
    expect(await stateOf(second)).toBe('suspended');
    const asked = await alice.propose({ ...order, order: { ...order.order, qty: '3' }, mandate: 'any' });
    expect(asked).toMatchObject({ state: 'requested' });
    expect(phone.complaints).toEqual([]);
    await browser.close();
  });
});
