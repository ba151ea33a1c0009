import { describe, expect, it } from 'vitest';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { inShort, planned, sentences } from './planner-world.ts';

const said = (turns: string) => inShort(planned(turns.split(' / ')));
const refusal = (turn: string) => {
  const plan = planned([turn]);
  return 'refusal' in plan ? `${plan.refusal.message} ${plan.refusal.hint}` : inShort(plan);
};

describe('a price that is said by its distance', () => {
  it.each(
    sentences(`
    sell 5 AAPL stop 10% below the current price => place_order sell 5 AAPL stop stop_price=207
    stop loss on AAPL 10% under where its at now, all 4 => place_order sell 4 AAPL stop stop_price=207
    put a stop loss on my AAPL $20 below the current price => place_order sell 10 AAPL stop stop_price=210
    sell 5 NVDA if it falls 10% from here => place_order sell 5 NVDA stop time_in_force=gtc stop_price=126
    sell 5 NVDA if it drops by more than 10% from its current price => place_order sell 5 NVDA stop time_in_force=gtc stop_price=126
    put a stop loss 10% below my cost on my AAPL => place_order sell 10 AAPL stop stop_price=90
    sell 4 AAPL 10% above the current price => place_order sell 4 AAPL limit limit_price=253
    buy 4 AAPL 10% below the current price => place_order buy 4 AAPL limit limit_price=207
    buy 4 AAPL with a 10% stop loss => place_order buy 4 AAPL order_class=oto stop_loss_stop_price=207
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    ['put a 10% stop loss on my AAPL', /of which price: the current one, or the one that you paid/],
    ['sell 4 AAPL 10% below the current price', /A stop sells below the price/],
    ['sell 5 SPY stop 10% below the current price', /current price of SPY/],
    ['sell 5 AAPL stop 100% below the current price', /above zero/],
    ['buy 4 AAPL stop loss 10% below my cost', /my cost/],
    ['sell 5 NVDA if it falls 10% in a day', /not for a percentage/],
    ["don't sell 5 NVDA if it falls 10% from here", /not/],
  ])('is a question or refused: %s', (turn, message) => {
    expect(said(turn)).toBe('asks');
    expect(refusal(turn)).toMatch(message);
  });
});

describe('a stop without a verb protects the position', () => {
  it.each(
    sentences(`
    stop loss on AAPL at 150 => place_order sell 10 AAPL stop stop_price=150
    set a stop on NVDA at 110 for all 5 => place_order sell 5 NVDA stop stop_price=110
    stop limit on KO, trigger 54 limit 53, all 10 shares => place_order sell 10 KO stop_limit stop_price=54 limit_price=53
    trail my MSFT by $15 => place_order sell 12 MSFT trailing_stop trail_price=15
    trail NVDA by 8 bucks, 7 shares => place_order sell 7 NVDA trailing_stop trail_price=8
    put a 5% trailing stop on my NVDA bag, whole thing => place_order sell 20 NVDA trailing_stop trail_percent=5
    take profit at 250 and stop at 200 on my AAPL => place_order sell 10 AAPL limit order_class=oco take_profit_limit_price=250 stop_loss_stop_price=200
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    'what is a stop loss on AAPL?',
    'no stop loss on AAPL at 150',
    'my friend has a stop loss on AAPL at 150',
    '5 AAPL stop 90',
    'sell all 3 of my AAPL',
    'sl 5 AAPL',
    'sl $500 of AAPL for 77 a share',
    'sl 5 AAPL at 77',
    'buy 3 AAPL and sell but 3 AAPL',
  ])('not in: %s', (turn) => {
    expect(said(turn)).not.toContain('place_order');
  });
});

