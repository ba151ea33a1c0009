import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Intent } from '../../../src/agent/reader/intent.ts';
import { lexiconFor, MAX_PHRASE_WORDS } from '../../../src/agent/reader/lexicon.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { requireSymbol } from '../../../src/agent/reader/symbols-by-name.ts';
import { inShort, orderId, planned } from './planner-world.ts';

const read = (text: string): readonly Intent[] => {
  const parsed = parsePrompt(text);
  return 'intents' in parsed ? parsed.intents : [];
};
const refused = (text: string): string => {
  const parsed = parsePrompt(text);
  return 'refusal' in parsed ? parsed.refusal.message : JSON.stringify(parsed.intents);
};

describe('the lexicon of each language', () => {
  const folder = new URL('../../../src/agent/reader/lexicons/', import.meta.url);
  const lexicons = readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(new URL(file, folder), 'utf8'))]);
  const phrasesOf = (lists: Readonly<Record<string, string>>) =>
    Object.values(lists).flatMap((list) => list.split('|'));

  it.each(lexicons)('has no phrase that is too long to be found: %s', (_, data) => {
    const words = phrasesOf(data.meanings).filter((phrase) => phrase.split(' ').length > MAX_PHRASE_WORDS);
    const lexicon = lexiconFor(phrasesOf(data.cues).join(' '));
    const cues = phrasesOf(data.cues).filter((phrase) =>
      lexicon.cuesIn(phrase).every((one) => one.phrase.length < phrase.replaceAll("'", '').length && !data.hasNoSpaces),
    );
    expect([lexicon.name, words, cues]).toEqual([data.name, [], []]);
  });
});

describe('unknown words', () => {
  it.each([
    '비가 오면 tesla 전부 팔아줘',
    '금요일만 빼고 tesla 전부 팔아줘',
    '배당락 지나고 AAPL 5주 사줘',
    'tesla 전부 비밀로 팔아줘',
    'wenn es regnet verkaufe alle TSLA',
    'si llueve vende todas mis TSLA',
    'sell all my TSLA 雨が降ったら',
  ])('do not become part of a name in %s', (text) => expect(read(text)).toEqual([]));
});

describe('a reason, a statement or a relative clause', () => {
  const order = { kind: 'order', request: { symbol: 'AAPL', side: 'sell', qty: '5' } };

  it.each([
    'Since my landlord raised the rent, please sell 5 AAPL.',
    'sell 5 AAPL because my grandfather distrusted computers',
    'Sell the 5 AAPL shares that my uncle bequeathed me.',
    'sell 5 shares of AAPL, which I adore',
    'since my kid starts college sell 5 AAPL',
    'The grandkids are coming over, so sell 5 AAPL.',
    'Given the mess in Washington, please sell 5 AAPL.',
    'I promised my dad, so sell 5 AAPL',
    'against my better judgment, sell 5 AAPL',
    "sell 5 AAPL because I'm switching to water",
    "sell 5 AAPL, it's for my niece's college fund",
    "sell 5 AAPL, thanks ever so much. That's it. Bye!",
    'Sell 5 AAPL. The market is nuts.',
  ])('may have unknown words: %s', (text) => expect(read(text)).toMatchObject([order]));

  it.each([
    'sell 5 AAPL because frobnicate',
    'sell 5 AAPL because the oldest lots go first',
    'sell 5 AAPL because I want to wait for 250',
    'sell 5 AAPL since I do not want a limit',
    'sell 5 AAPL because the MSFT wedding is due',
    'since my wife wants to sell 5 AAPL',
    'since my wife is selling 5 AAPL',
    'sell 5 AAPL, my cat typed this',
    'sell 5 AAPL. Half is plenty.',
    'Preferred shares, sell 5 BAC',
    'sell 5 BAC, class preferred',
    'I canceled it, sell 5 AAPL',
    'I advised my dad to sell 5 AAPL',
    'Tomorrow morning: sell 5 AAPL',
    'sell 5 AAPL, it is for my index fund',
    'my wife said: sell 5 AAPL',
    'Opposite of what I said, sell 5 AAPL',
    'Everyone is screaming, sell 5 AAPL',
    'My friends are sure: sell 5 AAPL',
    'The joint account is the one, sell 5 AAPL',
    'We are practicing. Sell 5 AAPL.',
    'sell 5 BAC. The preferred is better.',
    'sell 5 AAPL that I bought first',
    'sell 5 AAPL, which I will confirm later',
    'sell 5 AAPL, that was a slip of the tongue',
    'sell 5 AAPL, it was a typo',
  ])('changes no order: %s', (text) => expect(read(text)).toEqual([]));
});

