import { describe, expect, it } from 'vitest';
import { inShort, planned, sentences } from './planner-world.ts';

const buy = '61e69015-8549-4bfd-b9c3-000000000001';
const sell = '61e69015-8549-4bfd-b9c3-000000000002';
const limit = { status: 'new', type: 'limit' } as const;
/** Newest first, as the list shows them. */
const orders = [
  {
    ...limit,
    id: sell,
    symbol: 'NVDA',
    side: 'sell',
    qty: '8',
    limit_price: '160',
    submitted_at: '2026-12-02T15:00:00Z',
  },
  {
    ...limit,
    id: buy,
    symbol: 'MSFT',
    side: 'buy',
    qty: '4',
    limit_price: '400',
    submitted_at: '2026-12-01T15:00:00Z',
  },
] as const;
const short = (said: string) =>
  inShort(planned(said.split(' / '), { orders }))
    .replaceAll(buy, 'BUY')
    .replaceAll(sell, 'SELL');

describe('an open order is known by what it is', () => {
  it.each(
    sentences(`
      nvm the nvidia sell, pull it => cancel_order order_id=SELL
      scratch the first order i placed, keep the other one => cancel_order order_id=BUY
      forget about that microsoft buy I put in, don't want it anymore => cancel_order order_id=BUY
      the one at 160, nix it => cancel_order order_id=SELL
      I've changed my mind about selling those eight NVDA at 160, take it back => cancel_order order_id=SELL
      leave the NVDA thing, but scrap the other one => cancel_order order_id=BUY
      cancel the sell and leave the buy => cancel_order order_id=SELL
      get me out of the NVDA order => cancel_order order_id=SELL
      I believe I have two orders outstanding; please cancel them both. => cancel_order order_id=SELL + cancel_order order_id=BUY
      pull everything that's still waiting in the market => cancel_order order_id=SELL + cancel_order order_id=BUY
      could you kindly annul my most recent open order? => cancel_order order_id=SELL
      yesterday's MSFT order I don't want already, help me cancel => cancel_order order_id=BUY
    `),
  )('is canceled in free word order: %s => %s', (said, expected) => expect(short(said)).toBe(expected));

  it.each(
    sentences(`
      reduce the MSFT buy order from four shares to three, leaving the price at $400 => replace_order 3 order_id=BUY
      take my nvidia order from 160 down to 158.50 and make it 15 shares => replace_order 15 order_id=SELL limit_price=158.50
      make the nvidia sell two dollars higher => replace_order order_id=SELL limit_price=162
      lower the price in my first order by 3.50 => replace_order order_id=BUY limit_price=396.5
      knock fifty cents off the limit on my NVDA order => replace_order order_id=SELL limit_price=159.5
      raise my NVDA limit 2% => replace_order order_id=SELL limit_price=163.2
      the second order I placed, the NVDA one, should be for 20 shares instead of 8, still at $160 => replace_order 20 order_id=SELL
      MSFT order limit is too low so please raise to 410 and also quantity make 8 => replace_order 8 order_id=BUY limit_price=410
      double the size of the order that sells NVDA => replace_order 16 order_id=SELL
      cut my NVDA sell in half => replace_order 4 order_id=SELL
      add 5 shares to my MSFT order => replace_order 9 order_id=BUY
      my nvidia limit should be 161, not 160 => replace_order order_id=SELL limit_price=161
      make the NVDA sell order 9 shares at 161 => replace_order 9 order_id=SELL limit_price=161
      NVDA order: 9 pcs, 161.25 pls => replace_order 9 order_id=SELL limit_price=161.25
      up my MSFT bid 2 bucks => replace_order order_id=BUY limit_price=402
      reduce the NVDA order by half => replace_order 4 order_id=SELL
      change both the price and quantity of my MSFT order: 7 shares, $379 => replace_order 7 order_id=BUY limit_price=379
      make my MSFT buy 3 shares only => replace_order 3 order_id=BUY
      the later order should stay alive till i kill it => replace_order order_id=SELL time_in_force=gtc
    `),
  )('is changed in free word order: %s => %s', (said, expected) => expect(short(said)).toBe(expected));

  it.each([
    'forget the order, sell NVDA at 170',
    "don't cancel the MSFT order whatever happens",
    'cancel the NVDA order, keep the NVDA order',
    'the other one can go',
    'make it 190',
    'my two MSFT orders should be at 200 or 210',
    'the third order I placed, cancel it',
    'I have three open orders, cancel them',
    'take 5 off my MSFT order',
    'the NVDA order I placed yesterday at 160',
    'my MSFT order, the one for 4 shares',
    'reduce my NVDA order 8 shares at 190',
    'what if I raise my MSFT order to 410',
    'should I cancel my MSFT order',
  ])('is left alone, because the words do not name it or one change: %s', (said) =>
    expect(short(said)).not.toMatch(/cancel_order|replace_order|place_order/),
  );

  it.each(
    sentences(`
      cancel the nvidia one => cancel_order order_id=SELL
      axe my MSFT buy => cancel_order order_id=BUY
      withdraw the bid for microsoft => cancel_order order_id=BUY
      trash all my sell orders => cancel_order order_id=SELL
      cancel every buy order => cancel_order order_id=BUY
      scrap that NVDA limit => cancel_order order_id=SELL
      call off the order at 400 => cancel_order order_id=BUY
      cancel the one for 8 shares, please => cancel_order order_id=SELL
      cancel the microsoft order I placed, the one at $400, as I no longer need it => cancel_order order_id=BUY
      kill the oldest order => cancel_order order_id=BUY
      drop the older of my two open orders and leave the other alone => cancel_order order_id=BUY
      delete the 2nd order => cancel_order order_id=BUY
      nuke everything open => cancel_order order_id=SELL + cancel_order order_id=BUY
      cancel both of my orders => cancel_order order_id=SELL + cancel_order order_id=BUY
      cancel the MSFT buy and the NVDA sell => cancel_order order_id=BUY + cancel_order order_id=SELL
    `),
  )('%s => %s', (said, expected) => expect(short(said)).toBe(expected));

  it.each(
    sentences(`
      move my MSFT buy to 395 => replace_order order_id=BUY limit_price=395
      bump the nvidia sell up to 165 => replace_order order_id=SELL limit_price=165
      bring the NVDA limit down to 155.50 => replace_order order_id=SELL limit_price=155.50
      set my MSFT order to 6 shares => replace_order 6 order_id=BUY
      make that MSFT buy 6 shares instead of 4 => replace_order 6 order_id=BUY
      change the NVDA order to 158 instead of 160 => replace_order order_id=SELL limit_price=158
      raise my microsoft order from 400 to 405 => replace_order order_id=BUY limit_price=405
      increase the quantity of my MSFT order from 4 to 9, same price => replace_order 9 order_id=BUY
      reduce the NVDA sell order from eight shares to five and keep the price at 160 => replace_order 5 order_id=SELL
      up my MSFT bid to 410, it will never fill at 400 => replace_order order_id=BUY limit_price=410
      would you revise the limit of my NVDA order to 150, please => replace_order order_id=SELL limit_price=150
      make my MSFT order gtc => replace_order order_id=BUY time_in_force=gtc
    `),
  )('%s => %s', (said, expected) => expect(short(said)).toBe(expected));

  it.each([
    ['cancel my MSFT sell', 'You have no open sell MSFT order.'],
    ['cancel my stop on NVDA', 'You have no open NVDA stop order.'],
    ['cancel the order at 401', 'You have no open $401.00 order.'],
    ['cancel all my MSFT sell orders', 'You have no open sell MSFT order.'],
    ['cancel the first MSFT order', 'Which order do you mean by "1. MSFT"?'],
    ['cancel my three orders', 'You have 2 open orders.'],
    ['raise my MSFT order from 390 to 405', 'Which of its values is 390?'],
    ['reduce the NVDA order to 5 shares and keep the price at 150', 'You have no open NVDA $150.00 order.'],
    ['cancel half my orders', "I don't understand"],
    ['cancel my MSFT order unless it fills', "I don't understand"],
    ['move my orders to 300', 'You have 2 open orders'],
  ])('and asks where it is not: %s', (said, question) => {
    const plan = planned([said], { orders });
    expect('refusal' in plan && plan.refusal.message).toContain(question);
  });

  it.each(
    sentences(`
      reduce my NVDA to 5 shares => place_order sell 15 NVDA
      put a stop on my MSFT at 380 => place_order sell 12 MSFT stop stop_price=380
    `),
  )('a position is no order: %s => %s', (said, expected) => expect(short(said)).toBe(expected));
});

describe('a name that fits several companies', () => {
  const ordered = (symbol: string) => [{ ...orders[0], symbol }];
  const canceled = (symbol: string) => inShort(planned(['nvm the coke sell, pull it'], { orders: ordered(symbol) }));

  it.each(['KO', 'COKE'])('means the one with an open order: %s', (symbol) =>
    expect(canceled(symbol)).toBe(`cancel_order order_id=${sell}`),
  );

  it('is a question if none has an open order', () => expect(canceled('NVDA')).toBe('asks'));
});