describe('a size that depends on the position or the account', () => {
  it.each(
    sentences(`
    double my KO => place_order buy 40 KO
    please double my position in KO => place_order buy 40 KO
    triple my KO => place_order buy 80 KO
    increase my KO by half => place_order buy 20 KO
    increase my KO by 5 shares => place_order buy 5 KO
    top up KO to 50 shares => place_order buy 10 KO
    buy MSFT until I have 15 => place_order buy 3 MSFT
    sell KO until I have 15 => place_order sell 25 KO
    put 5% of my portfolio into GLD => place_order buy $2500 GLD
    make NVDA 4% of my portfolio => place_order sell 6 NVDA
    reduce nvidia to no more than 4 per cent of my portfolio => place_order sell 6 NVDA
    I want NVDA to be like 4% of my port max, sell down to that => place_order sell 6 NVDA
    bring MSFT up to 15% of my account => place_order buy 5 MSFT
    get my apple down to 1k => place_order sell 6 AAPL
    trim AAPL to $1,000 => place_order sell 6 AAPL
    get my KO down to 15 shares => place_order sell 25 KO
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    ['reduce KO to no more than 50% of my portfolio', /nothing to sell/],
    ['bring MSFT up to 1% of my account', /nothing to buy/],
    ['top up KO to 10 shares', /nothing to buy up to 10/],
    ['double my SPY', /You hold no SPY/],
    ['make NVDA 4% of my portfolio unless it fell', /unless/],
    ['trim NVDA to 4%', /"to"/],
    ["don't double my KO", /\w/],
    ['should I double my KO?', /question/],
    ['buy up to 15 shares of KO', /\w/],
  ])('is refused: %s', (turn, message) => {
    expect(said(turn)).not.toContain('place_order');
    expect(refusal(turn)).toMatch(message);
  });
});

describe('an amount for several', () => {
  it.each(
    sentences(`
    split $900 between AAPL, MSFT and NVDA => place_order buy $300 AAPL + place_order buy $300 MSFT + place_order buy $300 NVDA
    split 3k evenly between AAPL and MSFT => place_order buy $1500 AAPL + place_order buy $1500 MSFT
    divide $100 equally among AAPL, MSFT and KO => place_order buy $33.33 AAPL + place_order buy $33.33 MSFT + place_order buy $33.33 KO
    buy 10 shares of AAPL and MSFT, split evenly => place_order buy 5 AAPL + place_order buy 5 MSFT
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    'split 10 shares between AAPL, MSFT and KO',
    'split $900',
    'split $900 between AAPL',
    'split 10 between AAPL and KO',
  ])('is refused: %s', (turn) => {
    expect(said(turn)).toBe('asks');
  });
});

