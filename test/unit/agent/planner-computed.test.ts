import { describe, expect, it } from 'vitest';
import { composeAnswer } from '../../../src/agent/planner/answer.ts';
import { planSteps } from '../../../src/agent/planner/steps.ts';
import type { Intent } from '../../../src/agent/reader/intent.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { anOrder, aPosition, aQuote } from '../../fixtures/builders.ts';

const intentsOf = (said: string): readonly Intent[] => {
  const parsed = parsePrompt(said);
  return 'intents' in parsed ? parsed.intents : [];
};

describe('a question whose answer is computed', () => {
  const kinds = (said: string) =>
    intentsOf(said).map((intent) => {
      const { kind, ...rest } = intent;
      return kind === 'computed' ? Object.values(rest).join(' ') : kind;
    });

  it.each([
    ['how many KO could I get with all my cash', 'affordable KO 1'],
    ['with everything in cash, how many KO shares could I walk away with?', 'affordable KO'],
    ['how many shares of NVDA can I buy for $2,000', 'affordable NVDA 2000'],
    ['how many NVDA would half my cash buy', 'affordable NVDA 0.5'],
    ['would 90 MSFT be too much for my cash?', 'trade MSFT buy 90'],
    ['can I afford 12 KO', 'trade KO buy 12'],
    ['how much would I have left after buying 10 AAPL', 'trade AAPL buy 10'],
    ['how much cash would I have if I sold 10 KO', 'trade KO sell 10'],
    ['suppose I dumped half the SPY, what would my cash look like', 'trade SPY sell 0.5'],
    ['what would I get for my 30 NVDA', 'trade NVDA sell 30'],
    ['how many NVDA must go so that I have fifty thousand in cash?', 'raise NVDA 50000 true'],
    ['how many KO do I need to sell to raise $2,000', 'raise KO 2000'],
    ['did my KO sell go through yet', 'progress KO'],
    ['how far is AAPL from my buy limit', 'progress AAPL'],
    ["why hasn't my KO order been filled", 'progress KO'],
    ['why on earth was my last order turned down?', 'rejected'],
    ['how much of my cash is tied up in open orders', 'free_cash'],
    ['if both of my open orders were executed, what would my cash be?', 'cash_after'],
    ['does my buying power include borrowed money?', 'margin'],
    ['how far has KO come down from its high this week?', 'extremes KO 7'],
    ['what were the highest and the lowest price of KO over the past year?', 'extremes KO 365'],
    ['what did KO earn me this week, in dollars', 'gain KO 1W'],
    ['how much more would I need to buy 200 MSFT', 'trade MSFT buy 200'],
    ['would I still have 10 grand left if I bought 50 SPY', 'trade SPY buy 50'],
    ["what's the most SPY I could buy", 'affordable SPY'],
    ["what's the high of KO today?", 'extremes KO 1'],
    ['did anything get rejected today', 'rejected'],
    ['is buying power the same as cash?', 'margin'],
    ['how many KO can I cop with 3k', 'affordable KO 3000'],
    ['how many shares of KO would $10,000 purchase at present?', 'affordable KO 10000'],
    ['if I dump all my KO how much cash do I get', 'trade KO sell 1'],
    ['when I sell 5 NVDA how much money will I have?', 'trade NVDA sell 5'],
    ['what is the difference between the bid and the ask on KO?', 'quote'],
    ['Wie viele KO könnte ich mit meinem ganzen Bargeld kaufen?', 'affordable KO 1'],
    ['¿Ya se ejecutó mi orden de KO?', 'progress KO'],
    ['Pourquoi mon dernier ordre a-t-il été refusé ?', 'rejected'],
    ['Quantas ações da KO posso comprar com todo o meu dinheiro?', 'affordable KO 1'],
    ['我的KO订单成交了吗？', 'progress KO'],
    ['現金でKOを何株買えますか？', 'affordable KO'],
    ['내 마지막 주문이 왜 거부됐어?', 'rejected'],
  ])('%s => %s', (said, figure) => {
    expect(kinds(said)).toEqual([figure]);
  });

  it.each([
    'buy 5 TSLA with my cash if I can afford it',
    'could you sell 10 KO, so I have enough cash for rent?',
    'cancel my KO order if it has not filled',
    'tell me when my AAPL order fills',
    'what is the price of KO in 3 weeks',
    'how many AAPL do I have',
    'how much did I pay for 25 KO',
    'short 5 TSLA',
    'Provided that I have enough cash on hand, please buy 30 shares of KO.',
    'tell me what NVDA is at',
    'Kannst du 5 KO kaufen, falls genug Geld da ist?',
    'compra 5 KO si me alcanza',
    'sell 5 KO',
  ])('is not: %s', (said) => {
    expect(intentsOf(said).filter(({ kind }) => kind === 'computed')).toEqual([]);
  });
});

