import { describe, expect, it } from 'vitest';
import { inShort, planned } from './planner-world.ts';

const question = (...turns: string[]) => {
  const plan = planned(turns);
  return 'refusal' in plan ? `${plan.refusal.message} ${plan.refusal.hint}` : inShort(plan);
};
const does = (...turns: string[]) => inShort(planned(turns));

describe('a name', () => {
  it.each([
    ['quote apple', 'get_quote AAPL'],
    ['quote aapl', 'get_quote AAPL'],
    ['buy 5 Google class A', 'place_order buy 5 GOOGL'],
    ['buy 5 berkshire class b limit 400', 'place_order buy 5 BRK.B limit limit_price=400'],
    ['sell half my nvidia shares', 'place_order sell 10 NVDA'],
    ['quotes for microsoft, tesla, KO', 'get_quote MSFT TSLA KO'],
    ['cancel all my apple orders', 'cancel_order order_id=61e69015-8549-4bfd-b9c3-01e75843f47d'],
  ])('"%s" is looked up', (said, expected) => {
    expect(does(said)).toBe(expected);
  });

  it.each([
    ['buy 5 google', /which do you mean by "google".*GOOG.*GOOG/i],
    ['buy 5 berkshire', /BRK\.B.*BRK\.A|BRK\.A.*BRK\.B/],
    // One is near it: no order for all that.
    ['buy 5 bank', /which do you mean by "bank"/i],
    ['buy 5 frobnicators', /find a stock or fund called "frobnicators"/],
    ['buy 5 apple twice', /understand "twice"/],
  ])('"%s" is a question', (said, words) => {
    expect(question(said)).toMatch(words);
  });
});

describe('what was said before', () => {
  it.each([
    [['quote AAPL', 'what about MSFT?'], 'get_quote MSFT'],
    [['quote AAPL', 'how about MSFT', 'and KO?'], 'get_quote KO'],
    [['chart AAPL 1y', 'what about tesla'], 'get_bars TSLA days=365'],
    [['buy $500 of AAPL', 'the same for KO'], 'place_order buy $500 KO'],
    [['sell half my MSFT', 'same for NVDA'], 'place_order sell 10 NVDA'],
    [['portfollio', 'do it'], 'get_portfolio'],
    [['by 5 AAPL', 'yes'], 'place_order buy 5 AAPL'],
  ])('%j', (turns, expected) => {
    expect(does(...turns)).toBe(expected);
  });

  it.each([
    [['the same for KO'], /which earlier request/],
    [['what do I own', 'the same for KO'], /which earlier request/],
    [['buy 5 AAPL and sell 2 MSFT', 'the same for KO'], /which earlier request/],
    [['buy 5 AAPL limit 180', 'the same for KO'], /earlier price was for AAPL/],
    [['buy 5 AAPL', 'what about KO?'], /the price of KO, or the same request/],
    [['do it'], /asked you a yes-or-no/],
    [['buy 5 AAPL', 'do it'], /asked you a yes-or-no/],
    [['by 5 AAPL', 'quote KO', 'yes'], /asked you a yes-or-no/],
    [['buy 5 AAPL', 'the same for KO tomorrow'], /"tomorrow"/],
  ])('%j is a question', (turns, words) => {
    expect(question(...turns)).toMatch(words);
  });
});

describe('a misspelt word', () => {
  it.each([
    ['portfollio', 'portfolio'],
    ['qoute AAPL', 'quote AAPL'],
    ['by 5 AAPL', 'buy 5 AAPL'],
    ['sel half my MSFT', 'sell half my MSFT'],
    ['cancle my AAPL order', 'cancel my AAPL order'],
    ['buy 5 AAPL limt 180', 'buy 5 AAPL limit 180'],
  ])('"%s" is asked about', (said, meant) => {
    expect(question(said)).toMatch(`Did you mean "${meant}"?`);
  });

  it.each(["don't by 5 AAPL", 'buy 5 AAPL unles it falls', 'nvr sell all NVDA', 'write me a poem'])(
    '"%s" makes no offer',
    (said) => {
      expect(question(said)).not.toMatch(/did you mean/i);
    },
  );
});

describe('what a shell left of an amount', () => {
  it.each(['buy 50 of NVDA', 'sell 50 of my NVDA', 'buy 50 worth of nvidia', 'buy 00 NVDA'])('"%s"', (said) => {
    expect(question(said)).toMatch(/single quotes/);
  });

  it('is told apart where the unit is said', () => {
    expect(does('buy 50 shares of NVDA')).toBe('place_order buy 50 NVDA');
    expect(does('buy $50 of NVDA')).toBe('place_order buy $50 NVDA');
  });
});

describe('the last order', () => {
  const filled = {
    id: 'b6dd2b3a-0000-4000-8000-000000000000',
    status: 'filled',
    submitted_at: '2026-11-26T15:00:00Z',
  } as const;

  it('that has filled is not another one', () => {
    const plan = planned(['cancel my last order'], { orders: [{}, filled] });
    expect(plan).toMatchObject({
      refusal: { code: 'not_found', message: expect.stringMatching(/already filled/) },
    });
  });

  it('is a question where two are as new', () => {
    expect(planned(['cancel my last order'], { orders: [{}, { id: 'other' }] })).toHaveProperty('refusal');
  });
});

describe('a change', () => {
  it.each([
    [{ qty: '100', limit_price: '120' }, 'change my order to 110', /price or the new number of shares/],
    [{}, 'change my order to 5000', /price or the new number of shares/],
    [{ limit_price: null }, 'change my order to $185', /no price to change/],
    [{ stop_price: '190' }, 'change my order to $185', /which of its prices/i],
  ])('of %j by "%s" is a question', (order, said, words) => {
    const plan = planned([said], { orders: [order] });
    expect('refusal' in plan && plan.refusal.message).toMatch(words);
  });

  it('needs one order', () => {
    expect(planned(['change my order to 185'], { orders: [{}, { id: 'other' }] })).toHaveProperty('refusal');
    expect(planned(['cancel my order'], { orders: [] })).toHaveProperty('refusal');
  });
});

describe('what is done elsewhere says where', () => {
  it.each([['rebalance to 60/40', /trade-agent check --suggest/]])('"%s"', (said, words) => {
    expect(question(said)).toMatch(words);
  });
});
