import { describe, expect, it } from 'vitest';
import {
  classifyAlpacaError,
  classifyAlpacaReplaceError,
  rewriteAlpacaHost,
} from '../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { toQuote } from '../../../src/gateway/broker/alpaca/prices.ts';
import { toOrder } from '../../../src/gateway/broker/alpaca/views.ts';
import { type ClassifyError, createBrokerRequests } from '../../../src/gateway/broker/broker-requests.ts';
import { matchesApprovedOrder } from '../../../src/gateway/broker/same-order.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anOrder, anOrderDraft, type OrderChanges } from '../../fixtures/builders.ts';

/** What is made of an error at the request that makes an order. */
const proved = (error: unknown, tell?: ClassifyError) =>
  createBrokerRequests(classifyAlpacaError).submit('ta-00000001', () => Promise.reject(error), tell);
const answer = (status: number, code: number | undefined, message = 'no') =>
  Object.assign(new Error(message), { status, code, response: {} });

describe('an answer to a submission proves', () => {
  it.each([
    [403, 40310000, 'insufficient buying power', { outcome: 'refused', reason: 'insufficient_funds' }],
    [403, 40310000, 'insufficient qty available for order', { outcome: 'refused', reason: 'other' }],
    [422, 40010001, 'client_order_id must be unique', { outcome: 'refused', reason: 'duplicate' }],
    [409, 40910000, 'conflict', { outcome: 'refused', reason: 'duplicate' }],
    [422, 42210000, 'invalid limit_price', { outcome: 'refused', reason: 'other' }],
    [401, 40110000, 'request is not authorized', { outcome: 'not_taken', reason: 'unauthorized' }],
    [429, undefined, 'too many requests', { outcome: 'not_taken', reason: 'rate_limited' }],
    [500, 50010000, 'internal server error', { outcome: 'unknown' }],
    [503, undefined, 'unavailable', { outcome: 'unknown' }],
    [408, 40810000, 'request timeout', { outcome: 'unknown' }],
    [403, undefined, 'a page of some proxy', { outcome: 'unknown' }],
    [403, undefined, 'Forbidden', { outcome: 'unknown' }],
    [403, undefined, 'forbidden.', { outcome: 'not_taken', reason: 'unauthorized' }],
    [403, 40310000, 'forbidden.', { outcome: 'refused', reason: 'other' }],
    [302, undefined, 'moved', { outcome: 'unknown' }],
  ])('%i/%s "%s"', async (status, code, message, expected) => {
    expect(await proved(answer(status, code, message))).toMatchObject(expected);
  });

  it('nothing, when there is none', async () => {
    expect(await proved(new TypeError('fetch failed'))).toEqual({ outcome: 'unknown' });
    expect(await proved('what?')).toEqual({ outcome: 'unknown' });
  });
});

describe('an answer to a replacement proves', () => {
  it.each([
    [422, 42210000, 'order is already in "filled" state', { outcome: 'refused', reason: 'not_replaceable' }],
    [422, 42210000, 'cannot replace: accepted status', { outcome: 'refused', reason: 'not_replaceable' }],
    [422, 42210000, 'notional orders cannot be replaced', { outcome: 'refused', reason: 'not_replaceable' }],
    [404, 40410000, 'order not found for x', { outcome: 'refused', reason: 'not_replaceable' }],
    [422, 42210000, 'invalid limit_price', { outcome: 'refused', reason: 'other' }],
    [403, 40310000, 'insufficient buying power', { outcome: 'refused', reason: 'insufficient_funds' }],
    [422, 40010001, 'client_order_id must be unique', { outcome: 'refused', reason: 'duplicate' }],
    [429, undefined, 'too many requests', { outcome: 'not_taken', reason: 'rate_limited' }],
    [404, undefined, 'a page of some proxy: not found', { outcome: 'unknown' }],
    [500, 50010000, 'internal server error', { outcome: 'unknown' }],
  ])('%i/%s "%s"', async (status, code, message, expected) => {
    expect(await proved(answer(status, code, message), classifyAlpacaReplaceError)).toMatchObject(expected);
  });
});

