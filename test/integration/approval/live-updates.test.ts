import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeWaiting, startLiveWorld, statusOf } from './live-updates-world.ts';

type LiveWorld = Awaited<ReturnType<typeof startLiveWorld>>;

describe('a fill that the broker tells of', () => {
  let live: LiveWorld;
  beforeAll(async () => {
    live = await startLiveWorld({ secondAccounts: true });
    for (const symbol of ['AAPL', 'KO', 'MSFT', 'F', 'T']) await live.price(symbol, '50.00');
    await Promise.all([live.world.as('alice'), live.world.as('bob')]);
  });
  afterAll(() => live.close());

  it('is told on at once, by one look and none before it', async () => {
    const alice = await live.world.as('alice');
    const events = await live.follow(alice);
    const { id, order } = await placeWaiting(alice, { symbol: 'AAPL', limit: '40.00' });
    await live.quiet(1);
    const before = live.readsOf(order.id);
    const filledAt = Date.now();
    await live.price('AAPL', '39.00');
    const event = await events.until(id, 'filled');
    expect(event.proposal.result).toMatchObject({ filled_qty: '2' });
    expect(event.at - filledAt).toBeLessThan(1000);
    expect(live.readsOf(order.id)).toBe(before + 1);
    expect(events.told.filter(({ proposal }) => statusOf(proposal) === 'filled')).toHaveLength(1);
    await live.quiet(0);
    await events.stop();
  });

  it('so is a cancel that was not asked for here', async () => {
    const alice = await live.world.as('alice');
    const events = await live.follow(alice);
    const { id, order } = await placeWaiting(alice, { symbol: 'F', limit: '40.00' });
    await live.quiet(1);
    await live.cancelElsewhere('alice', order.id);
    await events.until(id, 'canceled');
    await events.stop();
  });

  it('of two people, each hears of their own', async () => {
    const [alice, bob] = [await live.world.as('alice'), await live.world.as('bob')];
    const events = { alice: await live.follow(alice), bob: await live.follow(bob) };
    const hers = await placeWaiting(alice, { symbol: 'KO', limit: '30.00' });
    const his = await placeWaiting(bob, { symbol: 'KO', limit: '40.00' });
    await live.quiet(2);
    const before = live.readsOf(hers.order.id);
    await live.price('KO', '39.00');
    await events.bob.until(his.id, 'filled');
    expect(live.readsOf(hers.order.id)).toBe(before);
    expect(events.alice.told.some(({ proposal }) => proposal.id === his.id)).toBe(false);
    await live.price('KO', '29.00');
    await events.alice.until(hers.id, 'filled');
    await events.alice.stop();
    await events.bob.stop();
  });

  it('in one of a person’s two accounts leads to no look in the other', async () => {
    const alice = await live.world.as('alice');
    const { accounts } = (await alice.send('GET', '/v1/accounts')).body as {
      accounts: { account: string }[];
    };
    const second = accounts[1]?.account ?? 'there is no second';
    const events = await live.follow(alice);
    const here = await placeWaiting(alice, { symbol: 'T', limit: '30.00' });
    const there = await placeWaiting(alice, { symbol: 'T', limit: '40.00', account: second });
    await live.quiet(2);
    const before = live.readsOf(here.order.id);
    await live.price('T', '39.00');
    await events.until(there.id, 'filled');
    expect(live.readsOf(here.order.id)).toBe(before);
    await live.price('T', '29.00');
    await events.until(here.id, 'filled');
    await events.stop();
  });

  it('is found where the stream broke instead of telling it, and the next is told by another stream', async () => {
    const alice = await live.world.as('alice');
    const events = await live.follow(alice);
    const first = await placeWaiting(alice, { symbol: 'MSFT', limit: '40.00' });
    const second = await placeWaiting(alice, { symbol: 'MSFT', limit: '30.00' });
    await live.quiet(2);
    live.world.sandbox.faults.set('broker_stream_drop', 1);
    await live.price('MSFT', '39.00');
    await events.until(first.id, 'filled');
    await live.quiet(1);
    const before = live.readsOf(second.order.id);
    await live.price('MSFT', '29.00');
    await events.until(second.id, 'filled');
    expect(live.readsOf(second.order.id)).toBe(before + 1);
    const filled = events.told.filter(({ proposal }) => statusOf(proposal) === 'filled');
    expect(filled.map(({ proposal }) => proposal.id)).toEqual([first.id, second.id]);
    await events.stop();
  });

  it('is told to who watches, also where the order was placed before the gateway started', async () => {
    const alice = await live.world.as('alice');
    // The market begins again with the restart, and far above this.
    const { id } = await placeWaiting(alice, { symbol: 'F', limit: '2.00' });
    await live.world.restart();
    const events = await live.follow(alice);
    await live.quiet(1);
    await live.price('F', '1.90');
    await events.until(id, 'filled');
    await events.stop();
  });
});

describe('with the stream off', () => {
  let live: LiveWorld;
  beforeAll(async () => {
    live = await startLiveWorld({ tradeUpdates: false });
    await live.price('AAPL', '50.00');
    await live.world.as('alice');
  });
  afterAll(() => live.close());

  it('a fill is found by asking', async () => {
    const alice = await live.world.as('alice');
    const events = await live.follow(alice);
    const { id, order } = await placeWaiting(alice, { symbol: 'AAPL', limit: '40.00' });
    await expect.poll(() => live.readsOf(order.id)).toBeGreaterThan(3);
    await live.price('AAPL', '39.00');
    await events.until(id, 'filled');
    await live.quiet(0);
    await events.stop();
  });
});
