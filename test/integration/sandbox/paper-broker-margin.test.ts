import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  closeOut,
  eachWithBroker,
  placing,
  position,
  refused,
  statuses,
  account as told,
  trading,
  world,
} from './paper-broker-desk.ts';

eachWithBroker({}, 'bob');
beforeEach(() => world.market.setPrice('F', '10.00'));

type Patch = NonNullable<Parameters<Alpaca['trading']['accountConfigurations']['patchAccountConfig']>[0]>;
type Settings = NonNullable<Patch['accountConfigurations']>;
const configure = (accountConfigurations: Settings) =>
  trading.accountConfigurations.patchAccountConfig({ accountConfigurations });
const onMargin = () => configure({ maxMarginMultiplier: '2', noShorting: false });
const place = placing({ symbol: 'F', side: 'sell', type: 'market', timeInForce: 'day' });
const account = async () => {
  const has = await told();
  return {
    worth: Number(has.equity),
    money: Number(has.cash),
    power: Number(has.buyingPower),
    initial: Number(has.initialMargin),
    maintenance: Number(has.maintenanceMargin),
    short: Number(has.shortMarketValue),
    multiplier: has.multiplier,
    shortingEnabled: has.shortingEnabled,
  };
};

describe('an account', () => {
  it('is one of cash and long only, until its owner says otherwise', async () => {
    expect(await account()).toMatchObject({ multiplier: '1', shortingEnabled: false, initial: 0 });
    await refused(place({ qty: '1' }), 403, 'account is not allowed to short');
    expect(await onMargin()).toMatchObject({ maxMarginMultiplier: '2', noShorting: false });
    const { multiplier, shortingEnabled, worth, initial, power } = await account();
    expect({ multiplier, shortingEnabled }).toEqual({ multiplier: '2', shortingEnabled: true });
    // Regulation T: half of what is held is to be there, the rest counts twice.
    expect(power).toBeCloseTo((worth - initial) * 2, 2);
    await configure({ noShorting: true });
    await refused(place({ qty: '1' }), 403);
    await configure({ suspendTrade: true });
    await refused(place({ qty: '1', side: 'buy' }), 'new orders are rejected by user request');
  });

  it('takes no settings that there are none of', async () => {
    await refused(configure({ maxMarginMultiplier: '9' }), 422, 40010001);
  });

  it('worth less than $2,000 has no margin', async () => {
    await onMargin();
    for (const { symbol } of await trading.positions.getAllOpenPositions()) {
      world.market.setPrice(symbol ?? '', '1.00');
    }
    const { money, power } = await account();
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
    await refused(place({ side: 'buy', notional: (power + 1).toFixed(2) }), 403, 'insufficient buying power');
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
    const terms = { side: 'short', qty: '-100', marketValue: '-1000.00', avgEntryPrice: '10' };
    expect(await position('F')).toMatchObject(terms);
    world.market.setPrice('F', '9.00');
    expect(await place({ side: 'buy', qty: '40' })).toMatchObject({ positionIntent: 'buy_to_close' });
    await refused(place({ side: 'buy', qty: '61' }), 403);
    const bought = await closeOut('F');
    expect(bought).toMatchObject({ side: 'buy', qty: '60', positionIntent: 'buy_to_close' });
    expect((await account()).money).toBeCloseTo(before.money + 1000 - 100 * 9.01, 1);
  });

  it('a bracket opens a short and buys it back', async () => {
    const exits = { takeProfit: { limitPrice: '9' }, stopLoss: { stopPrice: '11' } };
    const bracket = { qty: '100', orderClass: 'bracket', ...exits };
    expect((await place(bracket)).legs?.map(({ side }) => side)).toEqual(['buy', 'buy']);
    world.market.setPrice('F', '11.50');
    world.broker.settle();
    expect(statuses()).toEqual(['filled', 'canceled', 'filled']);
    await refused(position('F'), 404);
  });

  it('a short that ruins the account leaves less than nothing, and can still be bought back', async () => {
    await place({ qty: '800' });
    world.market.setPrice('F', '45.00');
    const ruined = await account();
    expect(ruined.worth).toBeLessThan(0);
    expect(ruined).toMatchObject({ power: 0, multiplier: '1', shortingEnabled: false });
    await refused(place({ side: 'buy', symbol: 'KO', qty: '1' }), 403);
    await closeOut('F');
    expect((await account()).money).toBeLessThan(0);
  });

  it.each([
    ['a part of a share', { qty: '0.5' }, 422, /fractional orders cannot be sold short/],
    ['for an amount', { notional: '100' }, 422, /fractional orders cannot be sold short/],
    ['what nobody lends', { symbol: 'BRK.A', qty: '1' }, 422, /asset "BRK.A" cannot be sold short/],
    ['more than its buying power', { qty: '2000' }, 403, /insufficient buying power/],
  ])('it does not sell short %s', async (_what, request, status, message) => {
    await refused(place(request), status, message);
  });
});
