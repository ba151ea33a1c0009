import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountCredentials } from '../../../src/gateway/broker/broker-credentials.ts';
import { tradierBrokerKind } from '../../../src/gateway/broker/tradier/tradier.ts';
import { verifyCredentials } from '../../../src/gateway/broker/verify-keys.ts';
import { brokerContract } from '../../contract/broker/broker-contract.ts';
import { heldTo } from '../../contract/broker/held-to.ts';
import { onPaper } from '../../contract/broker/on-paper.ts';
import { tradierExamples } from '../../contract/tradier/examples.ts';
import { tradierSchemas } from '../../contract/tradier/schemas.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { startTradier, type TradierStandIn } from './support/tradier-stand-in.ts';

describe.each<[string, 'exchange' | 'access_token', (server: TradierStandIn) => AccountCredentials]>([
  ['by a token got by exchange', 'exchange', ({ token }) => ({ accessToken: token })],
  ['by a kept token', 'access_token', ({ token, account }) => ({ token, accountNumber: account })],
])('%s', (_, credentials, credentialsOf) => {
  brokerContract(tradierBrokerKind.traits, async () => {
    const server = await startTradier();
    return {
      settings: { kind: 'tradier', credentials, url: server.url },
      credentials: credentialsOf(server),
      symbol: 'GEAR',
      unknownSymbol: 'NOSUCH',
      close: () => server.close(),
    };
  });
});

