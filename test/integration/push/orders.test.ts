import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lateOrderOf, type OrderNews, unexplainedNews } from '../../../src/home/fills/order-news.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { approval, order } from '../../unit/cli/sample-events.ts';
import { type BellWorld, openBellWorld } from './bell-world.ts';

const AT = Date.parse('2026-01-30T14:40:00Z');
const open = { ...order, status: 'new' as const, filled_qty: '0' };
const EXCESS = 'Mandate M-x9K2aB7cD1 was used for more than you approved: $1,616.08 of $1,200.00.';

function lateNews(): OrderNews {
  const text = `The order was reported as not placed, and reached the broker later. Cancel it while it is open, or close what it traded. ${EXCESS}`;
  const proposal = {
    ...{ id: 'pr_1', sub: 'alice', kind: 'order', state: 'executed', updatedAt: AT },
    ...{ subject: approval.order, result: open },
    reason: { code: 'placed_late', text, members: { excess: EXCESS } },
  };
  const news = lateOrderOf(proposal as unknown as StoredProposal);
  if (news === undefined) throw new Error('it was not late');
  return news;
}
const unexplained = () => unexplainedNews({ sub: 'alice', account: 'PA3ALICE01', order: open }, AT);

/** What each is told with: the title, what the body says, and the fields. */
const news: [string, () => OrderNews, string, RegExp, OrderNews['facts']][] = [
  [
    'that was placed late',
    lateNews,
    'Placed late: BUY 5 AAPL LMT 180.00',
    /Cancel it while it is open.*\$1,616\.08 of \$1,200\.00\.$/,
    {
      ...{ event: 'placed_late', account: 'PA3ALICE01', order_ids: ['order-1'], proposal: 'pr_1' },
      excess: EXCESS,
    },
  ],
  [
    'that no proposal accounts for',
    unexplained,
    'Not in our records: BUY 5 AAPL LMT 180.00',
    /no proposal accounts for it\. Cancel it/,
    { event: 'unexplained', account: 'PA3ALICE01', order_ids: ['order-1'] },
  ],
];

let world: BellWorld;
beforeEach(async () => {
  world = await openBellWorld({ tells: true });
});
afterEach(async () => {
  expect(world.service.complaints).toEqual([]);
  await world.close();
});

describe.each(news)('an order %s', (_, newsOf, title, body, facts) => {
  it('rings each browser of its person at once, and nobody else’s', async () => {
    world.subscribe('alice', 'phone');
    world.subscribe('bob', 'bobs-phone');
    await world.push().tellOrder(newsOf());
    expect(world.service.received).toMatchObject([
      {
        ...{ browser: 'phone', urgency: 'high' },
        message: { kind: 'order', id: '', title, body: expect.stringMatching(body) },
      },
    ]);
    expect(world.service.received[0]?.topic).toBe(world.service.received[0]?.message.tag);
    // A push got through: nobody is told by another way.
    expect(world.told).toEqual([]);
  });

  it('has one place on a screen, however often it is told', async () => {
    world.subscribe('alice', 'phone');
    await world.push().tellOrder(newsOf());
    await world.push().tellOrder(newsOf());
    const [first, second] = world.service.received;
    expect(second?.topic).toBe(first?.topic);
  });

  it('is told by another way where no browser rings, under the same name each time', async () => {
    await world.push().tellOrder(newsOf());
    await world.push().tellOrder(newsOf());
    const [first, second] = world.told;
    expect(first).toEqual({
      id: expect.stringMatching(/^nt_[\w-]{24}$/),
      ...{ user: 'alice', title, body: expect.stringMatching(body), at: '2026-01-30T14:40:00.000Z' },
      order: facts,
    });
    expect(second?.id).toBe(first?.id);
  });

  it('says on a lock screen only that there is one, where that was chosen', async () => {
    await world.restart({ content: 'short', noticesWhen: 'always' });
    world.subscribe('alice', 'phone');
    await world.push().tellOrder(newsOf());
    const texts = [world.service.received[0]?.text, JSON.stringify(world.told)];
    for (const text of texts) {
      expect(text).toContain('An order needs your attention');
      expect(text).not.toMatch(/AAPL|180\.00|1,616|PA3|M-x9|order-1|pr_1|late|records/);
    }
  });

  it('is told also where fills are not', async () => {
    await world.restart({ fills: false });
    world.subscribe('alice', 'phone');
    await world.push().tellOrder(newsOf());
    expect(world.service.received).toHaveLength(1);
  });

  it('that closing cuts off was not told', async () => {
    world.subscribe('alice', 'phone');
    world.service.answer('hang');
    const telling = world.push().tellOrder(newsOf());
    await expect.poll(() => world.service.calls()).toBe(1);
    await Promise.all([expect(telling).rejects.toThrow(), world.stop()]);
  });
});
