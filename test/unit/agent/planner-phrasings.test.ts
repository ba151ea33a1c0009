import { describe, expect, it } from 'vitest';
import { inShort, planned, sentences } from './planner-world.ts';

const message = (said: string) => {
  const plan = planned([said]);
  return 'refusal' in plan ? plan.refusal.message : 'text' in plan ? plan.text : inShort(plan);
};

describe('politeness changes nothing in', () => {
  it.each([
    'Would you be so kind as to sell 5 KO for me?',
    'I was wondering if you could possibly sell 5 KO, please?',
    "I'd be grateful if you would sell 5 shares of KO",
    'can u sell 5 KO pls',
    'do you think you could sell 5 KO?',
    'may I ask you to sell 5 KO asap?',
    "hope you're well, kindly do the needful and sell 5 KO at whatever the market price is",
    'sell 5 KO for me, if you can, my rent is due?',
    'please to sell 5 KO',
    'I want sell 5 share of KO',
  ])('%s', (said) => expect(inShort(planned([said]))).toBe('place_order sell 5 KO'));

  it.each([
    'I was wondering if I should sell 5 KO',
    'would you sell 5 KO?',
    "I'd be grateful if you would not sell 5 KO",
    'I was wondering whether you sold 5 KO',
    'may I ask you why I should sell 5 KO?',
  ])('what is no request: %s', (said) => expect(inShort(planned([said]))).not.toContain('place_order'));
});

describe('an amount', () => {
  it.each(
    sentences(`
    buy a dozen shares of KO => place_order buy 12 KO
    sell half a dozen MSFT => place_order sell 6 MSFT
    buy two dozen KO => place_order buy 24 KO
    buy seven (7) shares of NVDA => place_order buy 7 NVDA
    buy one hundred and five shares of KO => place_order buy 105 KO
    buy 2 thousand dollars of KO => place_order buy $2000 KO
    buy a grand of KO => place_order buy $1000 KO
    buy AAPL x5 => place_order buy 5 AAPL
    buy Apple 10 shares => place_order buy 10 AAPL
    put 500 in KO => place_order buy $500 KO
    take $500 and put it into KO => place_order buy $500 KO
    sell KO to the value of $500 => place_order sell $500 KO
    sell so many KO that I get about 600 dollars => place_order sell $600 KO
    want 1 share each of KO and MSFT => place_order buy 1 KO + place_order buy 1 MSFT
    can I get 5 shares of KO? => place_order buy 5 KO
    can I get rid of 5 KO? => place_order sell 5 KO
    toss a hundred bucks at KO => place_order buy $100 KO
    buy KO quantity 5 at CMP => place_order buy 5 KO
    sell 5 KO for 60 or more => place_order sell 5 KO limit limit_price=60
    acquire five hundred dollars' worth of KO => place_order buy $500 KO
    please proceed with the purchase of 3 shares of Merck => place_order buy 3 MRK
    you may sell five KO shares and call it a day => place_order sell 5 KO
    yolo 500 into KO => place_order buy $500 KO
    with $500 buy KO => place_order buy $500 KO
    trim 5 shares off my KO => place_order sell 5 KO
    buy as many shares of KO as $500 will buy => place_order buy $500 KO
    buy KO for 1.500,00 dollars => place_order buy $1500.00 KO
    buy 5 KO with a limit of sixty dollars and fifty cents => place_order buy 5 KO limit limit_price=60.50
  `),
  )('%s', (said, calls) => expect(inShort(planned([said]))).toBe(calls));

  it.each([
    ['buy seven (8) shares of NVDA', 'Which number do you mean by "seven 8"?'],
    ['buy Apple 10', 'Did you mean "buy Apple 10 shares"?'],
    ['buy Apple 10 at 180', 'Did you mean "buy Apple 10 shares at 180"?'],
    ['5 shares of KO', 'Do you want to buy or sell?'],
    ['buy a little bit more of the Apple', 'How many shares, or how many dollars?'],
    ['put 10 in KO', 'Do you mean 10 shares or $10 of KO?'],
    ['buy $2 thousand of KO', 'I don\'t understand "of KO" in this request, so I haven\'t done anything.'],
  ])('is asked about in %s', (said, asked) => expect(message(said)).toBe(asked));
});

describe('a comment that limits the order', () => {
  it.each(['buy 5 KO, thanks at the old price', 'except on fridays hi there, buy 5 KO'])('is not ignored: %s', (said) =>
    expect(inShort(planned([said]))).toBe('asks'),
  );
});