describe('Tradier', () => {
  let server: TradierStandIn;
  beforeEach(async () => {
    server = await startTradier();
  });
  afterEach(() => server.close());

  const settings = () =>
    tradierBrokerKind.settings.parse({ kind: 'tradier', credentials: 'access_token', url: server.url });
  const connect = (credentials: AccountCredentials = { token: server.token, accountNumber: server.account }) =>
    tradierBrokerKind.connect(settings(), onPaper())(credentials, () => undefined);
  const order = anOrderDraft({
    account: 'VA000001',
    symbol: 'GEAR',
    qty: '1',
    limit_price: '50',
    client_order_id: 'ta-one_two-3',
  });

  it('is held to what its documentation shows', () => {
    const held = heldTo(tradierSchemas);
    for (const [name, example] of Object.entries(tradierExamples)) held(name, example);
    expect(() => held('placed', { order: { id: '257459' } })).toThrow(/placed/);
  });

  it('is sent a form with the approved amounts, and the id as a tag', async () => {
    await connect().submit(order);
    expect(server.taken.map(({ form }) => form)).toEqual([
      {
        class: 'equity',
        symbol: 'GEAR',
        side: 'buy',
        quantity: '1',
        type: 'limit',
        duration: 'day',
        price: '50',
        tag: 'ta--one-utwo--3',
      },
    ]);
  });

  it('that took an order which can’t be read is asked no more: the order is unknown, and found by its tag', async () => {
    server.orderReadsFail = true;
    expect(await connect().submit(order)).toEqual({ outcome: 'unknown' });
    server.orderReadsFail = false;
    expect(server.taken).toHaveLength(1);
    expect(await connect().orderByClientOrderId(order.client_order_id)).toMatchObject({ id: '257459' });
  });

  it('whose systems reject an order after it was taken has refused it, in their words', async () => {
    server.rejects = true;
    expect(await connect().submit(order)).toEqual({
      outcome: 'refused',
      reason: 'other',
      message: 'BuyStopOrderStopPriceLessAsk',
      brokerCode: 'BuyStopOrderStopPriceLessAsk',
    });
  });

  it('has its quota honoured: nothing was taken, and its header says until when', async () => {
    server.quotaFor = 20_000;
    expect(await connect().submit(order)).toEqual({ outcome: 'not_taken', reason: 'rate_limited' });
    expect(server.taken).toEqual([]);
    const refusal = await connect()
      .account()
      .catch((error) => error);
    expect(refusal).toMatchObject({ code: 'broker_busy' });
    expect(refusal.options.retryAfter).toBeGreaterThan(10);
  });

  it('has all the pages of its list of orders read', async () => {
    server.pageSize = 2;
    const broker = connect();
    for (let n = 0; n < 5; n++) await broker.submit({ ...order, client_order_id: `ta-order-${n}` });
    const ids = (await broker.orders({ status: 'open', limit: 50, symbols: [] })).map((one) => one.client_order_id);
    expect(ids).toEqual(['ta-order-4', 'ta-order-3', 'ta-order-2', 'ta-order-1', 'ta-order-0']);
  });

  it('is read though an order has several legs, or words that nobody here knows', async () => {
    const at = '2026-11-25T15:00:00.000Z';
    const one = {
      ...{
        symbol: 'GEAR',
        quantity: 1,
        status: 'open',
        duration: 'day',
        avg_fill_price: 0,
        exec_quantity: 0,
      },
      ...{ last_fill_price: 0, last_fill_quantity: 0, remaining_quantity: 1 },
    };
    const dated = { create_date: at, transaction_date: at };
    server.elsewhere = [
      {
        ...{
          id: 9,
          type: 'credit',
          side: 'buy',
          price: 1.2,
          class: 'multileg',
          num_legs: 2,
          strategy: 'spread',
        },
        ...one,
        ...dated,
        leg: [
          { id: 10, type: 'credit', side: 'sell_to_open', option_symbol: 'GEAR261218C00110000', ...one },
          { id: 11, type: 'credit', side: 'buy_to_open', option_symbol: 'GEAR261218C00120000', ...one },
        ],
      },
    ];
    const [order] = await connect().orders({ status: 'open', limit: 50, symbols: [] });
    expect(order).toMatchObject({
      order_class: 'mleg',
      type: 'credit',
      limit_price: '1.20',
      legs: [
        {
          symbol: 'GEAR261218C00110000',
          side: 'sell',
          position_intent: 'sell_to_open',
          asset_class: 'us_option',
        },
        { symbol: 'GEAR261218C00120000', side: 'buy', position_intent: 'buy_to_open' },
      ],
    });
  });

  it('tells what an account was worth at the last close: what is held, at its price then', async () => {
    // Two positions of ten, each ten cents dearer than at the close: two dollars.
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: '51199.00' });
    await connect().submit(anOrderDraft({ ...order, type: 'market', limit_price: undefined }));
    // Bought today at what it stands at: the day has made no more of it.
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: '51199.00' });
  });

  const CALL = 'GEAR261218C00110000';
  const calls = { symbol: CALL, quantity: 10, cost_basis: 10_000, last: 5, prevclose: 10 };

  it('has its options valued by the contract: a hundred shares each', async () => {
    server.alsoHeld = [{ ...calls, quantity: 2, cost_basis: 500, last: 3, prevclose: 2.5 }];
    expect((await connect().positions()).find(({ symbol }) => symbol === CALL)).toMatchObject({
      qty: '2',
      avg_entry_price: '2.50',
      current_price: '3.00',
      market_value: '600.00',
      cost_basis: '500.00',
      unrealized_pl: '100.00',
      unrealized_plpc: '0.2',
      change_today: '0.2',
    });
  });

  it('has what the account was worth at the last close reckoned with its options', async () => {
    // Ten contracts, each $500 cheaper than at the close: $5,000 less the two dollars that the shares have gained.
    server.alsoHeld = [calls];
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: '56199.00' });
  });

  const at = new Date().toISOString();
  const traded = {
    ...{ id: 9, type: 'market', symbol: 'GEAR', side: 'buy_to_open', quantity: 10, status: 'filled' },
    ...{ duration: 'day', avg_fill_price: 10, exec_quantity: 10, last_fill_price: 10 },
    ...{ last_fill_quantity: 10, remaining_quantity: 0, create_date: at, transaction_date: at },
    ...{ class: 'option', option_symbol: CALL },
  };

  it('counts options that were bought today from what they cost, whatever they closed at', async () => {
    server.elsewhere = [traded];
    server.alsoHeld = [{ ...calls, prevclose: null }];
    expect(await connect().account()).toMatchObject({ last_equity: '56199.00' });
  });

  it('counts the legs of a spread that was bought today', async () => {
    const { option_symbol: _, ...spread } = traded;
    server.elsewhere = [{ ...spread, class: 'multileg', side: 'buy', num_legs: 1, leg: [traded] }];
    server.alsoHeld = [calls];
    expect(await connect().account()).toMatchObject({ last_equity: '56199.00' });
  });

  it('tells nothing of the last close where something is held whose price of then is not told', async () => {
    server.alsoHeld = [{ ...calls, prevclose: null }];
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: null });
  });

  it('tells what happened before today from its history, newest first, and money by its sign', async () => {
    const at = '2026-05-23T00:00:00Z';
    server.history = [
      {
        amount: -3000,
        date: at,
        type: 'journal',
        journal: { description: 'VA000001 TO VA000002', quantity: 0 },
      },
      { amount: 1000, date: at, type: 'ach', ach: { description: 'ACH DEPOSIT', quantity: 0 } },
      {
        amount: 49.95,
        date: at,
        type: 'trade',
        trade: {
          commission: 0,
          description: 'GEAR',
          price: 4.995,
          quantity: -10,
          symbol: 'GEAR',
          trade_type: 'Equity',
        },
      },
      { amount: -7, date: at, type: 'adjustment' },
      { amount: 1.5, date: at, type: 'dividend', dividend: { description: 'GEAR', quantity: 0 } },
      { amount: 1.5, date: at, type: 'dividend', dividend: { description: 'GEAR', quantity: 0 } },
    ];
    const { activities, next_page } = await connect().activities({ after: undefined, page: undefined });
    expect(next_page).toBeNull();
    expect(activities.map(({ kind, amount, side, qty, price }) => ({ kind, amount, side, qty, price }))).toEqual([
      { kind: 'withdrawal', amount: '-3000.00', side: null, qty: null, price: null },
      { kind: 'deposit', amount: '1000.00', side: null, qty: null, price: null },
      { kind: 'fill', amount: null, side: 'sell', qty: '10', price: '4.995' },
      { kind: 'unknown', amount: '-7.00', side: null, qty: null, price: null },
      { kind: 'dividend', amount: '1.50', side: null, qty: null, price: null },
      { kind: 'dividend', amount: '1.50', side: null, qty: null, price: null },
    ]);
    expect(new Set(activities.map(({ id }) => id)).size).toBe(6);
  });

  it('whose token opens several accounts is not guessed about', async () => {
    server.accounts = [
      { account_number: 'VA000001', status: 'active' },
      { account_number: 'VA000002', status: 'active' },
    ];
    await expect(connect({ accessToken: server.token }).account()).rejects.toMatchObject({
      code: 'account_not_connected',
      message: expect.stringContaining('several accounts'),
    });
    await expect(connect().account()).resolves.toMatchObject({ account: 'VA000001' });
  });

  it('has a closed account take no orders', async () => {
    server.accounts = [{ account_number: 'VA000001', status: 'closed' }];
    expect(await connect().account()).toMatchObject({ status: 'CLOSED', trading_blocked: true });
  });

  const verify = (given: { token: string; accountNumber: string }) =>
    verifyCredentials(settings(), given, { environment: 'paper', fetch });

  it('says which account a token opens, and no part of the token where it opens none', async () => {
    expect(await verify({ token: server.token, accountNumber: 'VA000001' })).toEqual({
      accountNumber: 'VA000001',
      environment: 'paper',
      status: 'ACTIVE',
      tradingBlocked: false,
    });
    const wrong = { token: 'another-token-0123', accountNumber: 'VA000001' };
    const error = await verify(wrong).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'broker_rejected', details: { reason: 'wrong_pair' } });
    expect(JSON.stringify([error.message, error.hint, error.stack])).not.toContain(wrong.token);
    await expect(verify({ token: server.token, accountNumber: 'VA000009' })).rejects.toMatchObject({
      code: 'broker_rejected',
      details: { reason: 'no_account' },
    });
    await expect(verify({ token: 'two words', accountNumber: 'VA000001' })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('the access token must be'),
    });
  });
});