describe('a quote', () => {
  const about = { name: null, simulated: false };
  const quoted = '2026-11-24T15:00:00.000Z';
  const traded = '2026-11-20T20:00:00.000Z';
  const snapshot = (bp: number, ap: number) =>
    ({
      latestQuote: { t: new Date(quoted), bp, ap },
      latestTrade: { t: new Date(traded), p: 180 },
    }) as unknown as Parameters<typeof toQuote>[1];

  it.each([
    [179, 181, quoted],
    [0, 181, traded],
    [179, 0, traded],
  ])('is as old as its two sides, or as the last trade where one is missing (%i, %i)', (bid, ask, at) => {
    expect(toQuote('AAPL', snapshot(bid, ask), about)?.at).toBe(at);
  });
});

describe('an order of Alpaca’s', () => {
  const told = (changes: Record<string, unknown>) =>
    ({
      ...{ id: 'o-1', clientOrderId: 'theirs', symbol: 'AAPL', side: 'buy' },
      ...{
        type: 'limit',
        timeInForce: 'day',
        qty: '2',
        notional: null,
        limitPrice: '180',
        status: 'new',
        assetClass: 'us_equity',
      },
      ...{ orderClass: '', legs: null, filledQty: '0', submittedAt: new Date(quotedAt) },
      ...changes,
    }) as unknown as Parameters<typeof toOrder>[0];
  const quotedAt = '2026-11-24T15:00:00.000Z';

  it('of one part has no class and no legs', () => {
    const view = toOrder(told({ positionIntent: 'buy_to_open' }));
    expect(view).toMatchObject({ symbol: 'AAPL', asset_class: 'us_equity' });
    expect(Object.keys(view)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/order_class|legs|position_intent/)]),
    );
  });

  it('of several options is told by them, though it has no symbol, side or quantity of its own', () => {
    const leg = { assetClass: 'us_option', orderClass: 'mleg', limitPrice: null };
    const view = toOrder(
      told({
        ...{ symbol: '', side: undefined, qty: undefined, limitPrice: '-1.20', orderClass: 'mleg' },
        legs: [
          told({ ...leg, symbol: 'AAPL261218C00190000', positionIntent: 'buy_to_open' }),
          told({ ...leg, symbol: 'AAPL261218C00200000', side: 'sell', positionIntent: 'sell_to_open' }),
        ],
      }),
    );
    expect(view).toMatchObject({
      symbol: 'AAPL261218C00190000 + AAPL261218C00200000',
      side: '',
      qty: null,
      limit_price: '-1.20',
      order_class: 'mleg',
      legs: [
        { side: 'buy', position_intent: 'buy_to_open' },
        { side: 'sell', position_intent: 'sell_to_open' },
      ],
    });
  });

  it('in words that nobody here knows is told in them, on one line of ASCII', () => {
    const strange = { side: 'sell_short', type: 'pegged\u001b[2J', timeInForce: 'gtd', status: 'frozen' };
    expect(toOrder(told({ ...strange, orderClass: 'ladder', assetClass: 'ipo' }))).toMatchObject({
      ...{ side: 'sell_short', type: 'pegged?[2J', time_in_force: 'gtd', status: 'frozen' },
      ...{ order_class: 'ladder', asset_class: 'ipo' },
    });
  });

  it('without an id or a status is no order', () => {
    expect(() => toOrder(told({ id: undefined }))).toThrow();
    expect(() => toOrder(told({ status: undefined }))).toThrow();
  });
});

