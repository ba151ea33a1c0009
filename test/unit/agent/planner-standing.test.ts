import { describe, expect, it } from 'vitest';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { inShort, planned } from './planner-world.ts';

describe('an order that the gateway is to place by itself', () => {
  it.each([
    ['buy $200 of VTI every Monday', 'buy $200 VTI every=monday'],
    ['Every Monday, buy $200 of VTI', 'buy $200 VTI every=monday'],
    ['buy $200 of VTI on Mondays', 'buy $200 VTI every=monday'],
    ['buy $200 of VTI every week on Monday please', 'buy $200 VTI every=monday'],
    ['buy $1,500.50 of VTI every month', 'buy $1500.50 VTI every=month'],
    ['buy $200 of VTI on the 1st of every month', 'buy $200 VTI every=month'],
    ['buy 5 shares of AAPL every trading day at 11:30', 'buy 5 AAPL every=day at=11:30'],
    ['buy 5 AAPL every weekday at 2 pm New York time', 'buy 5 AAPL every=day at=14:00'],
    ['buy 5 AAPL every Friday at the market open', 'buy 5 AAPL every=friday at=09:30'],
    ['buy 2 KO at 60 every Friday until December 18', 'buy 2 KO limit_price=60 every=friday until=12-18'],
    ['buy 2 apple every Friday through 2026-12-18', 'buy 2 AAPL every=friday until=2026-12-18'],
    ['sell 5 NVDA if it falls below 100 before Friday', 'sell 5 NVDA below=100 before=friday'],
    ['if NVDA falls below $100, sell 5 NVDA', 'sell 5 NVDA below=100'],
    ['sell 5 NVDA when NVDA rises above $1,200.50', 'sell 5 NVDA above=1200.50'],
    ['sell 5 NVDA once the price is under 99 by tomorrow', 'sell 5 NVDA below=99 until=tomorrow'],
    ['buy $200 of VTI every Monday / the same for KO', 'buy $200 KO every=monday'],
    ['sell 10 AAPL if it drops to 200', 'sell 10 AAPL below=200'],
    ['sell 10 AAPL if it climbs to 250', 'sell 10 AAPL above=250'],
    ['sell 10 AAPL if it hits 250', 'sell 10 AAPL above=250'],
    ['sell 10 AAPL once it touches 200', 'sell 10 AAPL below=200'],
    ['should KO slide beneath 55, buy 7 of them', 'buy 7 KO below=55'],
    ['if tesla should ever get back to 300, buy 2', 'buy 2 TSLA below=300'],
    ['the moment MSFT breaks above 450 then sell 4', 'sell 4 MSFT above=450'],
    ['in case TSLA plunges under 290 then 3 shares sell', 'sell 3 TSLA below=290'],
    ['sell 5 NVDA every time it drops below 100 / yes', 'sell 5 NVDA below=100'],
    ['sell half my NVDA if it falls below 100 / 12', 'sell 12 NVDA below=100'],
    ['In case AAPL would exceed 550, I want ten sold', 'sell 10 AAPL above=550'],
    ['Buy 4 KO if falls to 50', 'buy 4 KO below=50'],
    ['sell half my NVDA if it falls below 100 / all of them', 'sell 20 NVDA below=100'],
    ['if KO rises above 70 sell all of it / half', 'sell 20 KO above=70'],
  ])('%s', (said, comesTo) => {
    expect(inShort(planned(said.split(' / ')))).toBe(`place_standing_order ${comesTo}`);
  });

  it('is as many as are said', () => {
    expect(inShort(planned(['buy $200 of VTI every Monday and buy $100 of KO every month']))).toBe(
      'place_standing_order buy $200 VTI every=monday + place_standing_order buy $100 KO every=month',
    );
  });

  it.each([
    ['buy $200 of VTI every week', 'On which day of the week?'],
    ['buy $200 of VTI on the 15th of every month', 'only on the 1st'],
    ['The fifteenth of every month, one share of Costco please', 'only on the 1st'],
    ['every other Friday 75 bucks of QQQ', 'only every trading day'],
    ['buy $100 of SCHD monthly and stop after twelve', 'approve it for up to 35 days'],
    ['every month $250 of QQQ, and stop after twelve purchases', 'approve it for up to 35 days'],
    ['every Monday $50 of KO for 12 weeks', 'approve it for up to 35 days'],
    ['invest $50 in SPY every Tuesday until June', 'approve it for up to 35 days'],
    ['buy $200 of VTI every Monday at 3:30', 'Do you mean 3:30 PM New York time?'],
    ['buy $200 of VTI every Monday at 8 pm', 'market is closed'],
    ['buy 50 of VTI every Monday', 'Do you mean 50 shares or $50 of VTI?'],
    ['sell 10 AAPL if it hits 230', 'AAPL is at $230.00 now. Should AAPL fall below $230.00, or rise above?'],
    ['sell 10 SPY if it hits 500', 'Should SPY fall below $500.00, or rise above?'],
    ['sell 5 NVDA whenever it falls below 100', 'Did you mean "sell 5 NVDA once it falls below 100"?'],
    ['buy 3 NVDA if it dips 5%', 'An order can wait for a price, but not for a percentage.'],
    ['if KO is down 4 percent today buy 9', 'An order can wait for a price, but not for a percentage.'],
    ['sell 10 AAPL if it falls above 200', 'contradicts itself'],
    ['sell half my NVDA if it falls below 100', 'How many shares?'],
    ['sell 5 NVDA if AAPL falls below 100', 'the price of AAPL or of NVDA'],
    ['sell 5 NVDA if it falls below 100 by next Friday', 'Which Friday is "next Friday"?'],
    ['buy 5 AAPL every Monday if it is below 200', 'but not for both'],
    ['buy 5 AAPL every Monday gtc', 'good for the day'],
    ['sell 10 TSLA stop 200 every Monday', 'good for the day'],
    ['buy $200 of VTI every Monday / the same for KO limit 5', 'limit'],
    ['sell 5 NVDA if it falls below 100 / the same for KO', 'The earlier price was for NVDA'],
  ])('is a question where it may be two: %s', (said, question) => {
    const plan = planned(said.split(' / '));
    expect('refusal' in plan && plan.refusal.message).toContain(question);
  });

  it.each([
    'buy 5 AAPL if it rains',
    'buy 5 AAPL every now and then',
    'should AAPL fall below 200, should I buy 5?',
    'should KO fall below 55, buy 7?',
    'sell 5 AAPL if it falls below 200 or rises above 260',
    'buy $200 of VTI every other Monday',
    'buy $200 of VTI every Monday or Tuesday',
    'buy $200 of VTI every Monday unless it is above 200',
    'buy $200 of VTI every Monday at 10:00 in Berlin',
    'sell 5 NVDA if it falls below 5%',
    'sell 5 NVDA if it falls below 100 twice',
    'sell 5 NVDA if it falls below its average',
    "don't buy 5 AAPL every Monday",
    'every Monday',
    'what did I buy every Monday?',
  ])('is none where a word of it is not understood: %s', (sentence) => {
    expect(parsePrompt(sentence)).not.toHaveProperty('intents');
  });
});

