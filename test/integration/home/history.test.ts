import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { findings } from '../axe.ts';
import { draft } from '../sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { type DecisionWorld, liveOrder, shot, startDecisionWorld, usualOrder, usualSale } from './decision-fixture.ts';
import { cutOff } from './phone-browser.ts';

// The terminal phone decides here, which signs where it must by a key of its own.
const world = await startDecisionWorld({ signatures: 'off' });
const phone = await world.phone({ timezone: 'Europe/Berlin' });
const page = phone.page;
afterAll(() => world.close());
afterEach(() => expect(phone.complaints).toEqual([]));

async function decided(details: Parameters<DecisionWorld['gateway']['ask']>[0], decision: 'approve' | 'deny') {
  const request = await world.gateway.ask(details);
  const [waiting] = await world.world.phone.requests('alice');
  await world.world.phone.decide(waiting?.id ?? '', decision);
  return request.auth_req_id;
}
const open = async () => {
  await page.goto(`${world.world.issuer}/phone/history`);
  await page.getByRole('heading', { name: 'Activity' }).waitFor();
};
const entries = () => page.getByTestId('entry');
/** A row as it is read, part by part. */
const read = async (index: number) => {
  const parts = await entries().nth(index).locator('p > *').allTextContents();
  return parts.filter(Boolean).join(' ');
};

describe('the history', () => {
  it('begins with nothing', async () => {
    await open();
    await page.getByTestId('no-history').waitFor();
  });

  it('says of each what, how much, at which price, when, what became of it, its code and whose money', async () => {
    await world.gateway.tell(await decided(usualOrder(), 'approve'), 'executed', 'filled 5 at $180.12');
    await decided(usualSale({ provenance: null }), 'deny');
    await world.gateway.tell(await decided(liveOrder({ code: '7777' }), 'approve'), 'blocked', 'price moved');
    const taken = await world.gateway.ask(proposalDetails('lift', { code: 'ZZZZ' }));
    await world.gateway.tell(taken.auth_req_id, 'cancelled', 'withdrawn in the terminal');
    await open();
    await shot(page, 'history');
    expect(await entries().count()).toBe(4);
    expect(await read(0)).toMatch(/^Resume trading Withdrawn withdrawn in the terminal .*ZZZZ$/);
    expect(await read(1)).toMatch(
      /^Buy 5 AAPL at most \$900\.00, plus fees Approved refused: price moved LIVE .*7777$/,
    );
    expect(await read(2)).toMatch(
      /^Sell 12 MSFT at least \$4,920\.00, less fees Denied PAPER Limit order at \$410\.00 .*M3XD$/,
    );
    expect(await read(3)).toMatch(
      /^Buy 5 AAPL \$900\.60 Approved filled 5 at \$180\.12 PAPER \$180\.12 a share .*K7QP$/,
    );
    // The zone of the phone, summer and winter.
    expect(await read(3)).toMatch(/, \d{1,2}:\d\d [AP]M GMT\+[12] /);
  });

  it('begins all words at one edge, beside the signs', async () => {
    const words = '.first > .words, .second > .outcome, .third > :first-child';
    const edges = await page.evaluate<number[]>(`[...document.querySelectorAll('${words}')].map((one) => {
      const range = document.createRange();
      range.selectNodeContents(one.matches('.outcome') ? one.lastChild : one);
      return Math.round(range.getBoundingClientRect().x);
    })`);
    expect(edges.length).toBe(12);
    expect(new Set(edges).size).toBe(1);
  });

  it('is paged, the latest first, each once', async () => {
    for (let index = 0; index < 22; index += 1) await decided(usualOrder({ code: `C${100 + index}` }), 'deny');
    await open();
    expect(await entries().count()).toBe(20);
    expect(await read(0)).toContain('C121');
    expect(await read(19)).toContain('C102');
    await page.getByTestId('older').click();
    await page.waitForURL('**/phone/history?before=*');
    await expect.poll(() => entries().count()).toBe(6);
    expect(await read(0)).toContain('C101');
    expect(await read(2)).toContain('ZZZZ');
    expect(await page.getByTestId('older').count()).toBe(0);
  });

  it('is nobody else’s', async () => {
    const bob = await world.phone();
    await bob.signOut();
    await bob.openLink((await world.world.phone.ticket('bob')).url);
    const last = await entries().last().getAttribute('data-id');
    for (const path of ['/phone/history', `/phone/history?before=${last}`]) {
      await bob.page.goto(`${world.world.issuer}${path}`);
      await bob.page.getByTestId('no-history').waitFor();
    }
    await bob.close();
  });
});

it('cuts nothing off of 500 orders at any width: options, huge and tiny amounts, long outcomes', async () => {
  // All differ from each other by three; the others of the 500 show that each page is like the first.
  const count = process.env.PAGES === 'all' ? 500 : 42;
  const subjects = [
    { symbol: 'AAPL261218C00190000', qty: '9999', limit_price: '99999.99', position_intent: 'buy_to_open' },
    { symbol: 'PEPE/USD', time_in_force: 'gtc', qty: '999999.123456789', limit_price: '0.0001' },
    { symbol: 'GONE', side: 'sell', qty: '1', limit_price: '0.0001' },
  ] as const;
  const outcomes = [
    ['executed', 'filled 123456789012.123456789 at $0.0001'],
    [
      'blocked',
      'the rule a-rule-with-a-name-as-long-as-names-may-be-00000 of Wolfeschlegelsteinhausenbergerdorff forbids it',
    ],
    ['cancelled', 'withdrawn in the terminal'],
  ] as const;
  for (let index = 0; index < count; index += 1) {
    const subject = { ...draft({ ...subjects[index % 3], environment: index % 2 === 0 ? 'live' : 'paper' }) };
    const worst_case = { cash: '12345678901234.56', price: '0.0001', text: 'Costs at most $12,345,678,901,234.56.' };
    const id = await decided(
      usualOrder({ subject, worst_case, code: `D${100 + index}` }),
      index % 4 === 0 ? 'deny' : 'approve',
    );
    const [state, text] = outcomes[index % 3] ?? outcomes[0];
    if (index % 4 !== 0) await world.gateway.tell(id, state, text);
  }
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: width > 1000 ? 900 : 844 });
    await open();
    for (let shown = 20; ; shown += 20) {
      expect(await cutOff(page), `${width}`).toEqual([]);
      if (shown === 20) {
        await shot(page, `history-500-${width}`);
        expect(await findings(page)).toEqual([]);
      }
      if ((await page.getByTestId('older').count()) === 0) {
        expect(shown).toBeGreaterThanOrEqual(count);
        break;
      }
      const last = await entries().last().getAttribute('data-id');
      await page.getByTestId('older').click();
      await page.waitForURL(`**/phone/history?before=${last}`);
      await expect.poll(() => entries().first().getAttribute('data-id')).not.toBe(last);
      await page.locator(`[data-testid=entry]:not([data-id="${last}"])`).first().waitFor();
    }
  }
}, 120_000);
