import { describe, expect, it } from 'vitest';
import { parsePrompt } from '../../../src/agent/planner/sentence.ts';
import { lookups, steps } from '../../../src/agent/planner/steps.ts';

const intentsOf = (text: string) => {
  const parsed = parsePrompt(text);
  return 'intents' in parsed ? parsed.intents : parsed.refusal.message;
};

describe('a sentence that names an account', () => {
  it.each<[string, string, string]>([
    ['buy 5 AAPL in my IBKR account', 'order', 'IBKR'],
    ['buy 5 AAPL in account 12345 limit 180 gtc', 'order', '12345'],
    ['in my ira account, buy 5 AAPL', 'order', 'ira'],
    ['sell half my MSFT from my second paper account', 'order', 'second paper'],
    ['what do I own in account PA3ALICE01?', 'portfolio', 'PA3ALICE01'],
    ['open orders in my ira account', 'orders', 'ira'],
    ['quote AAPL in my ira account', 'quote', 'ira'],
    ['how did I do this month in my ira account', 'performance', 'ira'],
  ])('"%s" is about that one', (text, kind, account) => {
    expect(intentsOf(text)).toMatchObject([{ kind, account }]);
  });

  it.each(["what's in my account", 'how is my account doing', 'what do I own'])('"%s" names none', (text) => {
    expect(intentsOf(text)).toEqual([{ kind: 'portfolio' }]);
  });

  it.each<[string, string]>([
    ['buy 5 AAPL and sell 3 MSFT in my ira account', 'Is all of it for the account "ira", or a part?'],
    ['buy 5 AAPL in my ira account from account 123', 'Which account do you mean?'],
    ['cancel my AAPL order in my ira account', 'I can’t do that in an account that a sentence names.'],
    ['buy 5 AAPL in my frobnicated', 'I don\'t understand "in" in this order, so I leave it all.'],
    ['buy 5 AAPL in my account', 'I don\'t understand "in" in this order, so I leave it all.'],
  ])('"%s" is asked about, and nothing is done', (text, message) => {
    expect(intentsOf(text)).toBe(message);
  });

  it('is understood in each clause by itself', () => {
    expect(intentsOf('buy 5 AAPL in my ira account and buy 5 AAPL in my ibkr account')).toMatchObject([
      { account: 'ira' },
      { account: 'ibkr' },
    ]);
  });

  it('has its calls about that account, and what they need to know of it, too', () => {
    const parsed = parsePrompt('sell half my MSFT in my ira account');
    if (!('intents' in parsed)) throw new Error('not understood');
    const [look] = lookups(parsed.intents);
    expect(look).toEqual({ name: 'get_portfolio', args: { account: 'ira' } });
    const position = { symbol: 'MSFT', side: 'long', qty: '10', qty_available: '10' };
    const amounts = Object.fromEntries(
      [
        ...['avg_entry_price', 'current_price', 'lastday_price', 'market_value', 'cost_basis'],
        ...['unrealized_pl', 'unrealized_plpc', 'change_today'],
      ].map((name) => [name, '1']),
    );
    const found = [
      { step: look as NonNullable<typeof look>, content: { positions: [{ ...position, ...amounts }] } },
    ];
    expect(steps(parsed.intents, found)).toMatchObject([
      { name: 'place_order', args: { symbol: 'MSFT', side: 'sell', qty: '5', account: 'ira' } },
    ]);
  });
});
