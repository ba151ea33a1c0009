import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeProvenance, type ProvenanceInput } from '../../../../src/agent/graph/provenance.ts';
import { countNamedOrders } from '../../../../src/agent/reader/utterance.ts';
import { provenanceSchema } from '../../../../src/trading/proposal.ts';

const buy5 = { symbol: 'AAPL', side: 'buy', qty: '5' };
const usual = { type: 'market', time_in_force: 'day', extended_hours: false };

function sources(
  turns: readonly string[],
  request: Record<string, unknown>,
  more: Partial<ProvenanceInput> = {},
): Record<string, string> {
  const { fields } = provenance(turns, { ...usual, ...request }, more);
  return Object.fromEntries(Object.entries(fields).map(([name, { source }]) => [name, source]));
}

function provenance(turns: readonly string[], request: Record<string, unknown>, more: Partial<ProvenanceInput> = {}) {
  const found = computeProvenance({
    kind: 'order',
    request,
    userTurns: turns,
    from: 'model',
    taintedBy: [],
    defaults: usual,
    ...more,
  });
  expect(provenanceSchema.parse(found)).toEqual(found);
  return found;
}

const exits = { take_profit_limit_price: '200', stop_loss_stop_price: '170.00' };
const sold = { side: 'sell', type: 'limit' };
const held = new Map([['MSFT', { qty: '11', qty_available: '9' }]]);

describe('which account an order is for', () => {
  const named = { account: 'PA3IRA0001', broker: 'ira', label: 'Old IRA account' };
  const account = { ...named, environment: 'paper', default: false } as const;
  it.each([
    ['buy 5 AAPL in my IRA account', 'user'],
    ['buy 5 AAPL in my old IRA account', 'user'],
    ['buy 5 AAPL in account pa3ira0001', 'user'],
    ['buy 5 AAPL', 'other'],
    ['buy 5 AAPL in my Viraj account', 'other'],
  ])('"%s": %s', (turn, source) => {
    const request = { account: 'PA3IRA0001', symbol: 'AAPL', side: 'buy', qty: '5' };
    expect(sources([turn], request, { account })).toMatchObject({ account: source, symbol: 'user' });
  });
});

