import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelOrder, findOrder, listOrders, type OrderApp } from '../../../src/app/orders/orders.ts';
import { STANDING_ORDER_CHECK_INTERVAL_MS } from '../../../src/gateway/mandates/standing-order-watcher.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import { createGatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

let world: ProposalWorld;
let alice: Person;
/** Alice's numbers. */
let first: string;
let second: string;
beforeAll(async () => {
  // Standing orders are looked at more often than they would be.
  const sleep: Clock['sleep'] = (ms, signal) =>
    systemClock.sleep(ms === STANDING_ORDER_CHECK_INTERVAL_MS ? 200 : ms, signal);
  world = await startProposalWorld({ secondAccounts: true, port: 0, clock: { ...systemClock, sleep } });
  alice = await world.as('alice');
  const { accounts } = (await alice.send('GET', '/v1/accounts')).body as { accounts: { account: string }[] };
  [first, second] = accounts.map(({ account }) => account) as [string, string];
});
afterAll(() => world.close());

const order = { symbol: 'AAPL', side: 'buy', qty: '1' } as const;
/** How many orders the paper broker has taken, by account. */
const taken = (account: string) =>
  world.sandbox.broker.book().filter(({ account_number }) => account_number === account).length;

/** What finds orders in the accounts of one person. */
function accountsApp({ session }: Person): OrderApp {
  const gateway = createGatewayClient(session);
  const app: OrderApp = {
    isAllAccounts: false,
    accounts: () => gateway.accounts(),
    account: async () => undefined,
    gateway: async () => gateway,
    inAccount: (account) => ({ ...app, gateway: async () => gateway.inAccount(account ?? '') }) as never,
  };
  return app;
}

async function refused(request: object) {
  const { status, body } = await alice.ask(request, `refused-${Math.random().toString(36).slice(2)}`);
  return { status, code: body.code };
}

describe('a proposal of a person with two accounts', () => {
  it('names its account: the default one, or the one asked for; the phone shows which, and the order is there alone', async () => {
    const byDefault = await alice.propose({ kind: 'order', order });
    expect(byDefault).toMatchObject({
      subject: { account: first },
      shows: { Account: `${first} at Alpaca` },
    });
    const before = [taken(first), taken(second)];
    const named = await alice.propose({ kind: 'order', order: { ...order, account: second } });
    expect(named).toMatchObject({
      subject: { account: second },
      shows: { Account: `${second} at Second paper account`, Cash: expect.stringContaining('$100,000.00') },
    });
    const asked = (await world.phone.requests('alice', { waitSeconds: 10 })).find(({ code }) => code === named.code);
    expect(JSON.stringify(asked)).toContain(`${second} at Second paper account`);
    await alice.tap(named.code);
    expect((await alice.until(named.id, 'executed')).result).toMatchObject({ status: 'filled' });
    expect([taken(first), taken(second)]).toEqual([before[0], (before[1] ?? 0) + 1]);
    await alice.tap(byDefault.code);
    await alice.until(byDefault.id, 'executed');
    expect([taken(first), taken(second)]).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + 1]);
  });

  it('for an account that is not theirs is refused before anybody is asked anything', async () => {
    const bob = await world.as('bob');
    const { account } = (await bob.send('GET', '/v1/account')).body;
    const open = (await world.phone.requests('alice', { waitSeconds: 0 })).length;
    for (const foreign of [String(account), 'PA3NOBODY00']) {
      for (const request of [
        { kind: 'order', order: { ...order, account: foreign } },
        {
          kind: 'batch',
          batch: {
            orders: [
              { ...order, account: foreign },
              { ...order, symbol: 'KO', account: foreign },
            ],
          },
        },
        { kind: 'cancel', cancel: { account: foreign, order_id: '0' } },
        { kind: 'replace', replace: { account: foreign, order_id: '0', qty: '2' } },
      ]) {
        expect(await refused(request), request.kind).toEqual({ status: 403, code: 'account_mismatch' });
      }
    }
    expect((await world.phone.requests('alice', { waitSeconds: 0 })).length).toBe(open);
  });

  it('is changed and cancelled where it is', async () => {
    const approved = async (request: Parameters<Person['propose']>[0]) => {
      const { id, code, shows } = await alice.propose(request);
      expect(shows).toMatchObject({ Account: `${second} at Second paper account` });
      await alice.tap(code);
      return (await alice.until(id, 'executed')).result as {
        id: string;
        status: string;
        limit_price: string;
      };
    };
    const account = second;
    const limit = { ...order, type: 'limit', limit_price: '10', time_in_force: 'gtc' } as const;
    const resting = await approved({ kind: 'order', order: { ...limit, account } });
    const replace = { account, order_id: resting.id, limit_price: '11' };
    const changed = await approved({ kind: 'replace', replace });
    expect(changed).toMatchObject({ limit_price: '11' });
    const cancelled = await approved({ kind: 'cancel', cancel: { account, order_id: changed.id } });
    expect(cancelled.status).toMatch(/cancel/);
  });

  it('is found by its id in whichever account it is, listed with it, and its stop is cancelled there', async () => {
    const app = accountsApp(alice);
    const exits = { stop_price: '50', time_in_force: 'gtc' } as const;
    const stop = { ...order, side: 'sell', type: 'stop', account: second, ...exits } as const;
    const { id: asked, code: said } = await alice.propose({ kind: 'order', order: stop });
    await alice.tap(said);
    const { id } = (await alice.until(asked, 'executed')).result as { id: string };
    expect(await findOrder(app, id.slice(0, 8))).toMatchObject({ id, account: second });
    const all = await listOrders({ ...app, isAllAccounts: true }, { status: 'open', limit: 100 });
    expect(all.orders.find((one) => one.id === id)).toMatchObject({
      account: second,
      label: 'Second paper account',
    });
    const outcome = await cancelOrder(app, id, async (request) => {
      const { id: cancels, code, shows } = await alice.propose(request);
      expect(shows).toMatchObject({ Account: `${second} at Second paper account` });
      await alice.tap(code);
      await alice.until(cancels, 'executed');
      return { status: 'done', key: null, approval: null, order: null };
    });
    expect(outcome.order).toMatchObject({ id, status: expect.stringMatching(/cancel/) });
    await expect(findOrder(app, '00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('of several orders is for one account', async () => {
    const orders = [
      { ...order, account: first },
      { ...order, symbol: 'KO', account: second },
    ];
    expect(await refused({ kind: 'batch', batch: { orders } })).toEqual({
      status: 400,
      code: 'invalid_order',
    });
  });

  it('of a standing order is placed in the account of its mandate, not in the default one', async () => {
    const granted = await alice.propose({
      kind: 'mandate',
      mandate: {
        ...{
          account: second,
          symbols: ['KO'],
          sides: ['buy'],
          cadence: 'on_demand',
          order_types: ['market'],
        },
        ...{ max_order_notional: '2000', max_total_notional: '2000', max_orders: 1 },
        expires_at: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, ''),
        standing: {
          order: { symbol: 'KO', side: 'buy', qty: '1', type: 'market', time_in_force: 'day' },
          when: { price: 'above', at: '0.01' },
        },
      },
    });
    expect(granted).toMatchObject({
      subject: { account: second },
      shows: { Account: `${second} at Second paper account` },
    });
    await alice.tap(granted.code);
    await alice.until(granted.id, 'executed');
    const before = taken(first);
    await expect.poll(() => taken(second), { timeout: 10_000 }).toBeGreaterThan(1);
    expect(taken(first)).toBe(before);
  });
});
