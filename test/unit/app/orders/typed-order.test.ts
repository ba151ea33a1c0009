import { describe, expect, it } from 'vitest';
import {
  buildOrderFromFlags,
  buildOrderProposal,
  buildReplaceProposal,
} from '../../../../src/app/orders/place-order.ts';

const LEGS = { take_profit_limit_price: '200.00', stop_loss_stop_price: '170.00' };

describe('an order by flags', () => {
  it.each([
    { flags: { qty: '5' }, order: { type: 'market', qty: '5' } },
    { flags: { amount: '250' }, order: { type: 'market', notional: '250' } },
    { flags: { qty: '5', limit: '180' }, order: { type: 'limit', limit_price: '180.00' } },
    { flags: { qty: '5', stop: '170' }, order: { type: 'stop', stop_price: '170.00' } },
    { flags: { qty: '5', stop: '170', limit: '169' }, order: { type: 'stop_limit', limit_price: '169.00' } },
    { flags: { qty: '5', stop: '170', atMarket: true }, order: { type: 'stop_market', stop_price: '170.00' } },
    { flags: { qty: '5', trail: '2%' }, order: { type: 'trailing_stop', trail_percent: '2' } },
    { flags: { qty: '5', trail: '2' }, order: { type: 'trailing_stop' } },
    {
      flags: { qty: '5', takeProfit: '200', stopLoss: '170' },
      order: { type: 'limit', order_class: 'oco', ...LEGS },
    },
  ])('$flags is $order', ({ flags, order }) => {
    expect(buildOrderFromFlags('sell', 'aapl', flags)).toMatchObject({ symbol: 'AAPL', side: 'sell', ...order });
  });

  it.each([
    {
      flags: { qty: '5', limit: '180', takeProfit: '200', stopLoss: '170:169.5' },
      order: { type: 'limit', order_class: 'bracket', stop_loss_limit_price: '169.50' },
    },
    {
      flags: { qty: '5', stopLoss: '170' },
      order: { type: 'market', order_class: 'oto', stop_loss_stop_price: '170.00' },
    },
    {
      flags: { qty: '5', takeProfit: '200' },
      order: { type: 'market', order_class: 'oto', take_profit_limit_price: '200.00' },
    },
  ])('bought, $flags is $order', ({ flags, order }) => {
    expect(buildOrderFromFlags('buy', 'AAPL', flags)).toMatchObject(order);
  });

  it.each([
    [{ qty: '5', takeProfit: '200' }, 'a sale needs both --take-profit and --stop-loss'],
    [{ qty: '5', takeProfit: '200', stopLoss: '170', limit: '190' }, '--limit'],
  ])('sold, %j is refused: %s', (flags, message) => {
    expect(() => buildOrderFromFlags('sell', 'AAPL', flags)).toThrow(message);
  });

  it.each([
    [{}, 'the order size is missing'],
    [{ qty: '5', stopLoss: '170:' }, `--stop-loss can't be ""`],
    [{ qty: '5', stopLoss: '170:169:1' }, `--stop-loss can't be "170:169:1"`],
    [{ qty: '5', stopLoss: '170:171' }, '--stop-loss: a stop loss at 170.00'],
    [{ qty: '5', takeProfit: '2%' }, `--take-profit can't be "2%"`],
    [{ qty: '5', amount: '250' }, 'either --qty or --amount'],
    [{ qty: '-5' }, `--qty can't be "-5"`],
    [{ qty: '1e3' }, `--qty can't be "1e3"`],
    [{ qty: '5', limit: '$180' }, `--limit can't be "$180"`],
    [{ qty: '5', stop: '170', atMarket: true }, 'a stop_market order can only sell'],
    [{ qty: '5', stop: '170', limit: '169', atMarket: true }, 'a --stop without a --limit'],
    [{ qty: '5', atMarket: true }, 'a --stop without a --limit'],
    [{ qty: '5', trail: '2%%' }, `--trail can't be "2%"`],
    [{ qty: '5', trail: '2%', limit: '5' }, "--trail can't be combined with --limit or --stop"],
  ])('%j is refused: %s', (flags, message) => {
    expect(() => buildOrderFromFlags('buy', 'AAPL', flags)).toThrow(message);
  });

  const CALL = 'AAPL261218C00190000';
  it.each([
    ['buy', { qty: '1', limit: '2.50' }, { position_intent: 'buy_to_open', limit_price: '2.50' }],
    ['buy', { qty: '1', close: true }, { position_intent: 'buy_to_close', type: 'market' }],
    ['sell', { qty: '1', limit: '1.20', open: true }, { position_intent: 'sell_to_open' }],
    ['sell', { qty: '1', close: true }, { position_intent: 'sell_to_close' }],
  ] as const)('to %s an option by %j is %j', (side, flags, order) => {
    expect(buildOrderFromFlags(side, CALL, flags)).toMatchObject({
      symbol: CALL,
      side,
      time_in_force: 'day',
      ...order,
    });
  });

  it.each([
    [CALL, { qty: '1' }, 'selling an option requires --open or --close'],
    [CALL, { qty: '1', open: true, close: true }, 'either --open or --close'],
    [CALL, { amount: '100', close: true }, 'amount'],
    [CALL, { qty: '0.5', close: true }, 'whole'],
    ['AAPL', { qty: '1', close: true }, "can't have a position_intent"],
    ['BTC/USD', { qty: '1', trail: '2%' }, 'not supported'],
    ['BTC/USD', { qty: '1', tif: 'day' as const }, 'gtc'],
  ])('a sale of %s by %j is refused: %s', (symbol, flags, message) => {
    expect(() => buildOrderFromFlags('sell', symbol, flags)).toThrow(message);
  });

  it('for a coin stands until it is cancelled, unless that is said otherwise', () => {
    expect(buildOrderFromFlags('buy', 'btc/usd', { amount: '100' })).toMatchObject({
      symbol: 'BTC/USD',
      notional: '100',
      time_in_force: 'gtc',
    });
    expect(buildOrderFromFlags('buy', 'BTC/USD', { qty: '0.05', tif: 'ioc' })).toMatchObject({ time_in_force: 'ioc' });
  });

  it('says of each field whether it was typed', () => {
    const flags = { qty: '5', limit: '180' };
    const profile = { environment: 'paper', max_slippage: '0.01' } as const;
    const { provenance } = buildOrderProposal(buildOrderFromFlags('buy', 'AAPL', flags), flags, profile, {});
    const sources = Object.entries(provenance?.fields ?? {}).map(([name, { source }]) => `${name} ${source}`);
    expect(sources.sort().join(', ')).toBe(
      'environment default, extended_hours default, limit_price user, max_slippage default, qty user, side user, symbol user, time_in_force default, type user',
    );
  });
});

describe('a change by flags', () => {
  it('has what was said alone, all of it the person’s own', () => {
    expect(buildReplaceProposal('id', { limit: '185', trail: '2%' })).toMatchObject({
      replace: { order_id: 'id', limit_price: '185', trail: '2' },
      provenance: { fields: { limit_price: { source: 'user' } } },
    });
  });

  it('is refused where nothing is to change', () => {
    expect(() => buildReplaceProposal('id', {})).toThrow('nothing to change');
  });
});