describe('a bound of the price that is said as a sentence', () => {
  it.each([
    "buy 5 AAPL but I don't want to pay more than 200 a share",
    "buy 5 AAPL as long as it's not over 200",
    'buy 5 AAPL, the price should be 200 or below',
    'buy 5 AAPL, not a penny over 200',
    'buy 5 AAPL with a ceiling of 200',
    'buy 5 AAPL capped at 200',
  ])('is a limit: %s', (text) => expect(read(text)).toMatchObject([{ request: { qty: '5', limit_price: '200' } }]));

  it.each([
    'buy 20 AAPL, at 200 the maximum',
    'buy 20 AAPL, 200 tops',
    'buy 20 AAPL, bid 200, not a penny higher',
    'buy 20 AAPL as long as they cost no more than 200',
    'buy 20 AAPL, I can go up to 200 a share',
    'buy 20 AAPL, but only at 200 or lower',
    'Buy 20 AAPL. Limit 200.',
    "20 AAPL, but I don't want to pay more than 200 each",
    'Buy 20 AAPL. My upper limit is 200.',
    "buy 20 AAPL, highest I'll go is 200",
    'buy 20 AAPL, nothing over 200',
    'buy 20 AAPL and under no circumstances pay more than 200 for any of them',
    'buy 20 AAPL, but only under 200',
  ])('may follow the price: %s', (text) =>
    expect(read(text)).toMatchObject([{ request: { qty: '20', limit_price: '200' } }]),
  );

  it.each(['buy 20 AAPL, 10 at most', 'buy 20 AAPL unless they cost more than 200', 'sell 20 AAPL, 200 tops'])(
    'is no guess: %s',
    (text) => expect(read(text)).toEqual([]),
  );

  it.each([
    'buy 5 AAPL at 180 limit, take the winnings at 200, cut losses at 170',
    'buy 5 AAPL limit 180 and cash in at 200, bail if it drops to 170',
    'buy 5 AAPL limit 180, target at 200 with a safety net at 170',
    'buy 5 AAPL at 180 and once it hits 200 take the profit, but if it drops to 170 stop me out',
  ])('may be an exit: %s', (text) =>
    expect(read(text)).toMatchObject([
      {
        request: { qty: '5', limit_price: '180', take_profit_limit_price: '200', stop_loss_stop_price: '170' },
      },
    ]),
  );

  it.each([
    'sell 5 AAPL never above 200',
    "buy 5 AAPL, but don't pay more than 1000 in total",
    'buy 5 AAPL not over 1000 in total',
  ])('is never the wrong one: %s', (text) => expect(read(text)).toEqual([]));
});

describe('words that ask for what holds anyway', () => {
  it.each([
    'buy 5 AAPL, and show me before anything happens, ok?',
    'buy 5 AAPL but let me approve it first',
    'buy 5 AAPL and run it by me first, please',
    'buy 5 AAPL if I have enough cash',
    'buy only 5 AAPL at market only',
    'After talking it over with my wife, I decided to buy 5 AAPL',
    "For my son's birthday please buy 5 AAPL",
    'buy 5 AAPL, nothing more, nothing less',
    "buy 5 AAPL while it's cheap",
    "buy 5 AAPL, price doesn't matter, and let me know when it's done",
    'buy 5 AAPL, the phone maker',
    "I'd like 5 shares of AAPL",
    "let's go with 5 AAPL",
  ])('are left out: %s', (text) =>
    expect(read(text)).toMatchObject([{ request: { side: 'buy', symbol: 'AAPL', qty: '5', type: 'market' } }]),
  );

  it.each([
    'buy 5 AAPL, but let me check with my wife first',
    'buy 5 AAPL and ask me tomorrow before noon',
    'buy 5 AAPL if I have enough cash, otherwise buy 2',
    'buy 5 AAPL if I have enough AAPL',
    'buy 5 AAPL before it drops below 70',
    "buy 5 AAPL while it's under 170",
    "buy 5 AAPL at 180, price doesn't matter",
    'buy 5 AAPL, the other company',
    'for the joint account, buy 5 AAPL',
  ])('are read if they ask for more: %s', (text) => expect(read(text)).toEqual([]));

  it('keep an order open', () => {
    for (const text of ['sell 5 AAPL at 250, leave it in until I cancel it', 'sell 5 AAPL at 250. Good till canceled.'])
      expect(read(text)).toMatchObject([{ request: { limit_price: '250', time_in_force: 'gtc' } }]);
  });
});