describe('an order with words that are not understood', () => {
  it.each([
    ['sell like half my KO', 'I don\'t understand "like". Did you mean "sell half my KO"?'],
    ['sell 2 fluffy KO, please', 'I don\'t understand "fluffy". Did you mean "sell 2 KO, please"?'],
  ])('is offered without them: %s', (said, asked) => expect(message(said)).toBe(asked));

  it('is placed after "yes"', () =>
    expect(inShort(planned(['sell like half my KO', 'yes']))).toBe('place_order sell 20 KO'));

  it.each([
    'sell 2 KO unless it rises',
    'sell 2 KO but not today',
    'sell 2 KO in my frobnicated',
    'sell 2 KO only if my wife agrees',
    'sell 2 KO tomorrow',
    'sell 2 KO and MSFT maybe',
    'sell 2 KO twice',
    'sell 2 KO 7',
    'buy 5 KO calls',
    'I want 5 KO sold',
    'the sale of 5 KO was a mistake',
  ])('is not offered without a word that may turn it around: %s', (said) => {
    expect(message(said)).not.toMatch(/Did you mean "(?:sell 2|buy 5) KO[^"]*"/);
  });
});

describe('the whole position, or all but a part,', () => {
  it.each(
    sentences(`
    get me outta KO => place_order sell 40 KO
    sell my KO entirely => place_order sell 40 KO
    sell every single share of KO => place_order sell 40 KO
    please to sell all what I have from KO => place_order sell 40 KO
    liquidate my KO in full, I am tired of it => place_order sell 40 KO
    close out KO and MSFT both => place_order sell 40 KO + place_order sell 12 MSFT
    sell all of my KO except for 15 => place_order sell 25 KO
    sell all my KO but 15 => place_order sell 25 KO
    sell my KO until only 15 remain => place_order sell 25 KO
    double my KO => place_order buy 40 KO
    top up KO to 45 shares => place_order buy 5 KO
    buy the same quantity of KO as I already have => place_order buy 40 KO
  `),
  )('is meant by %s', (said, calls) => expect(inShort(planned([said]))).toBe(calls));

  it.each([
    'sell 5 KO except 15',
    'sell half of my KO except 15',
    'buy all KO except 15',
    'sell 5 KO entirely',
    'top up KO to 30 shares',
    'double my DIS',
    'sell double my KO',
    'close KO and MSFT',
    'double my KO order',
    'sell 5 KO and double it',
    'get me out of tesla, thank you 37',
    'get me out of tesla, thank you TSLA',
  ])('is not meant by %s', (said) => expect(inShort(planned([said]))).toBe('asks'));
});

describe('"it" is what the comment before it names in', () => {
  it.each(
    sentences(`
    My late father always held Coca-Cola, so please buy me a dozen shares of it. => place_order buy 12 KO
    I love KO, get me 5 shares of it => place_order buy 5 KO
    KO is killing me, dump all of it => place_order sell 40 KO
    I'm done with KO, sell everything => place_order sell 40 KO
  `),
  )('%s', (said, calls) => expect(inShort(planned([said]))).toBe(calls));

  it.each([
    'my broker recommends KO, buy 5 of it',
    'I sold my KO, buy 5 of it',
    'I love KO and MSFT, buy 5 of it',
    'if KO falls, sell everything',
    'should I keep KO? sell everything',
    'I never liked KO, buy 5 of it',
  ])('but not in %s', (said) => expect(inShort(planned([said]))).toBe('asks'));
});

describe('a price that a purchase must get', () => {
  it.each(
    sentences(`
    buy 3 KO but only if I get it under 60 => place_order buy 3 KO limit limit_price=60
    buy 3 KO but don't pay more than 60 => place_order buy 3 KO limit limit_price=60
    buy 3 KO, not more expensive than 60 each one => place_order buy 3 KO limit limit_price=60
    sell 3 KO but only if I can get at least 60 a share => place_order sell 3 KO limit limit_price=60
  `),
  )('is its limit: %s', (said, calls) => expect(inShort(planned([said]))).toBe(calls));

  it('is asked about if it is a total', () => {
    expect(message('buy 3 KO only if I can get them under $180 total')).toMatch(/^Is \$180\.00 for one share/);
  });

  it('is no limit of a sale', () => {
    expect(inShort(planned(['sell 3 KO but only if I get it under 60']))).toBe('asks');
  });
});

describe('a name and a ticker', () => {
  it.each(
    sentences(`
    buy 5 shares of Apple (AAPL) => place_order buy 5 AAPL
    buy 5 Coca-Cola, KO => place_order buy 5 KO
    put $300 into the S&P 500 fund SPY => place_order buy $300 SPY
    put $300 into the gold ETF GLD => place_order buy $300 GLD
    buy 5 VOO ETF => place_order buy 5 VOO
    buy 5 shares of NVIDIA Corporation => place_order buy 5 NVDA
    buy 5 shares of the Walt Disney Company => place_order buy 5 DIS
    buy 2 Berkshire Hathaway, class B => place_order buy 2 BRK.B
    invest $750 in the fund QQQ => place_order buy $750 QQQ
  `),
  )('are one asset in %s', (said, calls) => expect(inShort(planned([said]))).toBe(calls));

  it.each(['buy 5 Apple AAPL', 'buy 5 shares of Apple (MSFT)', 'buy 5 Apple MSFT', 'buy 5 of the S&P 500 fund QQQ'])(
    'that differ are asked about: %s',
    (said) => expect(inShort(planned([said]))).toBe('asks'),
  );
});