const account = {
  ...{ account: 'PA1', environment: 'paper', status: 'ACTIVE', currency: 'USD', cash: '1000', equity: '9000' },
  ...{ last_equity: null, buying_power: '1000', long_market_value: '8000', trading_blocked: false, simulated: false },
};
const portfolio = { account, positions: [aPosition({ symbol: 'KO', qty: '40' })] };
const quotes = { quotes: [aQuote({ symbol: 'KO', bid: '59.9', ask: '60', last: '60', simulated: false })] };
const open = [
  anOrder({ symbol: 'KO', side: 'sell', qty: '10', filled_qty: '0', limit_price: '75', status: 'new' }),
  anOrder({ symbol: 'KO', side: 'buy', qty: '5', filled_qty: '0', limit_price: '50', status: 'new' }),
];
const contents: Readonly<Record<string, unknown>> = {
  get_portfolio: portfolio,
  get_quote: quotes,
  list_orders: { state: 'open', total: 2, orders: open },
  get_bars: {
    symbol: 'KO',
    bars: [
      { at: '2025-12-30T05:00:00Z', open: '60', high: '70', low: '40', close: '61', volume: '1' },
      { at: '2026-03-02T05:00:00Z', open: '60', high: '64', low: '58', close: '61', volume: '1' },
      { at: '2026-03-03T05:00:00Z', open: '61', high: '62', low: '55', close: '60', volume: '1' },
    ],
  },
  get_performance: {
    ...{ period: '1W', simulated: false },
    contributions: { positions: [{ symbol: 'KO', profit: '-12.5' }] },
  },
};

/** The answer to a question, if its calls return {@link contents}. */
function answerTo(said: string, results: typeof contents = contents): string {
  const steps = planSteps(intentsOf(said), []);
  return composeAnswer(steps.map(({ name, args, view }) => ({ tool: name, args, content: results[name], view })));
}

