import { describe, expect, it } from 'vitest';
import { planLookups, planSteps } from '../../../src/agent/planner/steps.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { anOrder, aPosition } from '../../fixtures/builders.ts';

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
    ['cancel the AAPL order in my IBKR account', 'cancel', 'IBKR'],
    ['cancel my last order in account 12345', 'cancel', '12345'],
    ['in my IBKR account, cancel all AAPL orders', 'cancel', 'IBKR'],
    ['change my AAPL order in my ira account to limit 185', 'replace', 'ira'],
    ['change my AAPL order to limit 185 in my ira account', 'replace', 'ira'],
    ['every Friday buy $50 of VTI in my Tradier account', 'standing', 'Tradier'],
    ['in my Tradier account, buy $50 of VTI every Friday', 'standing', 'Tradier'],
    ['sell 5 NVDA in my Tradier account if it falls below 100', 'standing', 'Tradier'],
  ])('"%s" is about that one', (text, kind, account) => {
    expect(intentsOf(text)).toMatchObject([{ kind, account }]);
  });

  it.each(["what's in my account", 'how is my account doing', 'what do I own'])('"%s" names none', (text) => {
    expect(intentsOf(text)).toEqual([{ kind: 'portfolio' }]);
  });

  it.each<[string, string]>([
    ['buy 5 AAPL and sell 3 MSFT in my ira account', 'Is all of that for the account "ira", or only part of it?'],
    ['buy 5 AAPL in my ira account from account 123', 'Which account do you mean?'],
    ['tell me when AAPL falls below 180 in my ira account', 'That request can’t name an account.'],
    [
      'buy 5 AAPL in my frobnicated',
      'I don\'t understand "in my frobnicated" in this request, so I haven\'t done anything.',
    ],
  ])('"%s" is asked about, and nothing is done', (text, message) => {
    expect(intentsOf(text)).toBe(message);
  });

  it.each(['buy 5 AAPL in my account', 'buy 5 AAPL with the cash in my account'])('"%s" names none', (text) => {
    const request = { symbol: 'AAPL', side: 'buy', qty: '5', type: 'market' };
    expect(intentsOf(text)).toEqual([{ kind: 'order', request }]);
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
    const [look] = planLookups(parsed.intents);
    expect(look).toEqual({ name: 'get_portfolio', args: { account: 'ira' } });
    const content = { positions: [aPosition({ symbol: 'MSFT' })] };
    const found = [{ step: look as NonNullable<typeof look>, content }];
    expect(planSteps(parsed.intents, found)).toMatchObject([
      { name: 'place_order', args: { symbol: 'MSFT', side: 'sell', qty: '5', account: 'ira' } },
    ]);
  });

  it('cancels and changes the order that is in that account, and not one of another', () => {
    const intents = ['cancel my AAPL order in my ira account', 'change my AAPL order to limit 185'].map((text) => {
      const parsed = parsePrompt(text);
      if (!('intents' in parsed)) throw new Error('not understood');
      return parsed.intents[0] as (typeof parsed.intents)[number];
    });
    const looks = planLookups(intents);
    expect(looks).toEqual([
      { name: 'list_orders', args: { status: 'open', limit: 500, account: 'ira' } },
      { name: 'list_orders', args: { status: 'open', limit: 500 } },
    ]);
    const found = looks.map((step, at) => ({
      step,
      content: { orders: [anOrder({ id: at === 0 ? 'in-ira' : 'in-default' })] },
    }));
    expect(planSteps(intents, found)).toEqual([
      { name: 'cancel_order', args: { order_id: 'in-ira', account: 'ira' } },
      { name: 'replace_order', args: { order_id: 'in-default', limit_price: '185' } },
    ]);
  });

  it('has its standing order there', () => {
    const parsed = parsePrompt('every Friday buy $50 of VTI in my Tradier account');
    if (!('intents' in parsed)) throw new Error('not understood');
    expect(planSteps(parsed.intents, [])).toEqual([
      {
        name: 'place_standing_order',
        args: { side: 'buy', notional: '50', symbol: 'VTI', every: 'friday', account: 'Tradier' },
      },
    ]);
  });
});

it('cancels nothing when it has only a part of the open orders', () => {
  const step = { name: 'list_orders', args: { status: 'open', limit: 500 } };
  const content = { state: 'open', total: 898, orders: [], next_cursor: 'c' };
  expect(() => planSteps([{ kind: 'cancel', which: { all: true } }], [{ step, content }])).toThrow(
    "You have 898 open orders, and I can only look through 0, so I haven't done anything.",
  );
});
