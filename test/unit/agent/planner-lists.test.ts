import { describe, expect, it } from 'vitest';
import { inShort, planned, sentences } from './planner-world.ts';

const said = (turns: string) => inShort(planned(turns.split(' / ')));
const question = (turns: string) => {
  const plan = planned(turns.split(' / '));
  return 'refusal' in plan ? `${plan.refusal.message} ${plan.refusal.hint}` : inShort(plan);
};
/** The account's open orders, in place of its one. */
const orders = [
  { id: '11111111-8549-4bfd-b9c3-01e75843f47d', symbol: 'AAPL' },
  { id: '22222222-8549-4bfd-b9c3-01e75843f47d', symbol: 'NVDA' },
];

describe('an order for a list covers the whole list', () => {
  it.each(
    sentences(`
    sell all my AAPL and NVDA => place_order sell 10 AAPL + place_order sell 20 NVDA
    sell all my AAPL and my NVDA => place_order sell 10 AAPL + place_order sell 20 NVDA
    sell all my AAPL, MSFT and NVDA => place_order sell 10 AAPL + place_order sell 12 MSFT + place_order sell 20 NVDA
    sell all my AAPL, MSFT, and NVDA shares => place_order sell 10 AAPL + place_order sell 12 MSFT + place_order sell 20 NVDA
    sell all my apple as well as nvidia => place_order sell 10 AAPL + place_order sell 20 NVDA
    SELL ALL MY AAPL AND NVDA => place_order sell 10 AAPL + place_order sell 20 NVDA
    SELL ALL MY AAPL => place_order sell 10 AAPL
    sell all my AAPL, plus all my NVDA => place_order sell 10 AAPL + place_order sell 20 NVDA
    buy 2 AAPL & 3 MSFT => place_order buy 2 AAPL + place_order buy 3 MSFT
    buy 5 AAPL and also 3 MSFT => place_order buy 5 AAPL + place_order buy 3 MSFT
    close my AAPL & NVDA positions => place_order sell 10 AAPL + place_order sell 20 NVDA
    sell all my AAPL and NVDA trailing stop 5% => place_order sell 10 AAPL trailing_stop trail_percent=5 + place_order sell 20 NVDA trailing_stop trail_percent=5
    buy 5 AAPL and 3 MSFT => place_order buy 5 AAPL + place_order buy 3 MSFT
    buy 5 AAPL, 3 MSFT and 2 KO => place_order buy 5 AAPL + place_order buy 3 MSFT + place_order buy 2 KO
    buy $500 of AAPL and $300 of MSFT => place_order buy $500 AAPL + place_order buy $300 MSFT
    sell all my AAPL, NVDA and 5 MSFT => place_order sell 10 AAPL + place_order sell 20 NVDA + place_order sell 5 MSFT
    sell half my AAPL and all my NVDA => place_order sell 5 AAPL + place_order sell 20 NVDA
    sell half my AAPL and NVDA / yes => place_order sell 5 AAPL + place_order sell 10 NVDA
    buy $500 each of AAPL and MSFT => place_order buy $500 AAPL + place_order buy $500 MSFT
    buy $500 of AAPL and MSFT each => place_order buy $500 AAPL + place_order buy $500 MSFT
    buy 5 each of AAPL and MSFT => place_order buy 5 AAPL + place_order buy 5 MSFT
    buy 5 shares each of AAPL and MSFT => place_order buy 5 AAPL + place_order buy 5 MSFT
    buy 5 AAPL limit 180 and 3 MSFT limit 400 => place_order buy 5 AAPL limit limit_price=180 + place_order buy 3 MSFT limit limit_price=400
    every Friday buy $50 of VTI and $30 of BND => place_standing_order buy $50 VTI every=friday + place_standing_order buy $30 BND every=friday
    buy $50 of VTI and $30 of BND every Friday => place_standing_order buy $50 VTI every=friday + place_standing_order buy $30 BND every=friday
    every Friday buy $50 each of VTI and BND => place_standing_order buy $50 VTI every=friday + place_standing_order buy $50 BND every=friday
    quote AAPL and sell all my KO and NVDA => get_quote AAPL + place_order sell 40 KO + place_order sell 20 NVDA
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each(['cancel my AAPL order and NVDA', 'cancel my AAPL and NVDA orders', 'cancel all AAPL and NVDA orders'])(
    '%s',
    (turn) => {
      expect(inShort(planned([turn], { orders }))).toBe(
        orders.map(({ id }) => `cancel_order order_id=${id}`).join(' + '),
      );
    },
  );
});

it('an account named after a list is that of the whole list', () => {
  expect(said('sell all my AAPL and NVDA in account 12345')).toBe(
    'place_order sell 10 AAPL account=12345 + place_order sell 20 NVDA account=12345',
  );
});

describe('a question names what an order leaves unused', () => {
  it.each([
    ['buy $500 of AAPL and MSFT', /\$500 of each of AAPL and MSFT, or \$500 in total/],
    ['buy $2,500 worth of AAPL and MSFT', /\$2,500 of each of AAPL and MSFT, or \$2,500 in total/],
    ['buy 5 AAPL and MSFT', /5 shares of each of AAPL and MSFT, or 5 shares in total/],
    ['buy 5 AAPL; MSFT', /MSFT/],
    ['buy 5 AAPL. MSFT', /MSFT/],
    ['every Friday buy $50 of VTI and BND', /\$50 of each of VTI and BND, or \$50 in total/],
    ['buy $50 of VTI and BND every Friday', /\$50 of each of VTI and BND, or \$50 in total/],
    ['buy $100 of apple, microsoft and nvidia', /\$100 of each of apple, microsoft and nvidia/],
    ['buy $200 of VTI every Monday and Thursday', /"Thursday"/],
    ['sell half my AAPL and NVDA', /sell half my AAPL and sell half my NVDA/],
    ['sell all my AAPL and NVDA at 200', /price.* AAPL and NVDA/],
    ['sell all my AAPL at 200 and NVDA', /price.* AAPL and NVDA/],
    ['buy 5 AAPL and 3 MSFT limit 400', /limit 400/],
    ['buy 5 AAPL limit 180 and 3 MSFT', /3 MSFT/],
    ['if it falls below 100, sell 5 NVDA and 3 AAPL', /3 AAPL/],
    ['sell 5 NVDA if it falls below 100 and AAPL', /price.* NVDA and AAPL/],
    ['NVDA and sell all my AAPL', /NVDA/],
    ['tell me when AAPL falls below 180 and NVDA', /NVDA/],
    ['buy 5 AAPL and frobnicate', /frobnicate/],
    ['buy 1 AAPL 190 call expiring Dec 18 at 2.50 and MSFT', /MSFT/],
    ['change my AAPL order to limit 185 and NVDA', /"and" in this change/],
  ])('%s', (turns, names) => {
    expect(said(turns)).toBe('asks');
    expect(question(turns)).toMatch(names);
  });

  it('cancels nothing where one of the list has no open order', () => {
    expect(inShort(planned(['cancel my AAPL and NVDA orders']))).toBe('asks');
  });
});