describe('two conditions with an order each', () => {
  it.each([
    'if NVDA gets to 220 sell 20, and if instead it falls to 140 sell 10',
    'if NVDA climbs to 220 sell 20 and if it falls to 140 sell 10',
  ])('are two orders: %s', (text) => {
    const parsed = parsePrompt(text);
    const found = 'intents' in parsed ? parsed.intents : [];
    expect(
      found.map((one) => (one.kind === 'standing' ? `${one.request.symbol} ${one.request.qty}` : one.kind)),
    ).toEqual(['NVDA 20', 'NVDA 10']);
  });

  it.each([
    'if KO falls to 50 and if it is Monday buy 10',
    'if it falls to 140 sell 10',
    'sell 5 AAPL if it falls below 200 and if MSFT rises above 400',
  ])('are not in: %s', (text) => expect('refusal' in parsePrompt(text)).toBe(true));
});

describe('a recurrence in other words', () => {
  it.each([
    ['on the first business day of each month put $300 in VTI', 'month'],
    ['every first of the month please put 200 dollar in VTI, automatic', 'month'],
    ['every Monday, $75 to go into VTI', 'monday'],
  ])('%s', (text, every) => {
    const parsed = parsePrompt(text);
    expect('intents' in parsed && parsed.intents).toEqual([
      expect.objectContaining({
        kind: 'standing',
        when: { every },
        request: expect.objectContaining({ symbol: 'VTI' }),
      }),
    ]);
  });

  it.each([
    'on the last business day of each month put $300 in VTI',
    'the fifteenth of every month buy one share of KO',
    'buy $100 of VTI monthly and stop after twelve',
  ])('that the gateway does not have is no order: %s', (text) => expect('refusal' in parsePrompt(text)).toBe(true));
});