describe('how else an order is said', () => {
  it.each(
    sentences(`
    I want a stop loss on my AAPL at 150 => place_order sell 10 AAPL stop stop_price=150
    get me a trailing stop of 5% on my NVDA => place_order sell 20 NVDA trailing_stop trail_percent=5
    get me 5 AAPL stop 250 => place_order buy 5 AAPL stop stop_price=250
    put a trailing stop on my NVDA, 5% => place_order sell 20 NVDA trailing_stop trail_percent=5
    place a buy stop on AAPL for four shares at $250 => place_order buy 4 AAPL stop stop_price=250
    sell stop on KO for 4 shares at 50 => place_order sell 4 KO stop stop_price=50
    buy 10 AAPL, take profit by 250 and stop by 200, together in one order => place_order buy 10 AAPL take_profit_limit_price=250 stop_loss_stop_price=200 order_class=bracket
    I need $500 from my KO => place_order sell $500 KO
    trail NVDA by 8 bucks, 7 shares only => place_order sell 7 NVDA trailing_stop trail_price=8
    for the NVDA shares, please set up a trailing stop of eight percent on the whole position => place_order sell 20 NVDA trailing_stop trail_percent=8
    regarding my MSFT position, sell half of it => place_order sell 6 MSFT
    on KO, sell 5 shares. => place_order sell 5 KO
    buy 3 NVDA limit 120, and keep it open until it fills => place_order buy 3 NVDA limit limit_price=120 time_in_force=gtc
    need like $500 out of KO => place_order sell $500 KO
    invest $1000 half in AAPL and half in KO => place_order buy $500 AAPL + place_order buy $500 KO
    acquire 200 dollars' worth each of AAPL and KO => place_order buy $200 AAPL + place_order buy $200 KO
    add six shares of MSFT to what I already have, paying at most $410 apiece, and let the order lapse at the close today if it is not filled => place_order buy 6 MSFT limit limit_price=410 time_in_force=day
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    ['I need $500 from my landlord', 'place_order'],
    ['invest $1000 half in AAPL', 'place_order'],
    ['could you (maybe) buy 3 AAPL', 'place_order'],
    ['for my sister, sell 5', 'place_order'],
    ['on KO, sell 5 MSFT if it falls', 'place_order'],
    ['trail NVDA by 8 bucks, 7 only', 'place_order'],
    ['I need $500 from my KO and my AAPL', 'place_order'],
    ['buy 5 AAPL limit 180 day gtc', 'place_order'],
  ])('none in: %s', (turn, call) => {
    expect(said(turn)).not.toContain(call);
  });
});

describe('a swap', () => {
  it.each(
    sentences(`
    swap my KO for AAPL => place_order sell 40 KO + place_order buy $2400 AAPL
    all my KO out and into AAPL please => place_order sell 40 KO + place_order buy $2400 AAPL
    swap half my KO → AAPL => place_order sell 20 KO + place_order buy $1200 AAPL
    swap my coca cola for pepsico, all of it => place_order sell 40 KO + place_order buy $2400 PEP
    swap 5 NVDA for MSFT => place_order sell 5 NVDA + place_order buy $700 MSFT
    sell half my KO and put the proceeds into AAPL => place_order sell 20 KO + place_order buy $1200 AAPL
    sell $500 of KO and use the money for AAPL => place_order sell $500 KO + place_order buy $500 AAPL
    sell 5 NVDA and buy MSFT with the proceeds => place_order sell 5 NVDA + place_order buy $700 MSFT
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    'swap KO for KO',
    'swap my KO for AAPL or MSFT',
    'swap my KO for 5 AAPL if it falls',
    'sell 5 NVDA at 200 and put the proceeds into MSFT',
    "don't swap my KO for AAPL",
    'should I swap my KO for AAPL?',
    'my brother says swap your KO for AAPL',
    'sell 5 NVDA and buy MSFT with the proceeds, but not today',
  ])('is none in: %s', (turn) => {
    expect(said(turn)).not.toContain('place_order');
  });
});

describe('what no order can do is said', () => {
  it.each([
    ['buy 5 AAPL limit 180 good until Friday', /end on a date|end "until Friday"/],
    ['buy 5 AAPL limit 180, good for 30 days', /end on a date/],
    ['buy 5 AAPL tomorrow', /on a later day/],
    ['buy 5 AAPL on Friday', /on a later day/],
    ['sell 12 KO at 1 pm', /"at 1 pm"/],
    ['buy $25 of VTI every other Friday', /"every other Friday"/],
    ['buy $25 of VTI every two weeks', /"every two weeks"/],
    ['buy $25 of VTI quarterly', /"quarterly"/],
    ['stop my weekly buys', /pause or end recurring/],
    ['pause my monthly VTI purchase', /pause or end recurring/],
    ['cancel my recurring order', /pause or end recurring/],
    ['when my AAPL order fills, sell 5 AAPL stop 170', /until another one fills/],
    ['you may buy up to $200 of VOO a week without asking me', /mandates/],
    ['sell 5 AAPL if it crosses its 200 day moving average', /news or indicators/],
  ])('%s', (turn, message) => {
    expect(said(turn)).toBe('asks');
    expect(refusal(turn)).toMatch(message);
  });
});

describe('what is forbidden beside what is asked', () => {
  it('leaves the forbidden part alone', () => {
    expect(said("don't cancel the apple order, cancel only the coke one")).toBe('asks');
    expect(parsePrompt("don't cancel the AAPL order, cancel only the KO one")).toEqual({
      intents: [{ kind: 'cancel', which: { symbol: 'KO', many: false } }],
    });
    expect(parsePrompt("don't sell my AAPL, sell 5 KO")).toMatchObject({ intents: [{ request: { symbol: 'KO' } }] });
  });

  it.each([
    "don't cancel the AAPL order unless it fell, cancel the KO order",
    "don't sell 5 AAPL",
    'never sell my AAPL, ok',
  ])('does nothing in: %s', (turn) => {
    expect(parsePrompt(turn)).not.toHaveProperty('intents');
  });
});