describe('where an order comes from', () => {
  it.each([
    ['buy 5 AAPL', buy5],
    ['buy five aapl', { symbol: 'AAPL', side: 'buy', qty: '5.00' }],
    ['hmm, could you maybe buy 1k shares of KO for me today?', { symbol: 'KO', side: 'buy', qty: '1000' }],
    ['i think you should purchase $500 worth of msft', { symbol: 'MSFT', side: 'buy', notional: '500' }],
    ['put in an order: sell 1,200.5 NVDA quickly', { symbol: 'NVDA', side: 'sell', qty: '1200.5' }],
    ['Buy five shares of Apple (AAPL), whenever', buy5],
    ["my AAPL's too big, sell 3 of it today", { symbol: 'AAPL', side: 'sell', qty: '3' }],
    ['SELL 3 AAPL RIGHT NOW', { symbol: 'AAPL', side: 'sell', qty: '3' }],
  ])('"%s" says symbol, side and amount, and the rest is the default', (turn, request) => {
    const found = sources([turn], request);
    for (const name of Object.keys(request)) expect([name, found[name]]).toEqual([name, 'user']);
    expect(found).toMatchObject({ type: 'default', time_in_force: 'default', extended_hours: 'default' });
  });

  it.each<[string, Record<string, string>]>([
    ['buy 5 AAPL with a stop at 170 and take profit at 200', { order_class: 'bracket', ...exits }],
    [
      'my broker says I should buy 5 AAPL, bracket, take profit 200 and stop loss 170, what do you think',
      { order_class: 'bracket', ...exits },
    ],
    ['sell 5 AAPL at 200 or stop 170', { ...sold, order_class: 'oco', ...exits }],
    [
      'hm, sell 5 AAPL: take profit at 200, stop loss at 170 limit 169.50, would you',
      { ...sold, order_class: 'oco', ...exits, stop_loss_limit_price: '169.5' },
    ],
  ])('"%s" says each of its exits', (turn, request) => {
    const found = sources([turn], { ...buy5, ...request });
    for (const name of Object.keys(request)) expect([name, found[name]]).toEqual([name, 'user']);
  });

  it.each<[string, Record<string, string>]>([
    ['buy 5 AAPL', { order_class: 'bracket', ...exits }],
    ['buy 5 AAPL take profit 200', { order_class: 'bracket', stop_loss_stop_price: '170' }],
    ['buy 5 AAPL with a stop loss at 170', { stop_loss_stop_price: '160' }],
  ])('"%s" says nothing of exits that a model thought of', (turn, request) => {
    const found = sources([turn], { ...buy5, ...request });
    for (const name of Object.keys(request)) expect([name, found[name]]).toEqual([name, 'other']);
  });

  it.each([
    ['buy 5 AAPL limit 180 gtc', { type: 'limit', limit_price: '180.00', time_in_force: 'gtc' }],
    ['well, buy 5 AAPL at 180 or less, gtc', { type: 'limit', limit_price: '180', time_in_force: 'gtc' }],
    ['buy 5 AAPL at market', { type: 'market' }],
    ['hm, buy 5 AAPL with a trailing stop of 2%', { type: 'trailing_stop', trail_percent: '2' }],
    ['ok then buy 5 AAPL stop 200 limit 201 whatever', { type: 'stop_limit', stop_price: '200', limit_price: '201' }],
    ['buy 5 AAPL limit 180 in extended hours', { type: 'limit', limit_price: '180', extended_hours: true }],
  ])('"%s" says the terms', (turn, terms) => {
    const found = sources([turn], { ...buy5, ...terms });
    for (const name of Object.keys(terms)) expect([name, found[name]]).toEqual([name, 'user']);
    expect(found.qty).toBe('user');
  });

  it('a value that nobody said is the model’s', () => {
    const { fields } = provenance(['buy some AAPL'], { ...usual, symbol: 'AAPL', side: 'buy', qty: '7' });
    expect(fields.qty).toEqual({ source: 'other', from: 'model' });
    expect(fields.symbol).toEqual({ source: 'user' });
  });

  it('a default that the words speak against is not a default', () => {
    const found = sources(['buy 5 AAPL limit 180 gtc'], buy5);
    expect(found).toMatchObject({ type: 'other', time_in_force: 'other' });
  });

  it.each([
    ['"tell me what to buy" names no TELL', 'tell me what to buy', { symbol: 'TELL' }, 'symbol'],
    ['"buy all of it" names neither ALL nor IT', 'buy all of it', { symbol: 'ALL' }, 'symbol'],
    ['the 5 of "$5" is no number of shares', 'hm, spend $5 on AAPL', { symbol: 'AAPL', qty: '5' }, 'qty'],
    ['the 5 of "5%" is no number of shares', 'if AAPL falls 5% buy', { symbol: 'AAPL', qty: '5' }, 'qty'],
    ['a price is no number of shares', 'hm, buy AAPL at 180', { symbol: 'AAPL', qty: '180' }, 'qty'],
    ['180 is not 1800', 'hm, buy 1800 AAPL', { symbol: 'AAPL', qty: '180' }, 'qty'],
    ['half a word is no word', 'hm, buy 5 AAPLX', { symbol: 'AAPL', qty: '5' }, 'symbol'],
    ['what was forbidden was not asked for', "don't buy 5 AAPL", { symbol: 'AAPL', qty: '5' }, 'side'],
    ['a price said for shares', 'hm, buy 5 AAPL', { symbol: 'AAPL', qty: '5', limit_price: '5' }, 'limit_price'],
  ])('%s', (_, turn, request, field) => {
    expect(sources([turn], { side: 'buy', ...request })[field]).toBe('other');
  });

  it.each([
    'buy 5 AAPL and sell 10 MSFT',
    'Buy 5 AAPL, and then sell 10 MSFT please, will you',
    'well, swap: buy 5 AAPL, sell 10 MSFT',
  ])('of "%s" each order has its own number and side', (turn) => {
    const sold = sources([turn], { symbol: 'MSFT', side: 'sell', qty: '10' });
    expect(sold).toMatchObject({ symbol: 'user', side: 'user', qty: 'user' });
    const mixed = sources([turn], { ...buy5, symbol: 'MSFT' });
    expect(mixed).toMatchObject({ symbol: 'user', side: 'other', qty: 'other' });
  });

  it('two orders for one symbol lend each other nothing', () => {
    const turn = 'buy 5 AAPL limit 180 and buy 50 AAPL limit 90';
    const found = sources([turn], { ...buy5, qty: '50', type: 'limit', limit_price: '180' });
    expect([found.qty, found.limit_price].sort()).toEqual(['other', 'user']);
  });

  it('an earlier turn counts, until a newer one says otherwise', () => {
    const sell = { symbol: 'AAPL', side: 'sell', type: 'limit', limit_price: '190' };
    const turns = ['buy 5 AAPL limit 180', 'and now sell them at 190, would you'];
    const theirs = { symbol: 'user', side: 'user', qty: 'user', limit_price: 'user' };
    expect(sources(turns, { ...sell, qty: '5' })).toMatchObject(theirs);
    expect(sources(turns, { ...sell, qty: '5', limit_price: '180' }).limit_price).toBe('other');
    expect(sources(['buy 5 AAPL', 'no, make it 3'], buy5).qty).toBe('other');
  });

  it.each(['sell half my MSFT', 'MSFT makes me nervous, so sell half of it'])(
    '"%s" is computed from what is held, where it comes to that',
    (turn) => {
      const request = { ...usual, symbol: 'MSFT', side: 'sell' };
      const { fields } = provenance([turn], { ...request, qty: '5.5' }, { positions: held });
      expect(fields.qty).toEqual({ source: 'computed', from: 'half of the position' });
      expect(fields.side).toEqual({ source: 'user' });
      expect(sources([turn], { ...request, qty: '6' }, { positions: held }).qty).toBe('other');
      expect(sources([turn], { ...request, qty: '5.5' }).qty).toBe('other');
    },
  );

  it('sends the sentence along, on one line, without what can’t be seen, cut between characters', () => {
    expect(provenance(['buy 5 AAPL\n\u202eplease\u0007'], buy5).sentence).toBe('buy 5 AAPL please');
    expect(provenance(['buy 5 AAPL', 'yes'], buy5).sentence).toBe('buy 5 AAPL');
    expect(provenance([`${'x'.repeat(499)}😀`], buy5).sentence).toBe('x'.repeat(499));
    expect(provenance([], buy5)).not.toHaveProperty('sentence');
  });

  it('names what has entered the conversation, each once, in plain letters, ten at most', () => {
    const many = Array.from({ length: 20 }, (_, index) => `tool ${index}`);
    const taintedBy = ['standard input', 'standard input', 'nëws', ...many];
    const found = provenance(['buy'], {}, { taintedBy });
    expect(found.tainted_by?.slice(0, 2)).toEqual(['standard input', 'n?ws']);
    expect(found.tainted_by).toHaveLength(10);
  });

  it('a value in none of the person’s turns is never theirs', () => {
    const words = fc.constantFrom(
      ...'buy sell purchase half all 5 AAPL aapl MSFT msft of my shares limit 180 $500 1k at stop 5% trail gtc day market and , then'.split(
        ' ',
      ),
    );
    const turns = fc.array(
      fc.oneof(
        fc.array(words, { maxLength: 14 }).map((each) => each.join(' ')),
        fc.string({ maxLength: 60 }),
      ),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(turns, fc.integer({ min: 6_001, max: 999_999 }), (said, number) => {
        const value = String(number);
        fc.pre(said.every((turn) => !turn.includes(value) && !turn.includes('TSLA')));
        const numbers = ['qty', 'notional', 'limit_price', 'stop_price', 'trail_price', 'trail_percent'];
        const request = {
          ...{ symbol: 'TSLA', side: 'short', type: 'vwap', time_in_force: 'gtd' },
          ...Object.fromEntries(numbers.map((name) => [name, value])),
        };
        expect(Object.values(sources(said, request, { positions: held }))).not.toContain('user');
        const order = { ...request, symbol: 'AAPL' };
        expect(sources(said, order)).toMatchObject({ qty: 'other', notional: 'other', limit_price: 'other' });
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('where a cancel, a change and a message come from', () => {
  const id = '7d1b6a52-1b0c-4a0e-9a39-0d2f4f1f0a11';
  const openOrders = [{ id, symbol: 'AAPL' }];

  it('an order’s id that the person wrote is theirs', () => {
    const found = provenance([`cancel order ${id}.`], { order_id: id }, { kind: 'cancel' });
    expect(found.fields.order_id).toEqual({ source: 'user' });
  });

  it.each([
    ['cancel my AAPL order', { source: 'computed', from: 'open AAPL orders' }],
    ['cancel all orders', { source: 'computed', from: 'all open orders' }],
    ['cancel my MSFT order', { source: 'other', from: 'model' }],
    ['what are my open orders', { source: 'other', from: 'model' }],
  ])('after "%s" the order is %o', (turn, field) => {
    const found = provenance([turn], { order_id: id }, { kind: 'cancel', openOrders });
    expect(found.fields.order_id).toEqual(field);
  });

  it('a change has the person’s number, and the order the rule found', () => {
    const found = provenance(
      ['hm, move the stop of my AAPL order to 170 whatever'],
      { order_id: id, stop_price: '170', qty: '5' },
      { kind: 'replace', openOrders },
    );
    expect(found.fields.stop_price).toEqual({ source: 'user' });
    expect(found.fields.qty).toEqual({ source: 'other', from: 'model' });
    expect(found.fields.order_id).toEqual({ source: 'other', from: 'model' });
  });

  it('a message goes where the person said, and its text is the rule’s', () => {
    const request = {
      service: 'gmail',
      recipient: 'bob@example.com',
      subject: 'Portfolio',
      text: 'All well.',
    };
    const more = { kind: 'message', computed: { subject: 'summary', text: 'summary' } } as const;
    expect(provenance(['email my portfolio to bob@example.com.'], request, more).fields).toEqual({
      service: { source: 'user' },
      recipient: { source: 'user' },
      subject: { source: 'computed', from: 'summary' },
      text: { source: 'computed', from: 'summary' },
    });
    const { recipient } = provenance(['email it to rob@example.com'], request, more).fields;
    expect(recipient).toEqual({ source: 'other', from: 'model' });
  });
});

describe('how many orders a prompt names', () => {
  it.each([
    ['what do I own', 0],
    ['buy 5 AAPL', 1],
    ['buy 1 AAPL and buy 2 MSFT and sell 3 NVDA', 3],
    ['hello there, maybe buy 1 AAPL, 2 MSFT, 3 NVDA, 4 KO, 5 PEP, 6 IBM', 6],
    ['would you buy some KO somehow', 1],
    ["don't buy 5 AAPL", 0],
    ['how was your day?', 0],
    ['cancel my AAPL order and sell 5 AAPL', 2],
  ])('"%s": %i', (turn, count) => {
    expect(countNamedOrders(['buy 9 TSLA', turn])).toBe(count);
  });

  it('twenty at most, whatever was pasted', () => {
    expect(countNamedOrders([Array.from({ length: 90 }, () => 'buy 5 KO').join(', or ')])).toBeLessThanOrEqual(20);
    expect(countNamedOrders([])).toBe(0);
  });
});

describe('a symbol found by name', () => {
  const names = [
    { query: 'apple', assets: [{ symbol: 'AAPL', name: 'Apple Inc.' }] },
    { query: 'aapl', assets: [{ symbol: 'AAPL', name: 'Apple Inc.' }] },
  ];
  const order = { ...usual, ...buy5 };

  it('is computed by the rule’s name, and the rest is the person’s', () => {
    const { fields, sentence } = provenance(['buy 5 apple'], order, { names });
    expect(fields).toMatchObject({
      symbol: { source: 'computed', from: 'the asset list, by name' },
      side: { source: 'user' },
      qty: { source: 'user' },
    });
    expect(sentence).toBe('buy 5 apple');
  });

  it('that is the ticker in small letters is the person’s', () => {
    expect(sources(['buy 5 aapl'], order, { names }).symbol).toBe('user');
  });

  it('is nobody’s where the list says otherwise', () => {
    expect(sources(['buy 5 apple'], { ...order, symbol: 'APLE' }, { names }).symbol).toBe('other');
  });
});

describe('what a turn takes from the one before', () => {
  it('stands in the person’s words: "the same for KO"', () => {
    const found = sources(['buy 5 AAPL', 'the same for KO'], { ...buy5, symbol: 'KO' });
    expect(found).toMatchObject({ symbol: 'user', side: 'user', qty: 'user' });
  });

  it('but for what a yes put right: that is no word of theirs', () => {
    const found = sources(['by 5 AAPL', 'yes'], buy5);
    expect(found).toMatchObject({ symbol: 'user', side: 'other', qty: 'user' });
  });
});

describe('a change of an order', () => {
  const openOrders = [{ id: 'o-12345678', symbol: 'AAPL' }];
  const request = { order_id: 'o-12345678', limit_price: '185' };
  it.each([
    ['change my order to 185', 'the only open order'],
    ['change my AAPL order to limit 185', 'open AAPL orders'],
    ['change my last order to 185', 'the newest order'],
  ])('by "%s" is of an order that %s is', (turn, from) => {
    const { fields } = provenance([turn], request, { kind: 'replace', openOrders, defaults: {} });
    expect(fields).toEqual({ order_id: { source: 'computed', from }, limit_price: { source: 'user' } });
  });

  it('is the model’s where it is another order than the one meant', () => {
    const two = [{ id: 'o-newest00', symbol: 'KO' }, ...openOrders];
    const more = { kind: 'replace', openOrders: two } as const;
    const { fields } = provenance(['change my last order to 185'], request, more);
    expect(fields.order_id).toEqual({ source: 'other', from: 'model' });
  });
});
