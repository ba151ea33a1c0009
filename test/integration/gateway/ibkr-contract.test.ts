import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createIbkrClient, startSessionKeepAlive } from '../../../src/gateway/broker/ibkr/client.ts';
import { ibkrBrokerKind } from '../../../src/gateway/broker/ibkr/ibkr.ts';
import { verifyCredentials } from '../../../src/gateway/broker/verify-keys.ts';
import { brokerContract } from '../../contract/broker/broker-contract.ts';
import { heldTo } from '../../contract/broker/held-to.ts';
import { onPaper } from '../../contract/broker/on-paper.ts';
import { ibkrRecorded } from '../../contract/ibkr/recorded.ts';
import { ibkrSchemas } from '../../contract/ibkr/schemas.ts';
import { anOrderDraft, type OrderChanges } from '../../fixtures/builders.ts';
import { type IbkrStandIn, NOON, startIbkr } from './support/ibkr-stand-in.ts';

const now = () => NOON;

brokerContract(ibkrBrokerKind.traits, async () => {
  const server = await startIbkr();
  return {
    settings: { kind: 'ibkr', credentials: 'gateway_session', url: server.url, orders_every: 0 },
    credentials: { account: server.account },
    symbol: 'GEAR',
    unknownSymbol: 'NOSUCH',
    now,
    close: () => server.close(),
  };
});

