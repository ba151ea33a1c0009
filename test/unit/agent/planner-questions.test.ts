import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inShort, orderId, planned } from './planner-world.ts';

describe('a question about an order is no order', () => {
  it.each([
    'would you buy 5 AAPL?',
    'would you buy 5 AAPL',
    'Would you sell all my AAPL and NVDA?',
    'would you cancel all orders?',
    'would you buy $200 of VTI every Monday?',
    'would you change my AAPL order to limit 185?',
    'hey, would you sell half my MSFT?',
    'should I buy 5 AAPL?',
    'should we sell all my KO and buy 5 AAPL?',
    'could you imagine selling 5 AAPL?',
    'what if I bought 5 AAPL?',
    'do you think I should sell 5 AAPL?',
    'is it smart to buy 5 AAPL now?',
    'can I buy 5 AAPL?',
    "wouldn't you dump all my KO?",
    'I wonder if I should buy 5 AAPL',
    'if NVDA falls below 100, would you sell 5 NVDA?',
    'quote AAPL and should I buy 5?',
  ])('%s', (text) => {
    const plan = planned([text]);
    expect(plan).toMatchObject({
      refusal: { code: 'usage', message: "That's a question, so I haven't done anything." },
    });
  });
});

describe('a polite request is what it asks for', () => {
  it.each([
    ['could you buy 5 AAPL?', 'place_order buy 5 AAPL'],
    ['can you sell 3 MSFT?', 'place_order sell 3 MSFT'],
    ['would you please buy 5 AAPL', 'place_order buy 5 AAPL'],
    ['would you kindly buy 5 AAPL?', 'place_order buy 5 AAPL'],
    ['would you buy 5 AAPL for me, please?', 'place_order buy 5 AAPL'],
    ['would you buy me 5 AAPL?', 'place_order buy 5 AAPL'],
    ['please, would you sell half my MSFT', 'place_order sell 6 MSFT'],
    ['could you please cancel my AAPL order?', `cancel_order order_id=${orderId}`],
    ['would you show me my portfolio?', 'get_portfolio'],
    ['would selling KO be a wash sale?', 'check_wash_sale KO'],
    ['would 5 AAPL pass my rules?', 'check_rules buy 5 AAPL'],
  ])('%s', (text, comesTo) => {
    expect(inShort(planned([text]))).toBe(comesTo);
  });
});

const document = readFileSync(new URL('planner-sentences.md', import.meta.url), 'utf8');

/** The lines of a list in planner-sentences.md: a conversation, and what it comes to. */
function list(name: string): [said: string, comesTo: string][] {
  const block = new RegExp(`\`\`\`phrasings ${name}\\n([\\s\\S]*?)\`\`\``).exec(document)?.[1] ?? '';
  return block
    .trim()
    .split('\n')
    .map((line) => line.split(' => ') as [string, string]);
}

const answerable = list('answerable');
const beyond = list('beyond');

describe('the ninety phrasings of planner-sentences.md', () => {
  it('are ninety, of which today’s tools can answer 67', () => {
    expect([answerable.length, beyond.length]).toEqual([67, 23]);
    expect(new Set([...answerable, ...beyond].map(([said]) => said)).size).toBe(90);
  });

  it('are understood where they can be answered, nine in ten at least', () => {
    const understood = answerable.filter(([said]) => inShort(planned(said.split(' / '))) !== 'asks');
    expect(understood.length / answerable.length).toBeGreaterThanOrEqual(0.9);
  });

  it.each([...answerable, ...beyond])('%s => %s', (said, comesTo) => {
    expect(inShort(planned(said.split(' / ')))).toBe(comesTo);
  });
});