describe('the answers', () => {
  it.each([
    ['how many KO could I get with all my cash', 'you get **16 KO** at $60.00 each; $40.00 is left'],
    [
      'can I afford 12 KO',
      '12 KO cost about **$720.00**, at $60.00 each. Your cash: $1,000.00. You would then have **$280.00**',
    ],
    ['would 90 KO be too much for my cash?', 'You would need **$4,400.00** more.'],
    ['how much cash would I have if I sold half my KO', '20 KO bring about **$1,198.00**, at $59.90 each.'],
    ['how much cash would I have if I sold 41 KO', 'You hold only 40 KO.'],
    ['how many KO do I need to sell to raise $100', '**2 KO** bring about $119.80'],
    ['how many KO must go so that I have $900 in cash?', 'No sale is needed for that.'],
    ['did my KO sell go through yet', 'KO is at $60.00, **$15.00** (25.00%) too low.'],
    ['did my KO sell go through yet', 'KO is at $60.00, **$10.00** (16.67%) too high.'],
    ['how much of my cash is tied up in open orders', '**$750.00** of your $1,000.00 in cash is free'],
    ['if both of my open orders were executed, what would my cash be?', 'you will have **$1,500.00** in cash'],
    ['am I borrowing any money?', 'You are borrowing nothing: you have $1,000.00 in cash.'],
    [
      'how far has KO come down from its high this month?',
      'High: **$64.00** on Mar 2, 2026 (since then -$4.00, -6.25%).',
    ],
    ['how high was KO this year?', 'High: **$64.00** on Mar 2, 2026'],
    ['what did KO earn me this week', '**-$12.50** with KO in the last week.'],
    ['why was my last order turned down?', 'None of your last 2 closed orders was rejected.'],
  ])('%s: %s', (said, part) => {
    expect(answerTo(said)).toContain(part);
  });

  it('are about the worst position, not the best, if they ask for a loss', () => {
    const ranked = (said: string) =>
      intentsOf(said).flatMap((intent) => ('ranking' in intent ? [intent.ranking?.from] : []));
    expect(ranked("who's my biggest loser")).toEqual(['bottom']);
    expect(ranked('which of my stocks is the most minus one?')).toEqual(['bottom']);
    expect(ranked('my biggest winner and my biggest loser')).toEqual(['top', 'bottom']);
  });

  it('say which day or period the activities are of', () => {
    const fill = (at: string, symbol: string) => ({
      ...{ id: at, at, kind: 'fill', type: 'FILL', symbol, side: 'buy', qty: '5', price: '60', amount: null },
    });
    const activities = [fill('2026-03-09T20:30:00Z', 'KO'), fill('2026-03-10T15:00:00Z', 'AAPL')];
    const results = { get_activities: { period: '1W', start: '2026-03-03', activities, simulated: false } };
    const yesterday = answerTo('what did you trade for me yesterday?', results);
    expect(yesterday).toContain('Your trades yesterday:');
    expect(yesterday).toContain('bought 5 KO');
    expect(yesterday).not.toContain('AAPL');
    expect(answerTo('my trades this week', results)).toContain('Your trades in the last week:');
    const monday = answerTo('what did I buy on monday?', results);
    expect(monday).toContain('Your purchases on Monday:');
    expect(monday).toContain('bought 5 KO');
    expect(monday).not.toContain('AAPL');
    expect(answerTo('what did I buy on tuesday?', results)).toContain('No purchases on Tuesday.');
    expect(intentsOf('how did my account do in the last two weeks')).toMatchObject([{ kind: 'say' }, { period: '1M' }]);
    expect(intentsOf('how did my account do in the last 30 days')).toMatchObject([{ period: '1M' }]);
  });

  it.each([
    ['is the market open the day after Thanksgiving?', 'Nov 27, 2026, from 9:30 AM to 1:00 PM'],
    ['is the market open on Thanksgiving?', 'closed on that day, Nov 26, 2026'],
    ['is the market open on Christmas Eve?', 'Dec 24, 2026, from 9:30 AM to 4:00 PM'],
    ['is the market open on december 24?', 'Dec 24, 2026, from 9:30 AM to 4:00 PM'],
    ['is the market open on Good Friday?', 'closed on that day, Mar 26, 2027'],
    ['is the market open on Memorial Day?', 'closed on that day, May 31, 2027'],
    ['is the market open on Labor Day?', 'closed on that day, Sep 6, 2027'],
    ['is the market open on Presidents Day?', 'closed on that day, Feb 15, 2027'],
    ['is the market open on New Years Day?', 'closed on that day, Jan 1, 2027'],
  ])('%s: %s', (said, part) => {
    const day = (date: string, close = '16:00') => ({ date, open: '09:30', close });
    const days = [day('2026-11-27', '13:00'), day('2026-12-24'), day('2027-10-01')];
    expect(answerTo(said, { get_calendar: { today: '2026-10-01', days } })).toContain(part);
  });

  it('list the next holidays if the calendar does not reach the one that was asked for', () => {
    const calendar = { today: '2026-10-01', days: [{ date: '2026-10-02', open: '09:30', close: '16:00' }] };
    expect(answerTo('is the market open on Christmas?', { get_calendar: calendar })).not.toContain('Dec 25');
  });

  it('name the account', () => {
    expect(
      answerTo("what's my account number", { ...contents, whoami: { error: { message: 'not signed in' } } }),
    ).toContain('Your account number: **PA1**.');
  });

  it('report a part that failed instead of a figure', () => {
    const failed = { ...contents, get_portfolio: { error: { message: 'the gateway does not answer' } } };
    expect(answerTo('can I afford 12 KO', failed)).toBe('The gateway does not answer.');
    expect(answerTo('what is KO at, and my cash?', failed)).toContain('KO is at **$60.00**');
  });
});
