import { describe, expect, it } from 'vitest';
import { inShort, planned } from './planner-world.ts';

/* AAPL is at 230, KO at 60 and TSLA at 350. */

describe('a bound that fits all the shares better than one is a question', () => {
  it.each([
    ['buy 10 AAPL for no more than 1000', /\$1,000\.00.* one share of AAPL or .* all 10.*\$230\.00.*limit 100"/],
    ['buy 10 AAPL for at most $2,400', /all 10.*limit 240"/],
    ['buy 3 AAPL max 1000', /all 3.*limit 333\.33"/],
    ['sell 10 AAPL for at least 2000', /all 10.*limit 200"/],
    ['sell 3 AAPL for no less than 700', /all 3.*limit 233\.34"/],
    ['buy 10 apple for no more than 1000', /all 10/],
    ['sell half my KO for at least 1100', /all 20/],
    ['buy 0.5 AAPL for no more than 120', /all 0\.5.*limit 240"/],
    ['buy 10 AAPL for no more than 1000 every Friday', /all 10/],
    ['buy 5 KO and buy 10 AAPL for no more than 1000', /all 10/],
    ['buy 10 NFLX for no more than 1000', /one share of NFLX or .* all 10/],
  ])('%s', (text, question) => {
    const plan = planned([text]);
    expect('refusal' in plan && `${plan.refusal.message} ${plan.refusal.hint}`).toMatch(question);
  });
});

describe('a bound that fits one share is its limit', () => {
  it.each([
    ['buy 10 AAPL for no more than 230', 'place_order buy 10 AAPL limit limit_price=230'],
    ['buy 10 AAPL for no more than 180', 'place_order buy 10 AAPL limit limit_price=180'],
    ['sell 5 AAPL for at least 240', 'place_order sell 5 AAPL limit limit_price=240'],
    ['buy 1 AAPL for no more than 230', 'place_order buy 1 AAPL limit limit_price=230'],
    ['buy 10 apple for at most 225', 'place_order buy 10 AAPL limit limit_price=225'],
    ['sell all my TSLA for at least 400', 'place_order sell 30 TSLA limit limit_price=400'],
    ['buy 10 AAPL for no more than 1000 a share', 'place_order buy 10 AAPL limit limit_price=1000'],
    ['buy 10 AAPL for at most $1000 each', 'place_order buy 10 AAPL limit limit_price=1000'],
    ['buy 10 AAPL at no more than 1000', 'place_order buy 10 AAPL limit limit_price=1000'],
    ['buy 2 KO for no more than 60 every Friday', 'place_standing_order buy 2 KO limit_price=60 every=friday'],
  ])('%s', (text, comesTo) => {
    expect(inShort(planned([text]))).toBe(comesTo);
  });
});
