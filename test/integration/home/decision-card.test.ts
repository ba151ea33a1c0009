import type { Locator } from 'playwright-core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { proposalKinds } from '../../../src/trading/proposal.ts';
import { draft } from '../sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import {
  cardOf,
  connected,
  liveOrder,
  settled,
  shot,
  startDecisionWorld,
  usualOrder,
  usualSale,
} from './decision-fixture.ts';

const world = await startDecisionWorld();
const phone = await world.phone({ skipsTime: true });
const page = phone.page;
afterAll(() => world.close());
afterEach(async () => {
  await world.clear();
  // Else the next test may look at this one's card.
  await at('request').waitFor({ state: 'detached' });
  await page.setViewportSize({ width: 390, height: 844 });
  expect(phone.complaints).toEqual([]);
});

const at = (name: string) => page.getByTestId(name);
const text = async (name: string) => (await at(name).first().textContent())?.trim();
const box = async (part: Locator) => {
  const found = await part.boundingBox();
  if (found === null) throw new Error('it is not on the page');
  return { ...found, bottom: found.y + found.height, right: found.x + found.width };
};
const overflow = () => page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');

async function ask(details = usualOrder()) {
  await world.gateway.ask(details);
  await at('request').waitFor();
  await settled(page);
  return details;
}

