import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fill } from '../../../src/home/fills/fill.ts';
import { type BellWorld, openBellWorld } from './bell-world.ts';

const fill: Fill = {
  key: '["alice","PA3ALICE01","order-1"]',
  user: 'alice',
  headline: 'Bought 5 AAPL at $179.51',
  account: 'PA3ALICE01 at Alpaca',
  environment: 'paper',
  at: '2026-01-30T14:30:10Z',
  facts: {
    ...{
      order_id: 'order-1',
      proposal: 'pr_1',
      account: 'PA3ALICE01',
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
    },
    ...{ price: '179.51', status: 'filled', mandate_id: 'M-x9K2aB7cD1' },
  },
};

let world: BellWorld;
beforeEach(async () => {
  world = await openBellWorld({ tells: true });
});
afterEach(async () => {
  expect(world.service.complaints).toEqual([]);
  await world.close();
});

describe('a fill', () => {
  it('rings each browser of its person, encrypted, and nobody else’s', async () => {
    world.subscribe('alice', 'phone');
    world.subscribe('bob', 'bobs-phone');
    await world.push().tellFill(fill);
    expect(world.service.received).toMatchObject([
      {
        browser: 'phone',
        urgency: 'normal',
        message: {
          kind: 'fill',
          id: '',
          title: 'Bought 5 AAPL at $179.51 · PAPER',
          body: 'Account PA3ALICE01 at Alpaca · by mandate M-x9K2aB7cD1',
        },
      },
    ]);
    const [push] = world.service.received;
    expect(push?.topic).toBe(push?.message.tag);
    expect(push?.topic).not.toContain('order-1');
    // A push got through: nobody is told by another way.
    expect(world.told).toEqual([]);
  });

  it('is told by another way where no browser rings, under the same name each time', async () => {
    await world.push().tellFill(fill);
    await world.push().tellFill(fill);
    const [first, second] = world.told;
    expect(first).toEqual({
      id: expect.stringMatching(/^nt_[\w-]{24}$/),
      user: 'alice',
      title: 'Bought 5 AAPL at $179.51 · PAPER',
      body: 'Account PA3ALICE01 at Alpaca · by mandate M-x9K2aB7cD1',
      at: '2026-01-30T14:30:10Z',
      fill: fill.facts,
    });
    expect(second?.id).toBe(first?.id);
  });

  it('says on a lock screen only that there is one, where that was chosen', async () => {
    await world.restart({ content: 'short', noticesWhen: 'always' });
    world.subscribe('alice', 'phone');
    await world.push().tellFill(fill);
    const texts = [world.service.received[0]?.text, JSON.stringify(world.told)];
    expect(texts.join(' ')).toContain('An order of yours was filled');
    for (const text of texts) expect(text).not.toMatch(/AAPL|\$179|PAPER|PA3/);
  });

  it('is told to nobody where that was chosen', async () => {
    await world.restart({ fills: false });
    world.subscribe('alice', 'phone');
    await world.push().tellFill(fill);
    expect([world.service.received, world.told]).toEqual([[], []]);
  });

  it('that closing cuts off was not told', async () => {
    world.subscribe('alice', 'phone');
    world.service.answer('hang');
    const telling = world.push().tellFill(fill);
    await expect.poll(() => world.service.calls()).toBe(1);
    await Promise.all([expect(telling).rejects.toThrow(), world.stop()]);
  });
});