describe('what happens to an order for the day', () => {
  it.each(["if it doesn't fill today, just let it expire", 'should that not be filled by the close, forget it'])(
    'is left out: %s',
    (words) =>
      expect(read(`sell 5 AAPL at 250, and ${words}`)).toMatchObject([{ request: { qty: '5', limit_price: '250' } }]),
  );

  it('is read if it asks for more', () => {
    expect(read('sell 5 AAPL at 250, and should that not be filled by the close, sell 10')).toEqual([]);
  });
});

describe('a number beside the size', () => {
  it.each([
    'sell ten of my forty AAPL shares',
    'sell 10 AAPL out of my 40',
    'trim my AAPL by a quarter, meaning 10 shares',
  ])('says what is held: %s', (text) =>
    expect(read(text)).toMatchObject([{ request: { side: 'sell', symbol: 'AAPL', qty: '10' } }]),
  );

  it('counts shares as the number before it does', () => {
    expect(read('buy 10 shares of PFE, 10 of MRK and 5 of ABBV, all at market')).toMatchObject([
      { request: { symbol: 'PFE', qty: '10' } },
      { request: { symbol: 'MRK', qty: '10' } },
      { request: { symbol: 'ABBV', qty: '5' } },
    ]);
  });
});

describe('a protective stop', () => {
  it('may be said around its price', () => {
    const request = { side: 'sell', symbol: 'KO', stop_price: '60', type: 'stop' };
    expect(read('Protect my KO: if it sinks to 60 get me out of all of it')).toMatchObject([{ request }]);
    expect(read('if it sinks to 60 get me out')).toEqual([]);
    expect(read('buy 5 AAPL and if MSFT drops to 205 get me out')).toEqual([]);
  });

  it('has its shares apart from its price', () => {
    const request = { side: 'sell', symbol: 'JPM', qty: '20', stop_price: '280', type: 'stop' };
    for (const text of ['put a stop on my 20 JPM at 280', 'put a stop on 20 of my JPM at 280'])
      expect(read(text)).toMatchObject([{ request }]);
    expect(read('can you do a 7% trailing stop on all my AAPL?')).toMatchObject([
      { request: { side: 'sell', trail_percent: '7' }, fraction: '1' },
    ]);
    expect(read('set a stop at 190 on 5 of my JPM shares, never below 188')).toMatchObject([
      { request: { qty: '5', stop_price: '190', limit_price: '188', type: 'stop_limit' } },
    ]);
  });

  it.each([
    'put a 10 10 percent trailing stop on MSFT',
    'put a 10 12 percent trailing stop on MSFT',
    'put 10 a trailing stop of 5% on MSFT',
    'set 5 stop loss at 200 on AAPL',
    'add a 7 stop at 150 on NVDA',
  ])('is never a purchase: %s', (text) => expect(read(text)).toEqual([]));

  it('may cover a number of shares', () => {
    const request = { symbol: 'MSFT', side: 'sell', qty: '10', type: 'stop', stop_price: '200' };
    for (const text of ['put a stop at 200 on 10 of my MSFT', 'put a stop at 200 on 10 shares of MSFT']) {
      expect(read(text)).toEqual([{ kind: 'order', request }]);
    }
  });

  it('is an exit of a purchase after "with"', () => {
    expect(read('add 5 AAPL with a stop at 170')).toMatchObject([{ request: { side: 'buy', qty: '5' } }]);
  });
});

