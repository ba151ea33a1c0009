import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { behindPrism, type Connect, missing, stopPrisms, within } from './alpaca-contract.ts';
import { ADMIN_SECRET, startWorld, type World } from './paper-broker-world.ts';

type Order = Parameters<Alpaca['trading']['orders']['postOrder']>[0]['postOrderRequest'];

describe.skipIf(missing !== undefined)("the paper broker keeps to Alpaca's contract beyond plain stock orders", () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-specs-'));
  let world: World;
  let connect: Connect;
  let alpaca: Alpaca;
  beforeAll(async () => {
    world = await startWorld();
    connect = await behindPrism(world, folder);
    alpaca = await connect();
    world.market.setPrice('F', '10.00');
    world.market.setPrice('GM', '50.00');
  });
  afterAll(async () => {
    await stopPrisms();
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const place = (request: object) =>
    within(alpaca.trading.orders.postOrder({ postOrderRequest: { qty: '1', ...request } as Order }));

  it('for orders that hang together, from placing to their end', async () => {
    const { orders } = alpaca.trading;
    const terms = { symbol: 'GM', qty: '3', timeInForce: 'gtc' };
    const exits = { takeProfit: { limitPrice: '55' }, stopLoss: { stopPrice: '45', limitPrice: '44' } };
    const entry = { ...terms, side: 'buy', type: 'limit', limitPrice: '49' };
    const bracket = await place({ ...entry, orderClass: 'bracket', ...exits });
    expect(bracket.legs?.map(({ status }) => status)).toEqual(['held', 'held']);
    await place({ ...entry, orderClass: 'oto', stopLoss: { stopPrice: '45' } });
    world.market.setPrice('GM', '48.00');
    for (const nested of [true, false]) await within(orders.getAllOrders({ status: 'all', nested }));
    const [profit, stop] = bracket.legs ?? [];
    const replaced = await within(
      orders.patchOrderByOrderId({
        orderId: stop?.id ?? '',
        patchOrderRequest: { stopPrice: '46', limitPrice: '45' },
      }),
    );
    expect(replaced).toMatchObject({ orderClass: 'bracket', status: 'held', replaces: stop?.id });
    await within(orders.getOrderByOrderID({ orderId: bracket.id ?? '', nested: true }));
    await within(orders.deleteOrderByOrderID({ orderId: profit?.id ?? '' }));
    const oco = { ...terms, side: 'sell', type: 'limit', orderClass: 'oco', ...exits };
    expect((await place(oco)).legs).toHaveLength(1);
    const refused = { cause: { status: 422, code: 42210000 } };
    await expect(place({ ...oco, side: 'buy' })).rejects.toMatchObject(refused);
    await expect(place({ ...entry, ...exits, orderClass: 'bracket', qty: '1.5' })).rejects.toMatchObject(refused);
    await within(orders.deleteAllOrders());
  });

  it('for a multi-leg order, which names its legs alone', async () => {
    const { orders } = alpaca.trading;
    const admin = (body: object) =>
      fetch(`${world.url}/admin/multi-leg-orders`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const legs = [
      { symbol: 'F261127C00010000', ratio_qty: '1', position_intent: 'buy_to_open' },
      { symbol: 'F261127C00011000', ratio_qty: '1', position_intent: 'sell_to_open' },
    ];
    const spread = { user: 'alice', qty: '2', limit_price: '0.40', legs };
    expect((await admin({ ...spread, legs: legs.slice(1) })).status).toBe(400);
    expect((await admin({ ...spread, user: 'nobody' })).status).toBe(400);
    expect((await admin(spread)).status).toBe(201);
    const [order, ...others] = await within(orders.getAllOrders({ status: 'open', nested: true }));
    expect(others).toEqual([]);
    expect(order).toMatchObject({ orderClass: 'mleg', status: 'new', limitPrice: '0.40' });
    expect([order?.symbol, order?.qty ?? undefined, order?.side]).toEqual([undefined, undefined, undefined]);
    expect(order?.legs).toMatchObject([
      { symbol: 'F261127C00010000', side: 'buy', qty: '2' },
      { symbol: 'F261127C00011000', side: 'sell', qty: '2', positionIntent: 'sell_to_open' },
    ]);
    expect(await within(orders.getAllOrders({ status: 'open', assetClass: ['us_option'] }))).toHaveLength(3);
    expect(world.broker.book().filter((leg) => 'ratio_qty' in leg && leg.ratio_qty === '1')).toHaveLength(2);
    const id = order?.id ?? '';
    const refused = { cause: { status: 403, code: 40310000 } };
    await expect(
      within(orders.patchOrderByOrderId({ orderId: id, patchOrderRequest: { limitPrice: '0.41' } })),
    ).rejects.toMatchObject(refused);
    await expect(
      place({
        type: 'limit',
        limitPrice: '0.4',
        timeInForce: 'day',
        orderClass: 'mleg',
        legs: [
          { symbol: legs[0]?.symbol, ratioQty: '1', positionIntent: 'buy_to_open' },
          { symbol: legs[1]?.symbol, ratioQty: '1', positionIntent: 'sell_to_open' },
        ],
      }),
    ).rejects.toMatchObject(refused);
    await within(orders.deleteOrderByOrderID({ orderId: id }));
    const after = await within(orders.getOrderByOrderID({ orderId: id, nested: true }));
    expect([after.status, ...(after.legs ?? []).map(({ status }) => status)]).toEqual([
      'canceled',
      'canceled',
      'canceled',
    ]);
  });

  it('for closing positions', async () => {
    const { positions } = alpaca.trading;
    await place({ symbol: 'KO', side: 'buy', type: 'market', timeInForce: 'day' });
    await within(positions.deleteOpenPosition({ symbolOrAssetId: 'KO', qty: 2 }));
    await within(positions.deleteOpenPosition({ symbolOrAssetId: 'KO', percentage: 50 }));
    const bob = (await connect('bob')).trading.positions;
    const closed = await within(bob.deleteAllOpenPositions({ cancelOrders: true }));
    expect(closed.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('for coins: assets, orders, positions, fees and market data', async () => {
    const { assets, positions, accountActivities } = alpaca.trading;
    await within(assets.getV2Assets({ assetClass: 'crypto' }));
    await within(assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'BTCUSD' }));
    const order = { symbol: 'ETH/USD', side: 'buy', timeInForce: 'gtc' };
    expect(await place({ ...order, type: 'market', qty: '0.25' })).toMatchObject({ status: 'filled' });
    expect(await place({ ...order, type: 'limit', limitPrice: '100' })).toMatchObject({ status: 'new' });
    await within(positions.getOpenPosition({ symbolOrAssetId: 'ETHUSD' }));
    expect(await within(accountActivities.getAccountActivities({ activityTypes: ['CFEE'] }))).toHaveLength(1);
    const { crypto } = alpaca.marketData;
    const request = { loc: 'us', symbols: 'BTC/USD,ETH/USD' } as const;
    await within(crypto.cryptoLatestQuotes(request));
    await within(crypto.cryptoLatestTrades(request));
    await within(crypto.cryptoLatestBars(request));
    await within(crypto.cryptoSnapshots(request));
    const page = await within(crypto.cryptoBars({ ...request, timeframe: '1Min', limit: 5 }));
    expect(page.nextPageToken).toBeTruthy();
    await within(alpaca.trading.orders.deleteAllOrders());
  });

  it('for settings, margin and shorts', async () => {
    const { trading } = await connect('bob');
    await within(trading.accountConfigurations.getAccountConfig());
    const accountConfigurations = { maxMarginMultiplier: '2', noShorting: false };
    await within(trading.accountConfigurations.patchAccountConfig({ accountConfigurations }));
    await within(trading.orders.market({ symbol: 'GM', side: 'sell', qty: '1' }));
    expect(await within(trading.positions.getOpenPosition({ symbolOrAssetId: 'GM' }))).toMatchObject({
      side: 'short',
    });
    expect(await within(trading.account.getAccount())).toMatchObject({ multiplier: '2' });
  });

  it('for options: contracts, orders, positions, market data and expiry', async () => {
    const { assets, orders, positions } = alpaca.trading;
    const wanted = { underlyingSymbols: 'F', strikePriceGte: 9, limit: 20, showDeliverables: true };
    const { optionContracts } = await within(assets.getOptionsContracts(wanted));
    expect(optionContracts).toHaveLength(20);
    const symbol = optionContracts[0]?.symbol ?? '';
    await within(assets.getOptionContractSymbolOrId({ symbolOrId: symbol }));
    const order = { symbol, side: 'buy', timeInForce: 'day' };
    expect(await place({ ...order, type: 'market' })).toMatchObject({ status: 'filled' });
    expect(await place({ ...order, type: 'limit', limitPrice: '0.01' })).toMatchObject({ status: 'new' });
    await within(positions.getOpenPosition({ symbolOrAssetId: symbol }));
    expect(await within(orders.getAllOrders({ symbols: 'F', assetClass: ['us_option'] }))).toHaveLength(1);
    await within(orders.deleteAllOrders());
    const { options } = alpaca.marketData;
    await within(options.optionLatestQuotes({ symbols: symbol }));
    await within(options.optionLatestTrades({ symbols: symbol }));
    await within(options.optionSnapshots({ symbols: symbol }));
    await within(options.optionChain({ underlyingSymbol: 'F', limit: 30 }));
    await within(options.optionBars({ symbols: symbol, timeframe: '1Hour', start: new Date('2026-11-23') }));
    await world.clock.advance(5 * 24 * 3_600_000);
    world.broker.settle();
    alpaca = await connect();
    const booked = alpaca.trading.accountActivities.getAccountActivities({
      activityTypes: ['OPEXC', 'OPTRD', 'OPEXP'],
    });
    expect((await within(booked)).length).toBeGreaterThan(0);
  });
});