describe('a usual order on a phone', () => {
  it('lies above the buttons whole: nothing that decides it takes scrolling', async () => {
    const asked = await ask();
    await shot(page, 'card');
    const bar = await box(at('bar'));
    expect(bar.bottom).toBeLessThanOrEqual(844);
    const essential = ['environment', 'amount', 'total', 'headline', 'terms', 'shows', 'warnings', 'origins'];
    for (const name of [...essential, 'requested-by', 'sentence', 'code', 'all-fields']) {
      const { y, bottom } = await box(at(name));
      expect(y, name).toBeGreaterThanOrEqual(0);
      expect(bottom, name).toBeLessThanOrEqual(bar.y);
    }
    expect(await text('amount')).toBe('$900.00');
    expect(await text('total')).toBe(asked.worst_case?.text);
    expect(await text('headline')).toBe('Buy 5 AAPL');
    expect(await text('terms')).toBe('Limit order at $180.00 · Day');
    expect(await text('code')).toBe(asked.code);
    expect(await at('warnings').locator('li').allTextContents()).toEqual(asked.warnings);
    for (const [label, said] of Object.entries(asked.shows)) {
      expect(await text('shows')).toContain(`${label}${said}`);
    }
    expect(await text('requested-by')).toBe('trade-agent (chat)');
    expect(await text('countdown')).toMatch(/^[45]:\d\d left$/);
  });

  it('for real money does too, with three codes to pick from', async () => {
    await ask(liveOrder({ warnings: ['This is 26% of the account in one order.'] }));
    await shot(page, 'card-live');
    const bar = await box(at('bar'));
    for (const name of ['environment', 'amount', 'headline', 'shows', 'warnings', 'origins', 'sentence']) {
      expect((await box(at(name))).bottom, name).toBeLessThanOrEqual(bar.y);
    }
    expect(await text('environment')).toMatch(/LIVE.*real money/);
    expect(await at('codes').locator('input').count()).toBe(3);
    expect(await at('code').count()).toBe(0);
  });

  it.each(['light', 'dark'] as const)(
    'of another agent has a field for its code, above the bar (%s)',
    async (scheme) => {
      await page.emulateMedia({ colorScheme: scheme });
      await ask(usualOrder({ code_entry: 'typed', code: 'Q4TZ' }));
      await shot(page, `card-typed-${scheme}`);
      const bar = await box(at('bar'));
      for (const name of ['environment', 'amount', 'headline', 'shows', 'typed-code']) {
        expect((await box(at(name))).bottom, name).toBeLessThanOrEqual(bar.y);
      }
      expect((await box(at('typed-code'))).height).toBeGreaterThanOrEqual(44);
      await page.getByLabel('Type the code that the agent shows you').waitFor();
      expect(await at('request').innerHTML()).not.toContain('Q4TZ');
      await page.emulateMedia({ colorScheme: null });
    },
  );

  it('of another agent takes an approval only with the code that the agent shows', async () => {
    await ask(usualOrder({ code_entry: 'typed', code: 'Q4TZ' }));
    await at('approve').tap();
    await at('said').getByText('Type the code', { exact: true }).waitFor();
    await at('typed-code').fill('0000');
    await at('approve').tap();
    await at('said').getByText('Wrong code', { exact: true }).waitFor();
    await at('typed-code').fill('q4tz');
    await at('approve').tap();
    await page.locator('[data-testid=result][data-status=approved] [data-put-away]').tap();
  });

  it('says what it costs at most first, and largest', async () => {
    await ask();
    const size = (name: string) =>
      page.evaluate<number>(`parseFloat(getComputedStyle(document.querySelector('[data-testid="${name}"]')).fontSize)`);
    const largest = await size('amount');
    for (const name of ['headline', 'terms', 'code', 'shows', 'warnings']) {
      expect(await size(name), name).toBeLessThan(largest);
    }
    const top = (await box(at('amount'))).y;
    for (const name of ['headline', 'terms', 'shows', 'code']) expect((await box(at(name))).y).toBeGreaterThan(top);
  });

  it('has Approve and Deny side by side under the thumb, each naming the order, each as large', async () => {
    await ask();
    const [deny, approve] = [await box(at('deny')), await box(at('approve'))];
    expect(deny.y).toBeGreaterThan(844 * 0.8);
    expect([deny.y, deny.height, deny.width]).toEqual([approve.y, approve.height, approve.width]);
    expect(deny.height).toBeGreaterThanOrEqual(48);
    await page.getByRole('button', { name: 'Approve buy 5 AAPL', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Deny buy 5 AAPL', exact: true }).waitFor();
  });

  it('shows where a field comes from only where it is not the person’s own word', async () => {
    await ask();
    expect(await at('origins').locator('dt').allTextContents()).toEqual(['Quantity']);
    expect(await text('origins')).toContain('calculated from half of the cash');
  });

  it('says in one box above the fold which values the AI chose, and not the person', async () => {
    const fields = {
      symbol: { source: 'other' },
      qty: { source: 'other' },
      side: { source: 'user' },
      type: { source: 'default' },
    } as const;
    await ask(usualOrder({ provenance: { fields, sentence: 'buy something good' } }));
    await shot(page, 'card-chosen-by-ai');
    expect(await text('chosen-by-ai')).toBe('Chosen by the AI, not by you: symbol, quantity');
    const { bottom } = await box(at('chosen-by-ai'));
    expect(bottom).toBeLessThanOrEqual((await box(at('bar'))).y);
    expect(bottom).toBeLessThanOrEqual((await box(at('code'))).y);
  });

  it('says that it is asked again, and what outside text was in the conversation', async () => {
    await ask(usualOrder({ again: 2, provenance: { fields: {}, tainted_by: ['news server'] } }));
    expect(await text('again')).toBe('Second identical request in the last hour');
    expect(await text('tainted')).toContain('news server');
    expect(await at('origins').count()).toBe(0);
  });
});

describe('a card', () => {
  it('tells a purchase from a sale by word, sign and place', async () => {
    const facts = async () => {
      const sign = at('request').locator('.headline .sign');
      return {
        words: await text('headline'),
        drawn: await sign.locator('path').getAttribute('d'),
        isLeft: (await box(sign)).x < (await box(at('headline'))).x,
      };
    };
    await ask();
    const purchase = await facts();
    await world.clear();
    await at('request').waitFor({ state: 'detached' });
    await world.gateway.ask(usualSale());
    await cardOf(page, 'Sell 12 MSFT');
    const sale = await facts();
    expect(purchase).toMatchObject({ words: 'Buy 5 AAPL', isLeft: true });
    expect(sale).toMatchObject({ words: 'Sell 12 MSFT', isLeft: false });
    expect(sale.drawn).not.toBe(purchase.drawn);
    expect(await text('amount')).toBe('$4,920.00');
    await shot(page, 'card-sale');
  });

  it('that nothing bounds says so in the place of an amount', async () => {
    const sentence = 'The price is unbounded: once triggered, the order sells at the market price.';
    await ask(usualSale({ worst_case: { cash: null, price: null, text: sentence } }));
    expect(await at('amount').count()).toBe(0);
    expect(await text('total')).toBe(sentence);
  });

  it('of great length never pushes the buttons away, and none of it stays under them', async () => {
    await ask();
    const before = await box(at('approve'));
    await world.clear();
    await at('request').waitFor({ state: 'detached' });
    await ask(
      usualOrder({
        subject: { ...draft({ symbol: 'ABCDEF.WS', qty: '1234.12345678' }) },
        warnings: Array.from({ length: 8 }, (_, index) => `Warning ${index}: ${'very long words '.repeat(12)}`),
        shows: { Company: 'X'.repeat(200), Cash: '9'.repeat(120) },
      }),
    );
    await shot(page, 'card-long');
    expect((await box(at('approve'))).bottom).toBe(before.bottom);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await at('all-fields').locator('summary').click();
    await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
    const last = await box(page.locator('footer'));
    expect(last.bottom).toBeLessThanOrEqual((await box(at('bar'))).y + 1);
  });

  it.each([
    ['a small phone', 320, 640],
    ['landscape', 844, 390],
    ['a tablet', 820, 1180],
    ['twice the size', 195, 422],
  ])('on %s keeps its buttons on the screen and everything within its width', async (name, width, height) => {
    await page.setViewportSize({ width, height });
    for (const details of [usualOrder(), liveOrder()]) {
      await ask(details);
      await shot(page, `card-${name.replaceAll(' ', '-')}`);
      expect(await overflow()).toBeLessThanOrEqual(0);
      for (const button of ['approve', 'deny']) {
        const { y, bottom, height: tall, right } = await box(at(button));
        expect(y).toBeGreaterThan(0);
        expect(bottom).toBeLessThanOrEqual(height);
        expect(right).toBeLessThanOrEqual(width);
        expect(tall).toBeGreaterThanOrEqual(44);
      }
      expect((await box(at('amount'))).y).toBeGreaterThanOrEqual(0);
      await world.clear();
      await at('request').waitFor({ state: 'detached' });
    }
  });

  it.each(proposalKinds)('of kind %s has every field of its subject, all of them to be opened', async (kind) => {
    const asked = await ask(proposalDetails(kind));
    const all = at('all-fields');
    expect(await all.getAttribute('open')).toBeNull();
    await all.locator('summary').click();
    const { order, draft: whole, orders, changes, limits, policies, ...own } = asked.subject as Record<string, object>;
    const names = [
      ...Object.keys({ ...own, ...whole }),
      ...Object.keys(changes ?? {}).map((name) => `changes.${name}`),
      ...Object.entries(order ?? {}).flatMap(([name, value]) => (value === null ? [] : [`order.${name}`])),
      ...Object.entries(orders ?? {}).flatMap(([at, draft]) =>
        Object.keys(draft as object).map((name) => `orders.${at}.${name}`),
      ),
      ...Object.entries(limits ?? {}).flatMap(([name, value]) =>
        typeof value === 'object'
          ? Object.keys(value as object).map((inner) => `limits.${name}.${inner}`)
          : [`limits.${name}`],
      ),
      // The file of the fixture has one line.
      ...Object.keys(policies ?? {}).map((_, at) => `policies.${at}`),
    ];
    for (const name of names) {
      // What is a list of orders, or limits by their names, has a field for each thing in it.
      const fields = await page.locator(`[data-field="${name}"], [data-field^="${name}."]`).all();
      expect(fields.length, name).toBeGreaterThan(0);
      for (const field of fields) expect(await field.isVisible(), name).toBe(true);
    }
    const shown = (await at('request').textContent()) ?? '';
    expect(shown).toContain(asked.digest);
    expect(shown).toContain(asked.proposal);
  });

  it('of four orders has a line for each above the buttons, sales first', async () => {
    for (const button of await at('put-away').all()) await button.tap();
    const { expires_at, ...frame } = proposalDetails('batch').subject as { expires_at: string };
    const orders = [
      draft({ side: 'sell', symbol: 'AAPL', qty: '2', limit_price: '215.00', expires_at }),
      draft({ side: 'sell', symbol: 'MSFT', qty: '1', limit_price: '470.00', expires_at }),
      draft({ symbol: 'KO', qty: '5', limit_price: '56.48', expires_at }),
      draft({ symbol: 'NVDA', qty: '3', limit_price: '150.00', expires_at }),
    ];
    const shows = {
      1: 'SELL 2 AAPL, limit $215.00: at least $430.00; 40 held now',
      2: 'SELL 1 MSFT, limit $470.00: at least $470.00; 25 held now',
      3: 'BUY 5 KO, limit $56.48: at most $282.40; 75 held now',
      4: 'BUY 3 NVDA, limit $150.00: at most $450.00; 60 held now',
      Cash: '$64,718.25 now, $64,885.85 after',
    };
    const worst =
      'The purchases cost at most $732.40 in total. The sales bring in at least $900.00 if everything sells.';
    await ask(
      proposalDetails('batch', {
        subject: { ...frame, orders, expires_at },
        worst_case: { cash: '732.40', price: null, text: worst },
        shows,
        requested_by: 'check',
      }),
    );
    expect([await text('amount'), await text('headline'), await text('terms')]).toEqual([
      '$732.40',
      '4 orders together',
      '2 to sell, 2 to buy',
    ]);
    expect(await at('shows').locator('dd').allTextContents()).toEqual(Object.values(shows));
    await shot(page, 'card-batch');
    const bar = await box(at('bar'));
    expect((await box(at('shows'))).bottom).toBeLessThanOrEqual(bar.y);
    expect(await overflow()).toBeLessThanOrEqual(0);
  });

  it('of a message shows its text whole before anything is opened', async () => {
    const words = Array.from({ length: 60 }, (_, index) => `Line ${index}`).join('\n');
    const subject = { ...(proposalDetails('message').subject as object), text: words };
    await ask(proposalDetails('message', { subject }));
    expect(await page.locator('[data-field=text]').textContent()).toBe(words);
    expect(await page.locator('[data-field=text]').isVisible()).toBe(true);
    expect(await text('environment')).toContain('MESSAGE');
  });

  it('shows times in the phone’s own zone, and the server’s as a title', async () => {
    const other = await world.phone({ timezone: 'America/New_York' });
    await world.gateway.ask(proposalDetails('lift'));
    await other.page.getByTestId('terms').waitFor();
    const time = other.page.getByTestId('terms').locator('time');
    expect(await time.textContent()).toMatch(/^Nov 25, 2026, 9:30 AM EST$/);
    expect(await time.getAttribute('datetime')).toBe('2026-11-25T14:30:00Z');
    expect(await time.getAttribute('title')).toBe('2026-11-25 14:30:00 UTC');
    await other.close();
  });

  it('never lets words become markup', async () => {
    const hostile = '<img src=x onerror=alert(1)>';
    await ask(
      usualOrder({
        warnings: [hostile],
        shows: { [hostile]: hostile },
        requested_by: hostile,
        provenance: { fields: {}, sentence: `${hostile}\u202e`, tainted_by: [hostile] },
      }),
    );
    expect(await text('sentence')).toBe(`${hostile}\ufffd`);
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  it('keeps what was opened and where the focus is while the page hears of others', async () => {
    await ask();
    await at('all-fields').locator('summary').click();
    await at('approve').focus();
    await page.evaluate(`document.querySelector('[data-testid=request]').dataset.mark = 'the same'`);
    const before = await box(at('approve'));
    await world.gateway.ask(usualSale());
    await page.getByTestId('other').waitFor();
    await connected(page);
    expect(await page.evaluate('document.activeElement.dataset.testid')).toBe('approve');
    expect(await at('request').getAttribute('data-mark')).toBe('the same');
    expect(await at('all-fields').getAttribute('open')).toBe('');
    expect(await box(at('approve'))).toEqual(before);
  });
});