describe('a capital letter', () => {
  it.each(['K', 'U', 'R'])('is a ticker, also where the small letter is a word: %s', (symbol) => {
    expect(read(`cancel my ${symbol} order`)).toEqual([{ kind: 'cancel', which: { symbol, many: false } }]);
    expect(read(`please buy 5 ${symbol}`)).toMatchObject([{ request: { symbol, qty: '5' } }]);
  });

  it('is a word at the beginning', () =>
    expect(read('K buy 5 AAPL')).toMatchObject([{ request: { symbol: 'AAPL', qty: '5' } }]));

  it('never leaves the only open order to be canceled whatever its symbol', () => {
    expect(refused('cancel my ALL order')).toBe('Which order do you mean by "ALL"?');
    expect(read('cancel my order')).toEqual([{ kind: 'cancel', which: { only: true } }]);
  });
});

describe('a doubled number', () => {
  it.each(['buy 5 5 AAPL', 'sell $100 $100 of KO', 'buy 5 AAPL limit 180 180', 'put a 5% 5% trailing stop on KO'])(
    'is asked about: %s',
    (text) => expect(refused(text)).toContain('Which number do you mean'),
  );
});

const sale = (request: object, more: object = {}) => [
  { kind: 'order', request: { symbol: 'AAPL', side: 'sell', type: 'market', ...request }, ...more },
];

describe('a comment', () => {
  it.each([
    'I am nervous about the market. Sell 5 AAPL',
    'my rent is due so sell 5 AAPL',
    'sell 5 AAPL because I need the money',
    'sell 5 AAPL, I hate it',
    'sell 5 AAPL - need cash for rent',
    "today's my birthday, sell 5 AAPL",
    'tbh simply sell exactly 5 AAPL for me, thanks a lot',
    'sell 5 AAPL at the market during regular hours, nothing else',
  ])('changes nothing: %s', (text) => expect(read(text)).toEqual(sale({ qty: '5' })));

  it.each([
    "sell 5 AAPL, I don't need it",
    'my wife said, sell 5 AAPL',
    'she needs cash, sell 5 AAPL',
    'I love it when it dips, sell 5 AAPL',
    'sell 5 AAPL because rent is due tomorrow',
    'sell 5 AAPL because I need 300',
    'sell 5 AAPL because MSFT is risky',
    'sell 5 AAPL because frobnicate',
    'sell 5 AAPL (I am nervous)',
    'I am nervous, should I sell 5 AAPL',
    'sell 5 AAPL, I am nervous?',
    'maybe the market is crazy, sell 5 AAPL',
  ])('with a risky or unknown word is not ignored: %s', (text) => expect(read(text)).toEqual([]));
});

describe('a word that changes nothing', () => {
  it.each([
    'I need you to definitely sell 5 shares from my existing AAPL position',
    'I want that you sell 5 AAPL',
    'you can sell 5 AAPL for my account',
    'please enter a sell order for 5 AAPL',
    'sell 5 pieces of AAPL',
    'sell 5 AAPL, my dentist is annoying',
  ])('is left out of %s', (text) => expect(read(text)).toEqual(sale({ qty: '5' })));

  it.each([
    'I sold 5 AAPL',
    'we bought 5 AAPL',
    'I am selling 5 AAPL',
    'you bought 5 AAPL',
    'my agent bought 5 AAPL',
    'you want me to sell 5 AAPL',
    'I wish I sell 5 AAPL',
    'he wants to sell 5 AAPL',
    'I always sell 5 AAPL',
    'I might sell 5 AAPL',
    'I need you not to sell 5 AAPL',
    'I want to know if you sell 5 AAPL',
    'existing sell 5 AAPL tomorrow',
  ])('makes no request of %s', (text) => expect(read(text)).toEqual([]));

  it('is asked about by name if it is unknown', () =>
    expect(refused('yeet all my coke shares')).toContain(`what "yeet" means`));
});