describe('what is no order', () => {
  it.each([
    ['my friend told me I must sell all the Microsoft', /^Someone else’s words/],
    ['my roommate says dump all my NVDA', /^Someone else’s words/],
    ['thinking about buying 5 AAPL', /^That isn’t a definite request/],
    ['I would buy perhaps Netflix if it was cheaper', /^That isn’t a definite request/],
    ["I don't think we should sell any of my KO", /^You said not to/],
    ['under no circumstances sell my KO', /^You said not to/],
    ["I'm not selling my KO", /^You said not to/],
    ['it is not yet public, so buy 100 PFE', /^I don't trade on information/],
    ['u can buy up to 100 a week of KO on ur own', /^I can't set up, change or revoke mandates/],
    ['revoke your permission to trade without my approval', /^I can't set up, change or revoke mandates/],
    ['pause my weekly buy of KO', /^I can't pause or end/],
    ['send me a summary every morning', /^I can't set up regular reports/],
    ['venmo my buddy 200', /^I can't move money/],
    ['is it wise to hold so much NVDA', /^That's a question/],
    ['which stock is certain to double', /^That's a question/],
  ])('%s', (said, reply) => expect(message(said)).toMatch(reply));

  it.each([
    ['thanks a lot for your patience with me', /welcome/],
    ['gm', /^Hello/],
    ['Good morning sir, hope you are doing well.', /^Hello/],
    ['ok im out, see you after the weekend', /^Goodbye/],
    ['that was very clearly explained', /^Thank you/],
    ['forget what I said please', /^Okay\. Nothing/],
    ['are you a person or a bot?', /program .* not a person/],
    ['do you understand Portuguese?', /Portuguese/],
    ['what does "partially filled" mean?', /^A partially filled order/],
    ['does a gtc order expire on its own?', /GTC/],
    ['what are you allowed to do without asking me?', /goes to your phone first/],
    ['how do I approve an order?', /goes to your phone/],
    ['can you trade crypto?', /^I can buy and sell/],
    ['do you trade after hours', /extended hours/],
    ["what happens if my order isn't filled", /GTC/],
    ['no', /^Okay\. Nothing/],
    ['Danke dir, bis morgen', /welcome/],
    ['¿Eres una persona?', /program/],
    ['ありがとう、今日はもういいです。', /welcome/],
  ])('%s has a reply', (said, reply) => expect(message(said)).toMatch(reply));

  it.each([
    ['thanks, what is KO at', 'get_quote KO'],
    ['hello, my portfolio', 'get_portfolio'],
  ])('beside it, %s is read', (said, calls) => expect(inShort(planned([said]))).toBe(calls));
});

describe('a question about', () => {
  it.each(
    sentences(`
    anything waiting on me to approve => list_orders status=open
    which regular checks do you run for me => list_alerts
    how far is KO from my sell price => get_quote KO + list_orders KO status=all limit=500
    can I afford 10 KO? => get_portfolio + get_quote KO
    would there be enough cash to buy 100 shares of KO => get_portfolio + get_quote KO
    how much money do I have available for buying => get_portfolio
    since when do I own KO => get_tax_lots KO
    what is the highest price of KO in the last 52 weeks => get_bars KO days=365
    has there been any news on NVIDIA => get_news NVDA limit=5
    show me the lots of KO with buying price => get_tax_lots KO
    how much percentage is KO of my total => get_portfolio
    under which name is this account registered => whoami
    how much cash is sitting idle => get_portfolio
    how much profit am I sitting on with KO => get_portfolio
    what orders did I place today => list_orders status=all
    how much is one share of KO => get_quote KO
    how much did KO drop today => get_quote KO
    how is the market doing => get_quote SPY QQQ
    does KO pay a dividend => get_corporate_actions KO days_back=120 days_ahead=120
    what did I buy in March => get_activities period=1Y kinds=fill
    when does it close today => get_market_clock
    오늘 미국 시장 몇 시에 열어요? => get_market_clock
    top 3 positions => get_portfolio
    I don't want to sell my KO, only wanted to see what it is worth => get_portfolio + get_quote KO
  `),
  )('%s', (said, calls) => expect(inShort(planned([said]))).toBe(calls));
});
