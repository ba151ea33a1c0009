import { beforeEach, describe, expect, it } from 'vitest';
import {
  account,
  alpaca,
  cash,
  closeOut,
  eachWithBroker,
  held,
  logIn,
  placing,
  position,
  refused,
  statuses,
  trading,
  world,
} from './paper-broker-desk.ts';

/** Tuesday noon; the contracts are of Friday, which closes at 13:00 after Thanksgiving. */
eachWithBroker({ hours: 'exchange' });
beforeEach(() => world.market.setPrice('F', '10.00'));

const CALL = 'F261127C00009500';
const PUT = 'F261127P00010500';
const FRIDAY_CLOSE = Date.parse('2026-11-27T18:00:00Z');

const place = placing({ side: 'buy', type: 'market', timeInForce: 'day', qty: '1' });
const toExpiry = async () => {
  await world.clock.advance(FRIDAY_CLOSE - world.clock.now());
  await logIn(); // the token has run out
  world.broker.settle();
};
const booked = async () =>
  (await trading.accountActivities.getAccountActivities({ direction: 'asc' }))
    .filter((row) => String(row.activityType).startsWith('OP'))
    .map((row) => {
      const { activityType, symbol, qty, netAmount } = row as Record<string, unknown>;
      return `${activityType} ${symbol} ${qty} ${netAmount}`;
    });
const shares = () => place({ symbol: 'F', qty: '100' });

describe('options', () => {
  it('are listed by underlying, expiry, right and strike, a page at a time', async () => {
    const { assets } = alpaca.trading;
    const request = { underlyingSymbols: 'F', type: 'call', strikePriceGte: 9, strikePriceLte: 11 } as const;
    const whole = await assets.getOptionsContracts(request);
    const told = ({ optionContracts }: typeof whole) =>
      optionContracts.map(
        ({ expirationDate, strikePrice }) => `${expirationDate.toISOString().slice(5, 10)} ${strikePrice}`,
      );
    // By default those before the weekend.
    expect(told(whole)).toEqual(['9', '9.5', '10', '10.5', '11'].map((strike) => `11-27 ${strike}`));
    const first = await assets.getOptionsContracts({ ...request, limit: 3 });
    const pageToken = first.nextPageToken ?? '';
    const rest = await assets.getOptionsContracts({ ...request, limit: 3, pageToken });
    expect([...first.optionContracts, ...rest.optionContracts]).toEqual(whole.optionContracts);
    expect(rest.nextPageToken ?? null).toBeNull();
    expect(await assets.getOptionContractSymbolOrId({ symbolOrId: CALL })).toMatchObject({
      underlyingSymbol: 'F',
      strikePrice: '9.5',
      type: 'call',
      size: '100',
      tradable: true,
    });
  });

  it('have quotes, snapshots with greeks, a chain and bars, which follow their underlying', async () => {
    const { options } = alpaca.marketData;
    const bid = async () => (await options.optionLatestQuotes({ symbols: CALL })).quotes[CALL]?.bp ?? 0;
    const before = await bid();
    expect(before).toBeGreaterThanOrEqual(0.49);
    world.market.setPrice('F', '11.00');
    expect(await bid()).toBeGreaterThan(before + 0.9);
    const { snapshots } = await options.optionSnapshots({ symbols: `${CALL},${PUT}` });
    expect(snapshots[CALL]?.greeks?.delta).toBeGreaterThan(0.9);
    expect(snapshots[PUT]?.greeks?.delta).toBeLessThan(0);
    const chain = await options.optionChain({ underlyingSymbol: 'F', type: 'put', limit: 5 });
    expect(Object.keys(chain.snapshots)).toHaveLength(5);
    const bars = await options.optionBars({ symbols: CALL, timeframe: '1Hour' });
    expect(bars.bars[CALL]?.length).toBeGreaterThan(0);
  });

  it('cost a hundred times their premium, and are worth so much', async () => {
    const before = await cash();
    const order = await place({ symbol: CALL, qty: '2', positionIntent: 'buy_to_open' });
    expect(order).toMatchObject({ status: 'filled', assetClass: 'us_option', positionIntent: 'buy_to_open' });
    const paid = Number(order.filledAvgPrice) * 200;
    expect(await cash()).toBeCloseTo(before - paid, 2);
    const bought = await position(CALL);
    const { filledAvgPrice: avgEntryPrice } = order;
    expect(bought).toMatchObject({ qty: '2', assetClass: 'us_option', avgEntryPrice });
    expect(Number(bought.marketValue)).toBeCloseTo(Number(bought.currentPrice) * 200, 2);
    const closed = await closeOut(CALL);
    expect(closed).toMatchObject({ positionIntent: 'sell_to_close', status: 'filled' });
  });
});

