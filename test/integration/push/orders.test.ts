import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fill } from '../../../src/home/fills/fill.ts';
import { lateOrderNews, unexplainedOrderNews } from '../../../src/home/fills/order-news.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { approval, order } from '../../unit/cli/sample-events.ts';
import { type NotifierWorld, openNotifierWorld } from './notifier-world.ts';

const fill: Fill = {
  key: '["alice","PA3ALICE01","order-1"]',
  user: 'alice',
  headline: 'Bought 5 AAPL at $179.51',
  account: 'PA3ALICE01 at Alpaca',
  environment: 'paper',
  at: '2026-01-30T14:40:00.000Z',
  facts: {
    order_id: 'order-1',
    proposal: 'pr_1',
    account: 'PA3ALICE01',
    symbol: 'AAPL',
    side: 'buy',
    qty: '5',
    price: '179.51',
    status: 'filled',
    mandate_id: 'M-x9K2aB7cD1',
  },
};

const AT = Date.parse('2026-01-30T14:40:00Z');
const open = { ...order, status: 'new' as const, filled_qty: '0' };
const EXCESS = 'Mandate M-x9K2aB7cD1 was used for more than you approved: $1,616.08, not $1,200.00.';

function lateNews() {
  const text = `The order was reported as not placed, but it reached the broker later. Cancel it if it is still open, or reverse it if it was filled. ${EXCESS}`;
  const proposal = {
    ...{ id: 'pr_1', sub: 'alice', kind: 'order', state: 'executed', updatedAt: AT },
    ...{ subject: approval.order, result: open },
    reason: { code: 'placed_late', text, members: { excess: EXCESS } },
  };
  const news = lateOrderNews(proposal as unknown as StoredProposal);
  if (news === undefined) throw new Error('it was not late');
  return news;
}
const unexplained = () => unexplainedOrderNews({ sub: 'alice', account: 'PA3ALICE01', order: open }, AT);

interface Telling {
  readonly tell: () => Promise<void>;
  readonly kind: 'fill' | 'order';
  readonly urgency: 'normal' | 'high';
  readonly title: string;
  readonly body: RegExp;
  readonly facts: unknown;
  /** All that a lock screen may say. */
  readonly short: string;
}
const ofOrder = {
  kind: 'order',
  urgency: 'high',
  short: 'An order needs your attention',
} as const;
const tellings: [string, Telling][] = [
  [
    'a fill',
    {
      tell: () => world.push().notifyFill(fill),
      kind: 'fill',
      urgency: 'normal',
      title: 'Bought 5 AAPL at $179.51 · PAPER',
      body: /^Account PA3ALICE01 at Alpaca · by mandate M-x9K2aB7cD1$/,
      facts: fill.facts,
      short: 'Your order was filled',
    },
  ],
  [
    'an order that was placed late',
    {
      ...ofOrder,
      tell: () => world.push().notifyOrder(lateNews()),
      title: 'Placed late: BUY 5 AAPL LMT 180.00',
      body: /Cancel it if it is still open.*\$1,616\.08, not \$1,200\.00\.$/,
      facts: {
        event: 'placed_late',
        account: 'PA3ALICE01',
        order_ids: ['order-1'],
        proposal: 'pr_1',
        excess: EXCESS,
      },
    },
  ],
  [
    'an order that no proposal accounts for',
    {
      ...ofOrder,
      tell: () => world.push().notifyOrder(unexplained()),
      title: 'Not in our records: BUY 5 AAPL LMT 180.00',
      body: /no proposal matches the order\. Cancel the order/,
      facts: { event: 'unexplained', account: 'PA3ALICE01', order_ids: ['order-1'] },
    },
  ],
];

let world: NotifierWorld;
beforeEach(async () => {
  world = await openNotifierWorld({ tells: true });
});
afterEach(async () => {
  expect(world.service.complaints).toEqual([]);
  await world.close();
});

describe.each(tellings)('%s', (_, { tell, kind, urgency, title, body, facts, short }) => {
  it('rings each browser of its person in one place on the screen, and nobody else’s', async () => {
    await world.subscribe('alice', 'phone');
    await world.subscribe('bob', 'bobs-phone');
    await tell();
    await tell();
    const message = { kind, id: '', title, body: expect.stringMatching(body) };
    const push = { browser: 'phone', urgency, message };
    expect(world.service.received).toMatchObject([push, push]);
    const [first, second] = world.service.received;
    expect(first?.topic).toBe(first?.message.tag);
    expect(first?.topic).not.toContain('order-1');
    expect(second?.topic).toBe(first?.topic);
    // A push got through: nobody is told by another way.
    expect(world.told).toEqual([]);
  });

  it('is told by another way where no browser rings, under the same name each time', async () => {
    await tell();
    await tell();
    const [first, second] = world.told;
    expect(first).toEqual({
      id: expect.stringMatching(/^nt_[\w-]{24}$/),
      user: 'alice',
      title,
      body: expect.stringMatching(body),
      at: '2026-01-30T14:40:00.000Z',
      [kind]: facts,
    });
    expect(second?.id).toBe(first?.id);
  });

  it('says on a lock screen only that there is one, where that was chosen', async () => {
    await world.restart({ content: 'short', noticesWhen: 'always' });
    await world.subscribe('alice', 'phone');
    await tell();
    for (const text of [world.service.received[0]?.text, JSON.stringify(world.told)]) {
      expect(text).toContain(short);
      expect(text).not.toMatch(/AAPL|\$179|180\.00|1,616|PAPER|PA3|M-x9|late|records/);
    }
  });

  it('is told also where fills are not, unless it is one', async () => {
    await world.restart({ fills: false });
    await world.subscribe('alice', 'phone');
    await tell();
    expect(world.service.received).toHaveLength(kind === 'fill' ? 0 : 1);
    expect(world.told).toEqual([]);
  });

  it('that closing cuts off was not told', async () => {
    await world.subscribe('alice', 'phone');
    world.service.answer('hang');
    const telling = tell();
    await expect.poll(() => world.service.calls()).toBe(1);
    await Promise.all([expect(telling).rejects.toThrow(), world.stop()]);
  });
});