describe('a question in other words', () => {
  it.each([
    ['hows msft doing this month', 'get_bars MSFT days=30'],
    ['did my KO order go through', 'get_quote KO + list_orders KO status=all,limit=500'],
    ['how many percent minus is my account today', 'get_portfolio'],
    ['what percentage of my portfolio is KO and NVDA', 'get_portfolio + get_portfolio'],
    ['why is tesla tanking', 'get_quote TSLA + get_news TSLA limit=5'],
    ['is the market open on friday', 'get_calendar days=14'],
    ['is the market open on black friday', 'get_calendar days=366'],
    ['is Wall Street open the day after Thanksgiving, and if so until when?', 'get_calendar days=366'],
    ['is the market open on December 24?', 'get_calendar days=366'],
    ['are the markets closed on July 4th', 'get_calendar days=366'],
    ['which orders are not yet executed', 'list_orders status=open'],
    ['when does KO pay its next dividend', 'get_corporate_actions KO days_back=120,days_ahead=120'],
    ['what would 12 more shares of KO cost me', 'get_quote KO'],
    ['my worst position this month', 'get_performance period=MTD,by_position=true'],
    ['what fees did I pay last month', 'get_activities period=1M,kinds=fee'],
    ['if I sold all my NVDA, how much gain would that be?', 'get_tax_lots NVDA'],
    ["please don't sell my KO, I only want to know its price", 'get_quote KO'],
    ['what have I sold this week', 'get_activities period=1W,kinds=fill'],
    ['any wash sales this year?', 'get_realized_gains year=this'],
    ['show me all my trades of the last thirty days', 'get_activities period=1M,kinds=fill'],
    ['what did I buy over the past 90 days', 'get_activities period=3M,kinds=fill'],
    ['what did you trade for me yesterday?', 'get_activities period=1W,kinds=fill'],
    ['any fills since breakfast?', 'get_activities period=1D,kinds=fill'],
    [
      'what dividends, if any, have I received from KO over the past twelve months?',
      'get_activities period=1Y,kinds=dividend',
    ],
    ['in what moment does KO pay its dividends', 'get_corporate_actions KO days_back=120,days_ahead=120'],
    ['chart KO 10 days', 'get_bars KO days=10'],
    ['did KO drop yesterday', 'get_bars KO days=7'],
    ["what is KO trading at, and how does that compare with yesterday's close?", 'get_quote KO'],
    ['is there anything on my phone I still need to say yes to?', 'list_orders status=open'],
    ['filled yet?', 'list_orders status=all'],
    [
      "I'd like to know whether my limit order for KO at $75 has been filled yet.",
      'get_quote KO + list_orders KO status=all,limit=500',
    ],
    ['will the stock market be open on Christmas Eve?', 'get_calendar days=366'],
    ['how much is TSLA, and has it climbed since the yesterday?', 'get_quote TSLA'],
    ["what's the 30 day high on NVDA", 'get_bars NVDA days=30'],
    ['show trades in NVDA since September', 'get_activities period=1Y,kinds=fill'],
    ['how much interest did I earn', 'get_activities period=YTD,kinds=interest'],
    ['is NVDA above 150?', 'get_quote NVDA'],
    ['please let me know whether my KO order has filled', 'get_quote KO + list_orders KO status=all,limit=500'],
    ['kindly inform me whether any orders remain unfilled', 'list_orders status=open'],
    ['how much of my portfolio is in NVDA', 'get_portfolio'],
    ['what is my gain with NVDA since the purchase?', 'get_portfolio'],
    ['which of my positions are losing money', 'get_portfolio'],
    ['what did KO do on Monday', 'get_bars KO days=7'],
    ['which of mine fell the most today', 'get_portfolio'],
    ["what's my best stock this month", 'get_performance period=MTD,by_position=true'],
    ['how much would I get if I sold everything?', 'get_portfolio'],
    ['was my KO order partially filled', 'get_quote KO + list_orders KO status=all,limit=500'],
    ['could I take out 2500 dollars', 'get_portfolio'],
    ['when was my KO order placed', 'list_orders KO status=all'],
    ['what was KO worth yesterday', 'get_bars KO days=7'],
    ['what were my trades on Wednesday', 'get_activities period=1W,kinds=fill'],
    ['quotes of Apple, Nvidia and Keurig Dr Pepper, please', 'get_quote AAPL NVDA KDP'],
    ['my KO, is it up today?', 'get_quote KO'],
    ['how much did coke pay me in dividends this year?', 'get_activities period=YTD,kinds=dividend'],
    ['how is my coke order doing?', 'list_orders KO status=open'],
    ['my lots of coke', 'get_tax_lots KO'],
    ['sell 5 coke', 'place_order sell 5 KO'],
    ['quote coke', 'asks'],
    ['buy 5 coke', 'asks'],
    ['anything in the papers about KO?', 'get_news KO limit=5'],
    ['could I pull out four thousand dollars without selling a thing?', 'get_portfolio'],
    ['if I let go of all my KO, how big would my profit be?', 'get_tax_lots KO'],
    ['why was it rejected?', 'list_orders status=closed'],
    ['what are the last digits of my account number?', 'whoami + get_portfolio'],
  ])('%s => %s', (said, comesTo) => {
    expect(inShort(planned([said]))).toBe(comesTo.replaceAll(',', ' '));
  });

  it.each([
    [['am I up on KO', 'by how much'], 'get_portfolio'],
    [['how much did I make this month', 'and last week?'], 'get_performance period=1W'],
    [['any news on KO', 'what about NVDA'], 'get_news NVDA limit=5'],
    [['my lots of KO', 'and NVDA?'], 'get_tax_lots NVDA'],
    [['sell my AAPL', 'nah, only 4'], 'place_order sell 4 AAPL'],
    [['buy 5 AAPL limit 180', 'never mind'], `cancel_order order_id=${orderId}`],
  ])('%j => %s', (turns, comesTo) => {
    expect(inShort(planned(turns))).toBe(comesTo);
  });
});