describe('a covered call', () => {
  it('takes a hundred shares that are held and free, and locks them', async () => {
    const write = { symbol: CALL, side: 'sell', positionIntent: 'sell_to_open' };
    await refused(place(write), 403, 40310000, 'not eligible to trade uncovered option contracts');
    await shares();
    expect(await place(write)).toMatchObject({ status: 'filled' });
    await refused(place(write), 'uncovered');
    await refused(place({ symbol: 'F', side: 'sell' }), 'insufficient qty');
    await place({ symbol: CALL, positionIntent: 'buy_to_close' });
    expect((await place({ symbol: 'F', side: 'sell' })).status).toBe('filled');
  });

  it('that is in the money at expiry takes the shares at the strike', async () => {
    await shares();
    await place({ symbol: CALL, side: 'sell' });
    const before = await cash();
    await toExpiry();
    expect(await booked()).toEqual([`OPASN ${CALL} 1 0`, 'OPTRD F -100 950']);
    expect(await held()).not.toHaveProperty('F');
    expect(await held()).not.toHaveProperty(CALL);
    expect(await cash()).toBe(before + 950);
  });
});

describe('a cash-secured put', () => {
  it('keeps the cash for its shares', async () => {
    const before = await account();
    await place({ symbol: PUT, side: 'sell', positionIntent: 'sell_to_open' });
    const after = await account();
    const premium = Number(after.cash) - Number(before.cash);
    expect(premium).toBeGreaterThan(0);
    const gained = Number(after.optionsBuyingPower) - Number(before.optionsBuyingPower);
    expect(gained).toBeCloseTo(premium - 1050, 2);
    const tooMany = place({ symbol: PUT, side: 'sell', qty: '99' });
    await refused(tooMany, 403, 'insufficient options buying power (required: 103950, available: ');
  });

  it('that is in the money at expiry buys the shares at the strike', async () => {
    await place({ symbol: PUT, side: 'sell' });
    await toExpiry();
    expect(await booked()).toEqual([`OPASN ${PUT} 1 0`, 'OPTRD F 100 -1050']);
    expect(await position('F')).toMatchObject({ qty: '100', avgEntryPrice: '10.5' });
  });

  it('that is out of the money is gone', async () => {
    await place({ symbol: PUT, side: 'sell' });
    world.market.setPrice('F', '10.50');
    await toExpiry();
    expect(await booked()).toEqual([`OPEXP ${PUT} 1 0`]);
    expect(await held()).not.toHaveProperty('F');
  });
});