describe('Interactive Brokers', () => {
  let server: IbkrStandIn;
  let waited: number[];
  beforeEach(async () => {
    server = await startIbkr();
    waited = [];
  });
  afterEach(() => server.close());

  const settings = (orders_every = 0) =>
    ibkrBrokerKind.settings.parse({ kind: 'ibkr', credentials: 'gateway_session', url: server.url, orders_every });
  const connect = (orders_every = 0, account = server.account) =>
    ibkrBrokerKind.connect(settings(orders_every), onPaper({ now, sleep: async (ms) => void waited.push(ms) }))(
      { account },
      () => undefined,
    );
  const order = anOrderDraft({
    account: 'DU1234567',
    symbol: 'GEAR',
    qty: '3',
    type: 'stop_limit',
    stop_price: '110.20',
    limit_price: '111.30',
    time_in_force: 'gtc',
    client_order_id: 'ta-00000001',
  });

  it.each(ibkrRecorded)('is held to what a real gateway answered: %s', (name, recorded) => {
    expect(heldTo(ibkrSchemas)(name, recorded)).toBe(recorded);
  });

  it('is sent one order, with the approved amounts, its contract and its id', async () => {
    expect(await connect().submit(order)).toMatchObject({
      outcome: 'accepted',
      order: { client_order_id: 'ta-00000001', stop_price: '110.20', limit_price: '111.30', status: 'new' },
    });
    expect(server.taken.map(({ ticket }) => ticket)).toEqual([
      {
        acctId: 'DU1234567',
        conid: 265598,
        cOID: 'ta-00000001',
        orderType: 'STOP_LIMIT',
        listingExchange: 'SMART',
        outsideRTH: false,
        side: 'BUY',
        tif: 'GTC',
        quantity: 3,
        price: 111.3,
        auxPrice: 110.2,
      },
    ]);
  });

  it('whose questions the approval answers is answered, one after the other', async () => {
    server.asks = [['o163'], ['o451', 'o10331']];
    expect(await connect().submit(order)).toMatchObject({ outcome: 'accepted' });
    expect(server.answers).toEqual([true, true]);
    expect(server.taken).toHaveLength(1);
  });

  const market = { type: 'market', stop_price: undefined, limit_price: undefined } as const;
  it.each<[string, string[][], OrderChanges]>([
    ['of a kind that nobody here knows', [['o99999']], {}],
    ['of two kinds, of which one is unknown', [['o163', 'o99999']], {}],
    ['of no kind', [[]], {}],
    ['about the risks of a market order', [['o10151']], market],
    ['about the price, of an order without a limit', [['o163']], market],
    ['after one that was answered', [['o163'], ['p6']], {}],
    ['for the sixth time', [['o163'], ['o163'], ['o163'], ['o163'], ['o163'], ['o163']], {}],
  ])('that asks a question %s gets a no: nothing is sent or left open', async (_, asks, changes) => {
    server.asks = asks;
    const draft = anOrderDraft({ ...order, ...changes });
    expect(await connect().submit(draft)).toMatchObject({
      outcome: 'refused',
      reason: 'other',
      message: expect.stringContaining('The following order exceeds something . Are you sure'),
    });
    expect(server.taken).toEqual([]);
    expect(server.answers.at(-1)).toBe(false);
    expect(server.open.size).toBe(0);
  });

  it('whose answer to a yes is lost may have taken the order: it is found by its id', async () => {
    server.asks = [['o163']];
    server.loseReplies = true;
    expect(await connect().submit(order)).toEqual({ outcome: 'unknown' });
    expect(server.taken).toHaveLength(1);
    expect(await connect().orderByClientOrderId('ta-00000001')).toMatchObject({ qty: '3' });
  });

  it('whose list can’t be read after an order was taken leaves it unknown, and it is asked for once', async () => {
    const broker = connect();
    server.primed = true;
    server.listFails = true;
    expect(await broker.submit(order)).toEqual({ outcome: 'unknown' });
    expect(server.requests.filter((one) => one === 'POST /iserver/account/DU1234567/orders')).toHaveLength(1);
  });

  it('takes an id once within its day, and says so', async () => {
    const broker = connect();
    await broker.submit(order);
    expect(await broker.submit(order)).toMatchObject({ outcome: 'refused', reason: 'duplicate' });
    expect(server.taken).toHaveLength(1);
  });

  it('is not asked for its list more often than it allows: whoever asks waits, and is told together', async () => {
    const broker = connect(5);
    server.primed = true;
    const query = { status: 'all', limit: 50, symbols: [] } as const;
    await Promise.all([broker.orders(query), broker.orders(query), broker.orderByClientOrderId('ta-00000001')]);
    expect(waited).toEqual([]);
    await broker.orders(query);
    expect(waited).toEqual([expect.closeTo(5000, -3)]);
    expect(server.requests.filter((one) => one === 'GET /iserver/account/orders')).toHaveLength(2);
  });

  it('whose first list of a session is empty is asked once more', async () => {
    await connect().submit(order);
    server.primed = false;
    expect(await connect().orders({ status: 'open', limit: 50, symbols: [] })).toHaveLength(1);
  });

  it('of a symbol of two contracts is sent neither', async () => {
    server.ambiguous = ['GEAR'];
    expect(await connect().asset('GEAR')).toBeUndefined();
    expect(await connect().submit(order)).toMatchObject({ outcome: 'refused', reason: 'other' });
    expect(server.taken).toEqual([]);
  });

  it('is sent nothing where the contract can’t be asked for, and the order may be sent later', async () => {
    server.signedIn = false;
    expect(await connect().submit(order)).toEqual({ outcome: 'not_taken', reason: 'unauthorized' });
  });

  it.each<[string, Partial<Pick<IbkrStandIn, 'isPaper' | 'currency'>>, string?]>([
    ['live where paper is traded', { isPaper: false }],
    ['kept in another currency', { currency: 'EUR' }],
    ['not of the session', {}, 'DU7654321'],
  ])('does not open an account that is %s', async (_, changes, account) => {
    Object.assign(server, changes);
    await expect(connect(0, account).account()).rejects.toMatchObject({ code: 'account_not_connected' });
  });

  it('tells the last close by its prices, and an account that is closed takes no orders', async () => {
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: '51199.00' });
    server.clearingStatus = 'C';
    expect(await connect().account()).toMatchObject({ trading_blocked: true });
  });

  const call = {
    conid: 900_001,
    contractDesc: 'GEAR   DEC2026 110 C [GEAR  261218C00110000 100]',
    assetClass: 'OPT',
    ...{ position: 10, mktPrice: 5, units: 100, close: 10 },
  };
  const traded = {
    ...{ acct: 'DU1234567', account: 'DU1234567', conid: call.conid, conidex: `${call.conid}`, orderId: 7 },
    ...{ orderDesc: 'Bought 10', ticker: 'GEAR', secType: 'OPT', listingExchange: 'SMART' },
    ...{ remainingQuantity: 0, filledQuantity: 10, totalSize: 10, companyName: 'WORKS INC' },
    ...{ status: 'Filled', order_ccp_status: 'Filled', orderType: 'Limit', price: '10.00', avgPrice: '10' },
    ...{ outsideRTH: false, timeInForce: 'CLOSE', lastExecutionTime_r: NOON, side: 'BUY' },
  };

  it('has what the account was worth at the last close reckoned with its options', async () => {
    // Ten contracts, each $500 cheaper than at the close: $5,000 less the two dollars that the shares have gained.
    server.alsoHeld = [call];
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: '56199.00' });
  });

  it('counts options that were bought today from what they cost, not as shares of what they are on', async () => {
    server.alsoHeld = [{ ...call, close: null }];
    server.elsewhere = [traded];
    expect(await connect().account()).toMatchObject({ last_equity: '56199.00' });
  });

  it('counts what was sold today altogether from what it closed at', async () => {
    const sold = { ...traded, secType: 'STK', conid: 900_002, ticker: 'GONE', side: 'SELL', avgPrice: '40' };
    server.alsoHeld = [{ ...call, conid: 900_002, contractDesc: 'GONE', position: 0, close: 45 }];
    server.elsewhere = [sold];
    expect(await connect().account()).toMatchObject({ last_equity: '51249.00' });
  });

  it.each<[string, Partial<typeof call>, IbkrStandIn['elsewhere']]>([
    ['something is held whose price of then is not told', { close: null as never }, []],
    ['something is held of which nobody here knows what a price is of', { assetClass: 'FUT' }, []],
    ['something is held in another currency', { currency: 'EUR' } as never, []],
    ['a combination was traded', {}, [{ ...traded, secType: 'BAG' }]],
    ['something was traded at a price that is not told', {}, [{ ...traded, avgPrice: '' }]],
  ])('tells nothing of the last close where %s', async (_, changes, elsewhere) => {
    server.alsoHeld = [{ ...call, ...changes }];
    server.elsewhere = elsewhere;
    expect(await connect().account()).toMatchObject({ equity: '51201.00', last_equity: null });
  });

  it('is kept from ending its session', async () => {
    const { stop } = startSessionKeepAlive(createIbkrClient({ url: server.url, fetch, timeoutMs: 1000 }), 5);
    await vi.waitFor(() => expect(server.requests).toContain('POST /tickle'));
    stop();
  });

  it('says which account its session opens, or where to sign in', async () => {
    const verify = (account: string) => verifyCredentials(settings(), { account }, { environment: 'paper', fetch });
    expect(await verify('DU1234567')).toEqual({
      accountNumber: 'DU1234567',
      environment: 'paper',
      status: 'OPEN',
      tradingBlocked: false,
    });
    await expect(verify('DU7654321')).rejects.toMatchObject({ details: { reason: 'no_account' } });
    server.signedIn = false;
    await expect(verify('DU1234567')).rejects.toMatchObject({
      details: { reason: 'wrong_pair' },
      hint: expect.stringContaining(server.url),
    });
  });
});