describe('a recurring order without a verb buys', () => {
  it.each(
    sentences(`
    $25 of VTI each Wednesday => place_standing_order buy $25 VTI every=wednesday
    buy $25 of VTI every Friday until I say stop => place_standing_order buy $25 VTI every=friday
    buy $25 of VTI every Friday from now on => place_standing_order buy $25 VTI every=friday
    buy $200 of VTI at the beginning of each month => place_standing_order buy $200 VTI every=month
    buy $200 of VTI every first of the month => place_standing_order buy $200 VTI every=month
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each(['5 VTI each Wednesday', 'no $25 of VTI each Wednesday', 'buy 5 AAPL from now on'])('not in: %s', (turn) => {
    expect(parsePrompt(turn)).not.toHaveProperty('intents');
  });
});

describe('an order that brings the cash to an amount', () => {
  it.each(
    sentences(`
    sell just enough nvda to bring my cash up to an even 50,000 => place_order sell $23040 NVDA
    sell enough NVDA until I have 50k in cash => place_order sell $23040 NVDA
    all my cash except 4k goes into SPY => place_order buy $22960 SPY
    put all my cash but 4k into SPY => place_order buy $22960 SPY
    spend on SPY until I'm down to $3,000 cash left => place_order buy $23960 SPY
    buy as many whole shares of NVDA as $1,800 will cover, with nothing fractional => place_order buy 12 NVDA
    put 500 of my cash into SPY => place_order buy $500 SPY
    use 400 of my cash for SPY => place_order buy $400 SPY
    please place 5% of the portfolio's value into SPY => place_order buy $2500 SPY
    I want exactly 50 AAPL total so buy however many I'm missing => place_order buy 40 AAPL
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    'sell just enough nvda to bring my cash up to 500',
    "spend on SPY until I'm down to $3,000,000 cash left",
    'sell all my cash except 4k into SPY',
    'put all my cash except 4k',
    "don't put all my cash except 4k into SPY",
    'should I put all my cash except 4k into SPY?',
    'buy as many whole shares of NVDA as $18 will cover',
    'place 5% of my KO',
  ])('but not in: %s', (turn) => {
    expect(said(turn)).not.toContain('place_order');
  });
});