describe('a long option', () => {
  it('is exercised at expiry where a cent is in it', async () => {
    await place({ symbol: CALL });
    world.market.setPrice('F', '9.51');
    await toExpiry();
    expect(await booked()).toEqual([`OPEXC ${CALL} -1 0`, 'OPTRD F 100 -950']);
    expect(await held()).toMatchObject({ F: '100' });
  });

  it('is sold for what it is worth where its owner has no shares to deliver', async () => {
    const { filledAvgPrice } = await place({ symbol: PUT });
    const before = await cash();
    world.market.setPrice('F', '9.00');
    await toExpiry();
    expect(await booked()).toEqual([]);
    expect(await cash()).toBeCloseTo(before + 150, 2);
    expect(Number(filledAvgPrice)).toBeGreaterThan(0);
    expect(await held()).not.toHaveProperty(PUT);
  });

  it('is exercised earlier by its owner’s wish, and not out of the money', async () => {
    const exercise = async (symbol: string) => {
      const headers = { authorization: `Bearer ${await world.token()}` };
      const answer = await fetch(`${world.url}/v2/positions/${symbol}/exercise`, { method: 'POST', headers });
      return answer.status;
    };
    expect(await exercise(CALL)).toBe(404);
    await place({ symbol: CALL });
    expect(await exercise(CALL)).toBe(200);
    expect(await held()).toMatchObject({ F: '100' });
    await place({ symbol: PUT });
    world.market.setPrice('F', '11.00');
    expect(await exercise(PUT)).toBe(403);
  });

  it('has its open orders expire with it', async () => {
    await place({ symbol: CALL, type: 'limit', limitPrice: '0.01', timeInForce: 'gtc' });
    await toExpiry();
    expect(world.broker.book().at(-1)?.status).toBe('expired');
    await world.clock.advance(4 * 24 * 3_600_000);
    await logIn();
    await refused(place({ symbol: CALL }), `contract "${CALL}" is expired`);
  });
});

describe('an order for options is refused', () => {
  const limit = { type: 'limit', limitPrice: '1' };
  const exits = { takeProfit: { limitPrice: '9' }, stopLoss: { stopPrice: '1' } };
  const mismatch = /position intent mismatch, inferred: sell_to_open, specified: sell_to_close/;
  it.each([
    ['with another intent', { side: 'sell', positionIntent: 'sell_to_close' }, mismatch],
    ['of a part of one', { qty: '1.5' }, /qty must be integer/],
    ['by amount', { qty: undefined, notional: '100' }, /notional orders are not supported/],
    ['that trails', { type: 'trailing_stop', trailPercent: '5' }, /invalid order type for options/],
    ['at once or not at all', { timeInForce: 'ioc' }, /order_time_in_force provided not supported/],
    ['in extended hours', { ...limit, extendedHours: true }, /extended hours is not supported/],
    ['in a bracket', { orderClass: 'bracket', ...exits }, /complex orders not supported/],
    ['of a strike nobody trades', { symbol: 'F261127C00009510' }, /contract "F261127C00009510" not found/],
    ['of a day that is no expiry', { symbol: 'F261126C00009500' }, /not found/],
    ['of a day too far off', { symbol: 'F280121C00009500' }, /is not active/],
    ['below a cent', { ...limit, limitPrice: '0.005' }, /sub-penny/],
  ])('%s', async (_how, request, message) => {
    await refused(place({ symbol: CALL, ...request }), 422, 42210000, message);
    expect(statuses()).toEqual([]);
  });

  it('at the market while it is closed', async () => {
    await world.clock.advance(6 * 3_600_000);
    await logIn();
    await refused(place({ symbol: CALL }), 'only allowed during market hours');
    expect((await place({ symbol: CALL, type: 'limit', limitPrice: '0.10' })).status).toBe('accepted');
  });

  it('beyond the level that the account’s owner has set', async () => {
    await shares();
    const level = (maxOptionsTradingLevel: 0 | 1) =>
      trading.accountConfigurations.patchAccountConfig({ accountConfigurations: { maxOptionsTradingLevel } });
    await level(1);
    expect((await account()).optionsTradingLevel).toBe(1);
    await refused(place({ symbol: CALL }), 403, 'not eligible to trade long option contracts');
    expect((await place({ symbol: CALL, side: 'sell' })).status).toBe('filled');
    await level(0);
    await refused(place({ symbol: PUT, side: 'sell' }), 'account not authorized to trade options');
  });
});
