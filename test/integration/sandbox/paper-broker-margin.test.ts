import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
let alpaca: Alpaca;
/** Bob, with about $10,000 in all. */
beforeEach(async () => {
  world = await startWorld();
  alpaca = await world.alpaca('bob');
  world.market.setPrice('F', '10.00');
});
afterEach(() => world.close());

type Patch = NonNullable<Parameters<Alpaca['trading']['accountConfigurations']['patchAccountConfig']>[0]>;
type Settings = NonNullable<Patch['accountConfigurations']>;
const configure = (accountConfigurations: Settings) =>
  alpaca.trading.accountConfigurations.patchAccountConfig({ accountConfigurations });
const onMargin = () => configure({ maxMarginMultiplier: '2', noShorting: false });
const place = (request: object) =>
  alpaca.trading.orders.postOrder({
    postOrderRequest: {
      symbol: 'F',
      side: 'sell',
      type: 'market',
      timeInForce: 'day',
      ...request,
    } as Parameters<typeof alpaca.trading.orders.postOrder>[0]['postOrderRequest'],
  });
/** Dollars as numbers. */
const account = async () => {
  const told = await alpaca.trading.account.getAccount();
  return {
    worth: Number(told.equity),
    money: Number(told.cash),
    power: Number(told.buyingPower),
    initial: Number(told.initialMargin),
    maintenance: Number(told.maintenanceMargin),
    short: Number(told.shortMarketValue),
    multiplier: told.multiplier,
    shortingEnabled: told.shortingEnabled,
  };
};

describe('an account', () => {
  it('is one of cash and long only, until its owner says otherwise', async () => {
    expect(await account()).toMatchObject({ multiplier: '1', shortingEnabled: false, initial: 0 });
    expect(await refusal(place({ qty: '1' }))).toMatchObject({
      status: 403,
      message: 'account is not allowed to short',
    });
    expect(await onMargin()).toMatchObject({ maxMarginMultiplier: '2', noShorting: false });
    const { multiplier, shortingEnabled, worth, initial, power } = await account();
    expect({ multiplier, shortingEnabled }).toEqual({ multiplier: '2', shortingEnabled: true });
    // Regulation T: half of what is held is to be there, the rest counts twice.
    expect(power).toBeCloseTo((worth - initial) * 2, 2);
    await configure({ noShorting: true });
    expect(await refusal(place({ qty: '1' }))).toMatchObject({ status: 403 });
    await configure({ suspendTrade: true });
    expect(await refusal(place({ qty: '1', side: 'buy' }))).toMatchObject({
      message: 'new orders are rejected by user request',
    });
  });

  it('takes no settings that there are none of', async () => {
    expect(await refusal(configure({ maxMarginMultiplier: '9' }))).toMatchObject({
      status: 422,
      code: 40010001,
    });
  });

  it('worth less than $2,000 has no margin', async () => {
    await onMargin();
    for (const { symbol } of await alpaca.trading.positions.getAllOpenPositions()) {
      world.market.setPrice(symbol ?? '', '1.00');
    }
    const { money } = await account();
    const { power } = await account();
    await place({ side: 'buy', notional: Math.floor(power - 10).toFixed(2) });
    world.market.setPrice('F', '0.50');
    const { multiplier, shortingEnabled, worth } = await account();
    expect(worth).toBeLessThan(2000);
    expect(money).toBeGreaterThan(0);
    expect({ multiplier, shortingEnabled }).toEqual({ multiplier: '1', shortingEnabled: false });
  });
});

describe('on margin', () => {
  beforeEach(onMargin);

  it('more is bought than there is cash, and no more than its buying power', async () => {
    const { power, money } = await account();
    expect(power).toBeGreaterThan(money);
    expect(await refusal(place({ side: 'buy', notional: (power + 1).toFixed(2) }))).toMatchObject({
      status: 403,
      message: 'insufficient buying power',
    });
    await place({ side: 'buy', notional: (money + 500).toFixed(2) });
    const after = await account();
    expect(after.money).toBeLessThan(0);
    expect(after.power).toBeCloseTo((after.worth - after.initial) * 2, 1);
  });

  it('a share is sold short and bought back, at a margin of its own', async () => {
    const before = await account();
    const sold = await place({ qty: '100' });
    expect(sold).toMatchObject({ status: 'filled', positionIntent: 'sell_to_open', filledAvgPrice: '10' });
    const during = await account();
    expect(during.money).toBeCloseTo(before.money + 1000, 2);
    expect(during.short).toBe(-1000);
    expect(during.initial - before.initial).toBeCloseTo(500, 2);
    // From $5 up at least $5 a share.
    expect(during.maintenance - before.maintenance).toBeCloseTo(500, 2);
    const position = await alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'F' });
    expect(position).toMatchObject({
      side: 'short',
      qty: '-100',
      marketValue: '-1000.00',
      avgEntryPrice: '10',
    });
    world.market.setPrice('F', '9.00');
    expect(await place({ side: 'buy', qty: '40' })).toMatchObject({ positionIntent: 'buy_to_close' });
    expect(await refusal(place({ side: 'buy', qty: '61' }))).toMatchObject({ status: 403 });
    expect(await alpaca.trading.positions.deleteOpenPosition({ symbolOrAssetId: 'F' })).toMatchObject({
      side: 'buy',
      qty: '60',
      positionIntent: 'buy_to_close',
    });
    expect((await account()).money).toBeCloseTo(before.money + 1000 - 100 * 9.01, 1);
  });

  it('a bracket opens a short and buys it back', async () => {
    const bracket = {
      qty: '100',
      orderClass: 'bracket',
      takeProfit: { limitPrice: '9' },
      stopLoss: { stopPrice: '11' },
    };
    expect((await place(bracket)).legs?.map(({ side }) => side)).toEqual(['buy', 'buy']);
    world.market.setPrice('F', '11.50');
    world.broker.settle();
    expect(world.broker.book().map(({ status }) => status)).toEqual(['filled', 'canceled', 'filled']);
    expect(await refusal(alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'F' }))).toMatchObject({
      status: 404,
    });
  });

  it('a short that ruins the account leaves less than nothing, and can still be bought back', async () => {
    await place({ qty: '800' });
    world.market.setPrice('F', '45.00');
    const ruined = await account();
    expect(ruined.worth).toBeLessThan(0);
    expect(ruined).toMatchObject({ power: 0, multiplier: '1', shortingEnabled: false });
    expect(await refusal(place({ side: 'buy', symbol: 'KO', qty: '1' }))).toMatchObject({ status: 403 });
    await alpaca.trading.positions.deleteOpenPosition({ symbolOrAssetId: 'F' });
    expect((await account()).money).toBeLessThan(0);
  });

  it.each([
    ['a part of a share', { qty: '0.5' }, 422, /fractional orders cannot be sold short/],
    ['for an amount', { notional: '100' }, 422, /fractional orders cannot be sold short/],
    ['what nobody lends', { symbol: 'BRK.A', qty: '1' }, 422, /asset "BRK.A" cannot be sold short/],
    ['more than its buying power', { qty: '2000' }, 403, /insufficient buying power/],
  ])('it does not sell short %s', async (_what, request, status, message) => {
    expect(await refusal(place(request))).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});