describe('a constraint', () => {
  it('that restates the default changes nothing', () => {
    for (const text of ['sell half my AAPL and leave the other half alone', 'sell half my AAPL, leave the rest alone'])
      expect(read(text)).toEqual(sale({}, { fraction: '0.5' }));
    for (const text of [
      'sell 5 AAPL limit 300 and if it never gets there do nothing',
      'sell 5 AAPL limit 300, otherwise do nothing',
      "sell 5 AAPL limit 300. If it doesn't fill, forget it",
    ]) {
      expect(read(text)).toEqual(sale({ qty: '5', type: 'limit', limit_price: '300' }));
    }
  });

  it.each([
    'sell all my AAPL, leave the rest alone',
    'sell 10 AAPL, leave the other half alone',
    'sell 5 AAPL, forget it',
    'if it never gets there, sell 5 AAPL',
    'buy 5 AAPL limit 180, if it never gets there, sell 5 MSFT',
    'buy 5 AAPL limit 180, otherwise buy 3',
  ])('that says something else does not: %s', (text) => expect(read(text)).toEqual([]));
});

describe('the words of an order', () => {
  const bought = (request: object) => [
    { kind: 'order', request: { symbol: 'F', side: 'buy', type: 'market', ...request } },
  ];
  it.each([
    ['buy 50$ of $F', bought({ notional: '50' })],
    ["buy 10 $F but only if it's under 11", bought({ qty: '10', type: 'limit', limit_price: '11' })],
    ['scoop 5 $F at the current market price', bought({ qty: '5' })],
    ['cut my AAPL position in half', sale({}, { fraction: '0.5' })],
    ['take profits on half my AAPL', sale({}, { fraction: '0.5' })],
    ['sell 5 of my AAPL shares', sale({ qty: '5' })],
    ['put a stop under AAPL at 170', sale({ type: 'stop', stop_price: '170' }, { fraction: '1' })],
    [
      'set a trailing stop of 8 percent on my entire AAPL position',
      sale({ type: 'trailing_stop', trail_percent: '8' }, { fraction: '1' }),
    ],
    ['cancel the order for AAPL', [{ kind: 'cancel', which: { symbol: 'AAPL', many: false } }]],
  ])('%s', (text, expected) => expect(read(text)).toEqual(expected));

  it.each([
    "sell 10 $F but only if it's under 11",
    'buy 10 $F as long as the news is good',
    'place a market order for 5 AAPL',
  ])('are asked about: %s', (text) => expect(read(text)).toEqual([]));
});

describe('a name', () => {
  const resolve = (query: string, ...names: string[]) =>
    requireSymbol(query, [{ query, assets: names.map((name, at) => ({ symbol: `S${at}`, name })) }]);

  it('is that of the only asset whose name begins with it', () => {
    expect(resolve('costco', 'Costco Wholesale Corporation')).toBe('S0');
    expect(resolve('caterpillar', 'Caterpillar Inc.', 'Caterpillar Trust Fund')).toBe('S0');
  });

  it('is asked about if several begin with it, or if one only contains it', () => {
    expect(() => resolve('delta', 'Delta Air Lines', 'Delta Apparel')).toThrow('Which do you mean by "delta"');
    expect(() => resolve('wholesale', 'Costco Wholesale Corporation')).toThrow('Do you mean S0');
    expect(() => resolve('비가 costco', 'Costco Wholesale Corporation')).toThrow();
  });

  it('may have "&" or "of" in it', () => {
    const name = (text: string) => read(text)[0];
    expect(name('buy 3 shares of Johnson & Johnson')).toMatchObject({ request: { symbol: 'johnson and johnson' } });
    expect(name('buy 3 shares of bank of america')).toMatchObject({ request: { symbol: 'bank of america' } });
  });
});

