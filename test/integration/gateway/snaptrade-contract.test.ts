import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { snaptradeBrokerKind } from '../../../src/gateway/broker/snaptrade/snaptrade.ts';
import { verifyCredentials } from '../../../src/gateway/broker/verify-keys.ts';
import { brokerContract } from '../../contract/broker/broker-contract.ts';
import { onPaper } from '../../contract/broker/on-paper.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';
import { NOON, type SnaptradeStandIn, startSnaptrade } from './support/snaptrade-stand-in.ts';

const now = () => NOON;

brokerContract(snaptradeBrokerKind.traits, async () => {
  const server = await startSnaptrade();
  return {
    settings: { kind: 'snaptrade', credentials: 'snaptrade_user', url: server.url },
    credentials: server.credentials,
    symbol: 'GEAR',
    unknownSymbol: 'NOSUCH',
    now,
    close: () => server.close(),
  };
});

describe('SnapTrade', () => {
  let server: SnaptradeStandIn;
  beforeEach(async () => {
    server = await startSnaptrade();
  });
  afterEach(() => server.close());

  const settings = (credentials = 'snaptrade_user') =>
    snaptradeBrokerKind.settings.parse({ kind: 'snaptrade', credentials, url: server.url });
  const connect = (credentials: Parameters<ReturnType<typeof snaptradeBrokerKind.connect>>[0] = server.credentials) =>
    snaptradeBrokerKind.connect(settings(), onPaper({ now }))(credentials, () => undefined);
  const order = anOrderDraft({
    account: 'Q6542138443',
    symbol: 'GEAR',
    qty: '3',
    limit_price: '50.10',
    client_order_id: 'ta-00000001',
  });

  it('is sent the approved amounts as numbers whose text is the same', async () => {
    await connect().submit(order);
    expect(server.taken.map(({ form }) => form)).toEqual([
      {
        account_id: server.credentials.accountId,
        action: 'BUY',
        symbol: 'GEAR',
        universal_symbol_id: null,
        order_type: 'Limit',
        time_in_force: 'Day',
        units: 3,
        price: 50.1,
        client_order_id: 'ta-00000001',
      },
    ]);
  });

  it('is sent no amount that a number does not say exactly', async () => {
    const digits = { ...order, qty: '12345678901234567' };
    expect(await connect().submit(digits)).toMatchObject({ outcome: 'refused', reason: 'other' });
    expect(server.requests).toEqual([]);
  });

  it('whose answer to an order is its id alone has taken it, as it was sent', async () => {
    server.terse = true;
    expect(await connect().submit(order)).toMatchObject({
      outcome: 'accepted',
      order: {
        symbol: 'GEAR',
        qty: '3',
        limit_price: '50.10',
        status: 'accepted',
        client_order_id: 'ta-00000001',
      },
    });
  });

  it('whose brokerage rejects an order in a good answer has refused it', async () => {
    server.rejects = true;
    expect(await connect().submit(order)).toMatchObject({ outcome: 'refused', reason: 'other' });
  });

  it('is asked once where its rate limit is reached, though its SDK would ask thrice', async () => {
    server.quota = true;
    expect(await connect().submit(order)).toEqual({ outcome: 'not_taken', reason: 'rate_limited' });
    expect(server.requests).toEqual(['POST /trade/place']);
    const refusal = await connect()
      .account()
      .catch((error) => error);
    expect(refusal).toMatchObject({ code: 'broker_busy', options: { retryAfter: 23 } });
  });

  it('has no secret in what a failed read throws, nor in its cause', async () => {
    server.quota = true;
    const told: unknown[] = [];
    for (
      let at = await connect()
        .account()
        .catch((error) => error);
      at instanceof Error;
      at = at.cause
    ) {
      told.push(at.message, at.stack, JSON.stringify(at));
    }
    expect(told.length).toBeGreaterThan(3);
    for (const secret of [server.credentials.userSecret, server.credentials.consumerKey]) {
      expect(JSON.stringify(told)).not.toContain(secret);
    }
  });

  it.each<[string, Partial<SnaptradeStandIn['account']>, Partial<SnaptradeStandIn['connection']>]>([
    ['is closed', { status: 'closed' }, {}],
    ['is reached by a broken connection', {}, { disabled: true }],
    ['is reached by a connection that reads alone', {}, { type: 'read' }],
  ])('has an account that %s take no orders', async (_, account, connection) => {
    Object.assign(server.account, account);
    Object.assign(server.connection, connection);
    expect(await connect().account()).toMatchObject({ trading_blocked: true });
  });

  it('tells the last close by its daily values', async () => {
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: '51189.50' });
  });

  it.each<[string, SnaptradeStandIn['history']]>([
    ['has none yet', []],
    ['has them not enabled', { status: 403 }],
    ['can’t find them', { status: 404 }],
    ['fails at them', { status: 500 }],
  ])('is read without its daily values where it %s: the last close is unknown', async (_, history) => {
    server.history = history;
    expect(await connect().account()).toMatchObject({
      equity: '51201.00',
      last_equity: null,
      trading_blocked: false,
    });
  });

  it('says that it tells no history where that is not enabled', async () => {
    server.history = { status: 403 };
    await expect(connect().portfolioHistory({ period: '1M', timeframe: undefined })).rejects.toMatchObject({
      code: 'broker_lacks',
    });
  });

  it('has its quota honoured at the daily values too', async () => {
    server.history = { status: 429 };
    await expect(connect().account()).rejects.toMatchObject({ code: 'broker_busy' });
  });

  /** "price: per share"; "cost_basis: For options, this is per-contract." */
  const options = (multiplier: string, cost_basis: string) => ({
    instrument: {
      ...{ kind: 'option', id: server.credentials.accountId, raw_symbol: 'SPY' },
      ...{ symbol: 'SPY   261218C00700000', option_type: 'CALL', strike_price: '700' },
      ...{ expiration_date: '2026-12-18', multiplier, underlying: {} },
    },
    ...{ units: '2', price: '3', cost_basis, currency: 'USD' },
  });

  it.each([
    ['a hundred shares', '100', '250', '600.00', '500.00'],
    ['ten, of a mini', '10', '25', '60.00', '50.00'],
  ])('has its options valued by the contract: %s each', async (_, multiplier, cost, value, basis) => {
    server.alsoHeld = [options(multiplier, cost)];
    const held = (await connect().positions()).find(({ symbol }) => symbol === 'SPY261218C00700000');
    expect(held).toMatchObject({
      ...{ qty: '2', avg_entry_price: '2.50', current_price: '3.00', market_value: value, cost_basis: basis },
      unrealized_plpc: '0.2',
    });
    const shares = 10 * 100.1 + 10 * 20;
    expect((await connect().account()).long_market_value).toBe((shares + Number(value)).toFixed(2));
  });

  it('does not open a live account where paper is traded', async () => {
    server.account.is_paper = false;
    await expect(connect().account()).rejects.toMatchObject({ code: 'account_not_connected' });
  });

  it('tells what happened before today', async () => {
    const at = '2026-11-23T15:00:00.000Z';
    const about = { fee: 0, description: '', institution: 'Some Brokerage', settlement_date: at };
    const nothing = { ...about, price: 0, units: 0, amount: 0, trade_date: at };
    const [brk, gear] = [{ symbol: 'BRK-B' }, { symbol: 'GEAR' }];
    const before = '2026-11-20T00:00:00.000Z';
    server.activities = [
      { ...nothing, id: 'a1', type: 'SELL', symbol: brk, price: 4.995, units: -10, amount: 49.95 },
      { ...nothing, id: 'a2', type: 'CONTRIBUTION', symbol: null, amount: 1000 },
      { ...nothing, id: 'a3', type: 'SPLIT', symbol: gear, units: 10, trade_date: before },
    ];
    const { activities } = await connect().activities({ after: undefined, page: undefined });
    expect(activities).toEqual([
      expect.objectContaining({
        kind: 'fill',
        symbol: 'BRK.B',
        side: 'sell',
        qty: '10',
        price: '4.995',
        amount: null,
      }),
      expect.objectContaining({ kind: 'deposit', symbol: null, amount: '1000.00' }),
      expect.objectContaining({ kind: 'other', type: 'SPLIT', qty: '10', at: '2026-11-20T05:00:00.000Z' }),
    ]);
  });

  it('says which account the credentials open, by a personal key too', async () => {
    const verify = (credentials: 'snaptrade_user' | 'snaptrade_personal', url: string) => {
      const { userId, userSecret, ...personal } = server.credentials;
      const given = credentials === 'snaptrade_user' ? { ...personal, userId, userSecret } : personal;
      const parsed = snaptradeBrokerKind.settings.parse({ kind: 'snaptrade', credentials, url });
      return verifyCredentials(parsed, given, { environment: 'paper', fetch });
    };
    const found = {
      accountNumber: 'Q6542138443',
      environment: 'paper',
      status: 'OPEN',
      tradingBlocked: false,
    };
    expect(await verify('snaptrade_user', server.url)).toEqual(found);
    const personal = await startSnaptrade({ personal: true });
    expect(await verify('snaptrade_personal', personal.url)).toEqual(found);
    await personal.close();
    await expect(verify('snaptrade_personal', server.url)).rejects.toMatchObject({
      code: 'broker_rejected',
      details: { reason: 'wrong_pair' },
    });
  });
});