describe('an order under our client_order_id', () => {
  const draftOf = (changes: OrderChanges = {}) => anOrderDraft({ client_order_id: 'ta-00000001', ...changes });
  const held = (changes: Partial<Order> = {}) => anOrder({ time_in_force: 'day', qty: '5.0', ...changes });
  const draft = draftOf();

  it('is the approved one however its amounts are written', () => {
    expect(matchesApprovedOrder(held(), draft)).toBe(true);
  });

  it.each<Partial<Order>>([
    { client_order_id: 'ta-00000002' },
    { symbol: 'MSFT' },
    { side: 'sell' },
    { qty: '50' },
    { qty: null },
    { type: 'market' },
    { time_in_force: 'gtc' },
    { limit_price: '181' },
    { extended_hours: true },
  ])('is another one with %j', (change) => {
    expect(matchesApprovedOrder(held(change), draft)).toBe(false);
  });

  it('has the legs that were approved, and no others', () => {
    const exits = { take_profit_limit_price: '200.00', stop_loss_stop_price: '170.00' };
    const bracket = draftOf({ order_class: 'bracket', ...exits });
    const profit = held({ side: 'sell', limit_price: '200' });
    const stop = held({ side: 'sell', type: 'stop_limit', stop_price: '170', limit_price: '168.3' });
    const withLegs = (...legs: Order[]) => held({ order_class: 'bracket', legs });
    expect(matchesApprovedOrder(withLegs(profit, stop), bracket)).toBe(true);
    // A broker that tells no legs tells no others.
    expect(matchesApprovedOrder(held({ order_class: 'bracket' }), bracket)).toBe(true);
    expect(matchesApprovedOrder(held(), bracket)).toBe(false);
    expect(matchesApprovedOrder(withLegs(profit, stop), draft)).toBe(false);
    expect(matchesApprovedOrder(withLegs(profit), bracket)).toBe(false);
    expect(matchesApprovedOrder(withLegs({ ...profit, limit_price: '201' }, stop), bracket)).toBe(false);
    for (const limit_price of ['160', null])
      expect(matchesApprovedOrder(withLegs(profit, { ...stop, limit_price }), bracket)).toBe(false);
  });

  it('may have a stop price that follows from its trail', () => {
    const trailing = draftOf({ type: 'trailing_stop', trail_percent: '2' });
    const trails = (trail_percent: string) =>
      held({ type: 'trailing_stop', trail_percent, limit_price: null, stop_price: '176.4' });
    expect(matchesApprovedOrder(trails('2.0'), trailing)).toBe(true);
    expect(matchesApprovedOrder(trails('3'), trailing)).toBe(false);
  });

  it('is the approved market order where it is a limit order at its bound, or without one', () => {
    const same = (change: Partial<Order>) => matchesApprovedOrder(held(change), draftOf({ type: 'market' }));
    expect(same({ limit_price: '181.81' })).toBe(true);
    expect(same({ type: 'market', limit_price: null })).toBe(true);
    expect(same({ limit_price: '181.82' })).toBe(false);
    expect(same({ limit_price: '181.80' })).toBe(false);
  });

  it('is the approved stop where it is a stop limit with its band', () => {
    const same = (stop_price: string, limit_price: string) =>
      matchesApprovedOrder(
        held({ type: 'stop_limit', stop_price, limit_price }),
        draftOf({ type: 'stop', stop_price: '190.00' }),
      );
    expect(same('190', '191.9')).toBe(true);
    expect(same('190', '192')).toBe(false);
    expect(same('189', '191.9')).toBe(false);
  });

  it('by amount may have got a quantity from the broker', () => {
    const byAmount = draftOf({ notional: '900.00', limit_price: '180.00' });
    expect(matchesApprovedOrder(held({ qty: '5', notional: '900' }), byAmount)).toBe(true);
  });
});

describe('the SDK’s hosts', () => {
  const target = { tradingUrl: 'http://127.0.0.1:1/', dataUrl: 'http://127.0.0.1:2' };
  it.each([
    ['https://paper-api.alpaca.markets/v2/orders?x=1', 'http://127.0.0.1:1/v2/orders?x=1'],
    ['https://api.alpaca.markets/v2/orders', 'http://127.0.0.1:1/v2/orders'],
    ['https://data.alpaca.markets/v2/stocks/bars', 'http://127.0.0.1:2/v2/stocks/bars'],
  ])('%s is sent to %s', (from, to) => {
    expect(rewriteAlpacaHost(from, target)).toBe(to);
  });

  it('and to no other: the token stays here', () => {
    expect(() => rewriteAlpacaHost('https://api.alpaca.markets.evil.example/v2/orders', target)).toThrow(TypeError);
  });
});