describe('a turn after another', () => {
  const open = { orders: [{ symbol: 'AAPL', side: 'buy', qty: '5', limit_price: '180', status: 'new' }] } as const;
  const does = (...turns: string[]) => inShort(planned(turns, open));

  it.each([
    ['nah wait only 3', `replace_order 3 order_id=${orderId}`],
    ['make that 6, same price', `replace_order 6 order_id=${orderId}`],
    ['make it $175', `replace_order order_id=${orderId} limit_price=175`],
    ['no, at 175', `replace_order order_id=${orderId} limit_price=175`],
  ])('changes the order that was just read: %s', (said, expected) => {
    expect(does('buy 5 AAPL limit 180', said)).toBe(expected);
  });

  it('never places a second order to correct one', () => {
    for (const said of ['nah wait only 3', 'make that 6', 'no, sell 3', 'wait, 3 tomorrow', 'no 3 5']) {
      expect(does('buy 5 MSFT limit 180', said), said).toBe('asks');
      expect(does('buy $500 of MSFT', said), said).toBe('asks');
    }
    expect(does('hello', 'make that 6')).toBe('asks');
  });

  it('never changes another order than the one it corrects', () => {
    const other = (order: object) => inShort(planned(['buy 5 AAPL', 'no wait, only 3'], { orders: [order] }));
    const own = { symbol: 'AAPL', side: 'buy', qty: '5', status: 'new' } as const;
    expect(other(own)).toBe(`replace_order 3 order_id=${orderId}`);
    for (const order of [
      { ...own, side: 'sell' },
      { ...own, qty: '50' },
      { ...own, symbol: 'MSFT' },
      { ...own, status: 'filled' },
    ])
      expect(other(order), JSON.stringify(order)).toBe('asks');
  });

  it('has the symbol of the question before it', () => {
    expect(does('quote TSLA', 'k buy 2')).toBe('place_order buy 2 TSLA');
    expect(does('quote TSLA', 'buy 2 MSFT')).toBe('place_order buy 2 MSFT');
    expect(does('quote TSLA and MSFT', 'buy 2')).toBe('asks');
    expect(does('buy 5 AAPL', 'buy 2')).toBe('asks');
  });
});

describe('"another"', () => {
  it.each([
    ['buy another 7 KO', '7'],
    ['buy another share of KO', '1'],
    ['get me another 3 KO', '3'],
  ])('counts before a number: %s', (text, qty) =>
    expect(read(text)).toMatchObject([{ request: { symbol: 'KO', qty } }]),
  );

  it.each(['buy 7 another KO', 'buy 7 other KO', 'buy another KO 7', 'sell 7 another of my KO'])(
    'is unclear in %s',
    (text) => expect(read(text)).toEqual([]),
  );
});

describe('a class of shares', () => {
  it.each([
    ['buy 5 BRK-B', 'BRK.B'],
    ['sell 5 HEI-A', 'HEI.A'],
  ])('may be written with a hyphen: %s', (text, symbol) => expect(read(text)).toMatchObject([{ request: { symbol } }]));

  it.each(['sell $500 of MSF-A', 'buy 5 TSL-B'])('is none where there is no such class: %s', (text) => {
    for (const intent of read(text)) expect(intent).toMatchObject({ request: { symbol: expect.stringMatching('-') } });
  });
});

describe('what is forbidden', () => {
  it.each([
    'please do not buy any',
    'How rich I would be had I only bought some Coca-Cola, but please do not buy any',
    'never sell my MSFT',
    'Such a nice company, do not sell it please.',
  ])('is not done: %s', (text) => expect(refused(text)).toBe("You said not to, so I haven't done anything."));

  it('is no question either', () =>
    expect(refused('How my aunt regretted that she had not bought Texas Instruments, please do not buy any')).toBe(
      "I can't tell what a purchase that you did not make would be worth.",
    ));

  it.each(['do not buy it, sell 5 MSFT', "don't hesitate, sell 5 MSFT"])('leaves another act unread: %s', (text) =>
    expect(refused(text)).not.toMatch(/^You said not to/),
  );
});

describe('small talk', () => {
  const says = (text: string) =>
    read(text).map((intent) => (intent.kind === 'say' ? String(intent.text) : intent.kind));

  it.each(['ok bye mara', 'goodbye Joan', 'good night pam'])('may name a person whose name is a ticker: %s', (text) =>
    expect(says(text)).toEqual(['Goodbye.']),
  );

  it.each(['thanks for the quote of mara', 'bye AAPL'])('is no other request: %s', (text) =>
    expect(says(text)).not.toContain('Goodbye.'),
  );
});