describe('a swap in other words', () => {
  it.each(
    sentences(`
    swap 10 of my KO for SPY, same money => place_order sell 10 KO + place_order buy $600 SPY
    turn $750 of my nvda into MSFT => place_order sell $750 NVDA + place_order buy $750 MSFT
    trim nvda by a quarter and put whatever I get into SPY => place_order sell 5 NVDA + place_order buy $700 SPY
    sell 5 shares of Microsoft and use the proceeds, whatever they turn out to be, to buy SPY => place_order sell 5 MSFT + place_order buy $2100 SPY
    sell my 30 KO and with that same amount buy SPY => place_order sell 30 KO + place_order buy $1800 SPY
    exchange my entire Nvidia holding for an equal dollar amount of SPY => place_order sell 20 NVDA + place_order buy $2800 SPY
    move 2 grand from nvidia over to SPY => place_order sell $2000 NVDA + place_order buy $2000 SPY
    replace half of my Apple holding with MSFT => place_order sell 5 AAPL + place_order buy $1150 MSFT
    first sell ten Apple, after that buy me two MSFT => place_order sell 10 AAPL + place_order buy 2 MSFT
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    'change my AAPL order to MSFT',
    'replace AAPL with MSFT on my watchlist',
    'sell 5 MSFT and use the proceeds to buy 3 SPY',
    'trade 5 NVDA for 5 AMD',
    'has anyone gotten rich swapping KO for AAPL?',
    'move my KO stop to AAPL',
  ])('but not in: %s', (turn) => {
    expect(said(turn)).not.toContain('place_order');
  });
});

describe('target weights in other words', () => {
  const targets = (text: string) => {
    const parsed = parsePrompt(text);
    const [intent] = 'intents' in parsed ? parsed.intents : [];
    return intent?.kind === 'rebalance'
      ? intent.targets.map(({ symbol, weight }) => `${symbol} ${weight}`).join(', ')
      : (intent?.kind ?? 'asks');
  };

  it.each(
    sentences(`
    make that my portfolio stays 60 percent SPY, 30 percent AAPL and the rest in cash => SPY 0.6, AAPL 0.3, cash 0.1
    I would like my portfolio brought to 50 percent SPY, 30 percent Apple and 20 percent Microsoft => SPY 0.5, AAPL 0.3, MSFT 0.2
    rebalance me to half SPY, a quarter Apple, the rest cash => SPY 0.5, AAPL 0.25, cash 0.25
    I want 40% in VTI, 40% in Apple and 20% in cash => VTI 0.4, AAPL 0.4, cash 0.2
    get my account to 70% SPY and 30% BND => SPY 0.7, BND 0.3
    split my portfolio 60/40 between SPY and Coca-Cola => SPY 0.6, KO 0.4
    my portfolio should be 50% Apple and 50% Microsoft => AAPL 0.5, MSFT 0.5
    change my portfolio to 60% VTI and 40% BND => VTI 0.6, BND 0.4
    Make the whole account 50% SPY, 30% Microsoft and leave the rest in cash. => SPY 0.5, MSFT 0.3, cash 0.2
    40/40/20 apple nvidia coke, nothing else, no cash left over => AAPL 0.4, NVDA 0.4, KO 0.2
    I'd feel better with a quarter each in JPM, KO, AAPL and plain dollars. Can you set that up? => JPM 0.25, KO 0.25, AAPL 0.25, cash 0.25
    bring my portfolio to these weights: VTI 60, BND 25, Ford 5, remaining ten stays uninvested => VTI 0.6, BND 0.25, F 0.05, cash 0.1
    move everything around so that Coca-Cola is 20%, Apple is 30% and everything else goes to SPY => KO 0.2, AAPL 0.3, SPY 0.5
    one third in Nvidia, one third in SPY, one third in cash please, nothing else => NVDA 0.333333334, SPY 0.333333333, cash 0.333333333
    split my account equally between SPY and KO => SPY 0.5, KO 0.5
    rebalance: AAPL=.4 MSFT=.6 => AAPL 0.4, MSFT 0.6
  `),
  )('%s => %s', (text, expected) => expect(targets(text)).toBe(expected));

  it.each([
    'my portfolio is 50% Apple and 50% Microsoft',
    'is my portfolio 50% Apple and 50% Microsoft?',
    'I want 50% of my portfolio in SPY',
    'get 40% SPY and 60% KO',
    'make my portfolio 50 SPY 30 MSFT',
    'my portfolio should be 50% Apple and 30% Microsoft',
    'what should my portfolio be, 50% Apple and 50% Microsoft',
    'go for Apple 45%, Microsoft 45% and Ford 20%',
    'make my account 60% SPY and leave the remaining 30% in cash',
    'put 20% of my cash into VTI and 30% into BND',
    'what split am I at between stocks, coins and cash?',
  ])('but not in: %s', (text) => expect(targets(text)).not.toMatch(/\d/));
});

describe('a sale that raises an amount of another clause', () => {
  it.each(
    sentences(`
    sell AAPL til I'm down to like 1 grand worth of it => place_order sell 6 AAPL
    sell AAPL until I'm down to 4 shares => place_order sell 6 AAPL
    need 500 cash asap, sell enough nvda to get there => place_order sell $500 NVDA
    I need to raise $500, take it out of my Apple => place_order sell $500 AAPL
    since I have a tuition bill of $3,200 coming due, please sell just enough of my Apple stock to raise that amount => place_order sell $3200 AAPL
  `),
  )('%s', (turns, comesTo) => {
    expect(said(turns)).toBe(comesTo);
  });

  it.each([
    'I need $500 of MSFT, sell enough NVDA to get there',
    'do I need $500? sell enough NVDA to get there',
    'I need 500, take it out of my Apple',
    'I need $500, sell enough NVDA and KO to get there',
    'I need $500 and $300, sell enough NVDA to get there',
    'if I need $500, sell enough NVDA to get there',
  ])('but not in: %s', (turn) => {
    expect(said(turn)).not.toContain('place_order');
  });
});
