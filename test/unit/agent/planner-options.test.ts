import { describe, expect, it } from 'vitest';
import { planLookups, planSteps } from '../../../src/agent/planner/steps.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { parseUtterances } from '../../../src/agent/reader/utterance.ts';

const orderOf = (sentence: string) => {
  const parsed = parsePrompt(sentence);
  if ('refusal' in parsed) throw new Error(`${parsed.refusal.message} ${parsed.refusal.hint}`);
  expect(parsed.intents).toHaveLength(1);
  return parsed.intents[0] as Extract<(typeof parsed.intents)[number], { kind: 'order' }>;
};
const refusalOf = (sentence: string) => {
  const parsed = parsePrompt(sentence);
  if (!('refusal' in parsed)) throw new Error(`it was understood: ${JSON.stringify(parsed.intents)}`);
  return parsed.refusal;
};

const CALL = { right: 'call', strike: '190', expiry: '12-18' };

describe('an option in a sentence', () => {
  it.each([
    'buy 1 AAPL 190 call expiring Dec 18 at 2.50',
    'buy 1 AAPL $190 call expiring on December 18 at $2.50',
    'buy one AAPL Dec 18 190 call limit 2.50',
    'buy 1 AAPL 190C 12/18 @ 2.50',
    'buy 1 AAPL 190 call for 18 December at 2.50',
    'buy to open 1 AAPL 190 strike call, expiry Dec 18th, at 2.50',
    'Please buy an AAPL call with a strike of 190 expiring Dec 18 for 2.50.',
  ])('is understood: %s', (sentence) => {
    expect(orderOf(sentence)).toEqual({
      kind: 'order',
      request: {
        symbol: 'AAPL',
        side: 'buy',
        qty: '1',
        type: 'limit',
        limit_price: '2.50',
        position_intent: 'buy_to_open',
      },
      contract: CALL,
    });
  });

  it.each([
    [
      'sell a covered call on my AAPL, 200 strike, December at 1.20',
      { side: 'sell', qty: '1', position_intent: 'sell_to_open', limit_price: '1.20' },
      { right: 'call', strike: '200', expiry: '12' },
    ],
    [
      'sell 2 cash-secured puts on MSFT expiring 2026-12-18, strike 400, at 3.10 gtc',
      { side: 'sell', qty: '2', position_intent: 'sell_to_open', limit_price: '3.10', time_in_force: 'gtc' },
      { right: 'put', strike: '400', expiry: '2026-12-18' },
    ],
    [
      'sell to close 1 AAPL Jan 15 2027 210 call',
      { side: 'sell', qty: '1', position_intent: 'sell_to_close', type: 'market' },
      { right: 'call', strike: '210', expiry: '2027-01-15' },
    ],
    [
      'buy back 1 AAPL 200 call expiring Dec 18 at 0.05',
      { side: 'buy', qty: '1', position_intent: 'buy_to_close', limit_price: '0.05' },
      { right: 'call', strike: '200', expiry: '12-18' },
    ],
    [
      'sell 1 of my AAPL 190 calls expiring Dec 18 at the market',
      { side: 'sell', qty: '1', position_intent: 'sell_to_close', type: 'market' },
      CALL,
    ],
    [
      'write a covered call on AAPL, strike 12.50, Mar 19 2027, at 0.15',
      { position_intent: 'sell_to_open', limit_price: '0.15' },
      { right: 'call', strike: '12.50', expiry: '2027-03-19' },
    ],
    [
      'Get me one Apple call, strike 250, that runs out the third Friday of next month.',
      { side: 'buy', qty: '1', position_intent: 'buy_to_open', type: 'market' },
      {
        right: 'call',
        strike: '250',
        expiry: 'next-month-third',
        expiryText: 'that runs out the third Friday of next month',
      },
    ],
    [
      '2 NVDA puts @ 120, end of January',
      { side: 'buy', qty: '2', position_intent: 'buy_to_open', type: 'market' },
      { right: 'put', strike: '120', expiry: '01-last', expiryText: 'end of January' },
    ],
    [
      'Coca-Cola 75 calls, the February monthly, three of them',
      { symbol: 'KO', side: 'buy', qty: '3' },
      { right: 'call', strike: '75', expiry: '02-third', expiryText: 'the February monthly' },
    ],
    [
      'buy a Tesla 450 call that expires this Friday for 3.20 or less',
      { symbol: 'TSLA', qty: '1', limit_price: '3.20' },
      { right: 'call', strike: '450', expiry: 'friday', expiryText: 'that expires this Friday' },
    ],
    [
      'Could you buy a put option on Microsoft, 400 strike, expiring March 20, and not pay above $6.50 for it?',
      { symbol: 'MSFT', qty: '1', limit_price: '6.50' },
      { right: 'put', strike: '400', expiry: '03-20' },
    ],
    [
      "I'd like a single put contract on SPY as insurance, strike 540, expiring in January, at no more than $6 per share in premium.",
      { symbol: 'SPY', qty: '1', limit_price: '6' },
      { right: 'put', strike: '540', expiry: '01' },
    ],
  ])('opens or closes as it says: %s', (sentence, request, contract) => {
    const order = orderOf(sentence);
    expect(order.request).toMatchObject(request);
    expect(order.contract).toEqual(contract);
  });

  it.each([
    [
      'buy 1 AAPL261218C00190000 at 2.50',
      { side: 'buy', qty: '1', limit_price: '2.50', position_intent: 'buy_to_open' },
    ],
    [
      'sell to close 2 AAPL261218C00190000',
      { side: 'sell', qty: '2', type: 'market', position_intent: 'sell_to_close' },
    ],
    ['sell 1 of my AAPL261218C00190000 limit 3 gtc', { position_intent: 'sell_to_close', time_in_force: 'gtc' }],
    ['sell a covered call AAPL261218C00190000 at 1', undefined],
    ['sell 1 AAPL261218C00190000 at 3', undefined],
    ['buy 1 AAPL261218C00190000 190 strike', undefined],
  ])('may be named by its own symbol: %s', (sentence, request) => {
    if (request === undefined) {
      expect(refusalOf(sentence).message).toMatch(/already|or to open a position/);
      return;
    }
    const order = orderOf(sentence);
    expect(order.request).toMatchObject({ symbol: 'AAPL261218C00190000', ...request });
    expect(order.contract).toBeUndefined();
  });

  it.each([
    ['buy 1 AAPL call expiring Dec 18 at 2.50', /strike/],
    ['buy 1 AAPL 190 call at 2.50', /expire/],
    ['buy AAPL 190 call expiring Dec 18 at 2.50', /How many/],
    ['sell 1 AAPL 190 call expiring Dec 18 at 2.50', /calls that you hold, or to open/],
    ['sell a covered put on AAPL, 190 strike, Dec 18 at 2', /secured by cash/],
    ['sell a cash-secured call on AAPL, 190 strike, Dec 18 at 2', /covered by shares/],
    ['close my AAPL 190 call expiring Dec 18', /buy that option, or sell it/],
    ['buy 1 acme 190 call expiring Dec 18 at 2.50', /ticker symbol of the stock/],
    ['buy 1 AAPL 190 put, next Friday', /Which Friday/],
    ['NVDA put 120 January', /buy or sell/],
    ['sell a covered call on KO, 80 strike, Dec 18 for 1 or less', /or less/],
    ['on March 5 put 200 into VTI', /don't understand "on"/],
    ['buy 1 AAPL 190 call 195 put expiring Dec 18', /two values/],
    ['buy 1 AAPL 190 call expiring Dec 18 at 2.50 if it rains', /don't understand "if"/],
    ['buy 1 AAPL 190 call expiring Dec 18 Dec 25', /two values for its expiry/],
    ['buy 1 AAPL 190 call expiring Feb 42', /two values|don't understand|expire/],
  ])('is asked about, never guessed: %s', (sentence, question) => {
    expect(refusalOf(sentence).message).toMatch(question);
  });

  it('is looked up in the chain, and proposed as the one contract that it is', () => {
    const intent = orderOf('buy 1 AAPL 190 call expiring Dec 18 at 2.50');
    const [step] = planLookups([intent]);
    expect(step).toEqual({
      name: 'get_option_contracts',
      args: { underlying: 'AAPL', expiry: '12-18', right: 'call', strike_from: '190', strike_to: '190' },
    });
    const found = (...symbols: string[]) =>
      planSteps(
        [intent],
        [
          {
            step: step as NonNullable<typeof step>,
            content: { contracts: symbols.map(listed), more: false },
          },
        ],
      );
    expect(found('AAPL261218C00190000', 'AAPL261218P00190000')).toEqual([
      { name: 'place_order', args: { ...intent.request, symbol: 'AAPL261218C00190000' } },
    ]);
    expect(() => found()).toThrow(/There is no AAPL \$190 call expiring 12-18/);
    expect(() => found('AAPL261218C00190000', 'AAPL271218C00190000')).toThrow(/2026-12-18, 2027-12-18/);
  });

  it('of another than was said is not the person’s own symbol', () => {
    const turns = ['buy 1 AAPL 190 call expiring Dec 18 at 2.50'];
    const [own] = parseUtterances(turns, 'AAPL261218C00190000');
    expect(own).toMatchObject({ symbol: true, sides: ['buy'], intents: ['buy_to_open'] });
    expect(own?.numbers).toContainEqual({ value: '2.50', fields: ['limit_price'] });
    for (const other of ['AAPL261218C00195000', 'AAPL261218P00190000', 'AAPL261211C00190000', 'MSFT261218C00190000']) {
      expect(parseUtterances(turns, other)).toMatchObject([{ symbol: false }]);
    }
  });
});

const listed = (symbol: string) => ({
  symbol,
  underlying: 'AAPL',
  expiry: '2026-12-18',
  right: 'call',
  strike: '190',
  style: 'american',
  multiplier: '100',
  tradable: true,
  open_interest: null,
  close_price: null,
});

describe('a coin in a sentence', () => {
  it.each([
    ['buy 0.05 BTC', { symbol: 'btc', qty: '0.05' }],
    ['buy $100 of bitcoin', { symbol: 'bitcoin', notional: '100' }],
    ['buy 0.5 ETH limit 2000 ioc', { symbol: 'eth', qty: '0.5', limit_price: '2000', time_in_force: 'ioc' }],
    ['buy 0.05 BTC/USD', { symbol: 'BTC/USD', qty: '0.05' }],
    ['buy 5 $BTC', { symbol: 'BTC', qty: '5' }],
  ])('is understood: %s', (sentence, request) => {
    expect(orderOf(sentence).request).toMatchObject(request);
  });

  it('is the whole of what is held where that is said', () => {
    expect(orderOf('sell all my ETH')).toMatchObject({
      request: { symbol: 'eth', side: 'sell' },
      fraction: '1',
    });
  });

  it('is the pair where that alone is listed', () => {
    const intent = orderOf('buy 0.05 BTC');
    const [step] = planLookups([intent]);
    expect(step).toEqual({ name: 'search_symbols', args: { queries: ['btc', 'BTC/USD'] } });
    const found = (...assets: { symbol: string; name: string }[]) =>
      planSteps(
        [intent],
        [
          {
            step: step as NonNullable<typeof step>,
            content: {
              results: [
                { query: 'btc', assets: [] },
                { query: 'BTC/USD', assets },
              ],
            },
          },
        ],
      );
    const pair = { symbol: 'BTC/USD', name: 'Bitcoin / US Dollar' };
    expect(found(pair)).toMatchObject([{ name: 'place_order', args: { symbol: 'BTC/USD', qty: '0.05' } }]);
    const fund = { symbol: 'BTC', name: 'Grayscale Bitcoin Mini Trust ETF' };
    expect(() => found(pair, fund)).toThrow(/Which do you mean by "btc": BTC\/USD .*, BTC /);
  });

  it.each([
    ['buy 0.05 BTC stop 90000', /must be|not supported|requires/],
    ['buy 0.05 bitcoin day', /time in force gtc/],
  ])('is held to what its market takes: %s', (sentence, why) => {
    expect(refusalOf(sentence).message).toMatch(why);
  });
});