describe('what cannot be done', () => {
  it.each([
    ['go short 20 KO', /^I can't sell short/],
    ['wire 900 to my bank account', /^I can't move money/],
    ['buy 10 KO on margin', /^I can't borrow/],
    ['buy more KO in my 401k', /^I can't see or trade an account outside/],
    ['buy 3 BMW in Frankfurt', /^I can't trade on exchanges outside the US/],
    ['buy $500 of FXAIX', /^I can't trade mutual funds/],
    ['put $200 into SpaceX', /^I can't trade that company/],
    ['open a straddle on KO', /^I can't trade options with several legs/],
    ['sell my most expensive KO lots with the highest cost first', /^I can't choose which lots/],
    ['guarantee that I lose nothing on KO', /^I can't guarantee/],
    ['when are the next earnings of KO', /^I don't have earnings dates/],
    ['pick a stock for me', /^That's a question/],
    ['can you whip up a 7% trailing stop on all my AAPL', /^I don't know what/],
    ['each Monday before the open, look at NVDA for me', /^I can't set up regular reports/],
    ["Sundays at 6 pm I'd like a wrap-up of the week's performance.", /^I can't set up regular reports/],
    [
      'You may pick up to fifty dollars of SPY a day without bothering me.',
      /^I can't set up, change or revoke mandates/,
    ],
    ['Stop sending me that morning thing', /^I can't pause or end/],
    ['I sold 5 KO', /isn’t a definite request/],
    ['let me know whether NVDA falls below 100', /^I don't understand/],
    ['every weekday morning, could you check my account and write me a brief summary?', /^I can't set up regular/],
    ['how much did I make on Tuesday', /^I don't have the change of a single past day/],
    ['how much did I make yesterday', /^I don't have the change of a single past day/],
    ["sell 5 KO at yesterday's close", /^I don't understand/],
    ['would you enter a day order for 20 shares of Verizon with a limit of $41.25', /^I don't understand/],
  ])('%s', (said, message) => {
    const plan = planned([said]);
    expect('refusal' in plan ? plan.refusal.message : plan).toMatch(message);
  });

  it.each([
    ['thank you so much', /welcome/],
    ['good night', /Goodbye/],
    ['Sorry for snapping at you earlier.', /^No problem/],
    ['Is there an actual person typing on the other end?', /not a person/],
    ['I am new at this. Where do I begin?', /^Type a request/],
    ["Who's looking at what I write to you?", /^This program reads your sentences/],
    ['what is the difference between a stop and a limit order', /limit.*order fills at its price/],
    ['how long until a sale settles', /one business day/],
    ['what do I have to write when I want to change an order?', /change my AAPL order to limit 185/],
  ])('%s has a reply', (said, text) => {
    const plan = planned([said]);
    expect('text' in plan ? plan.text : plan).toMatch(text);
  });

  it('names what comes near to a sentence that it does not understand', () => {
    const plan = planned(['flurbish NVDA']);
    expect('refusal' in plan ? plan.refusal.hint : plan).toBe(
      'Try "quote NVDA", "my NVDA position", "buy 5 NVDA", or "help".',
    );
  });
});
