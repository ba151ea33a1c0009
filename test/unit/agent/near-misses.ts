import fc from 'fast-check';

/* Sentences that are nearly orders, and what one may read in them. */

const symbols = ['AAPL', 'MSFT', 'NVDA', 'KO', 'TSLA'] as const;
const amounts = [
  '5 ',
  '12 ',
  '3 shares of ',
  '$500 of ',
  '$1,250 worth of ',
  'seven ',
  '2k worth of ',
  '40 of ',
] as const;
const terms = [
  '',
  ' limit 180',
  ' at 175.50',
  ' limit 180 gtc',
  ' stop 90',
  ' good til canceled at a limit of 99',
  ' at market',
  ' for 77 a share',
  ' take profit 220 and stop loss 80',
  ' at 200 or stop 150',
] as const;
const verbs = [
  'buy',
  'sell',
  'purchase',
  'dump',
  'limit buy',
  'please sell',
  'close my',
  'sell half my',
  'cancel my',
  'change my',
] as const;
const intruders =
  'not never unless if only except double minus short calls puts tomorrow maybe without twice dont until Friday above options about another 7 33 $4 k % - AND_NOT'.split(
    ' ',
  );

const sentence = fc
  .record({
    verb: fc.constantFrom(...verbs),
    amount: fc.constantFrom(...amounts),
    symbol: fc.constantFrom(...symbols),
    term: fc.constantFrom(...terms),
  })
  .map(({ verb, amount, symbol, term }) => {
    if (verb.startsWith('cancel')) return `${verb} ${symbol} order`;
    if (verb.startsWith('change')) return `${verb} ${symbol} order to${term.trim() === '' ? ' 185' : term}`;
    return `${verb} ${verb.endsWith('my') ? '' : amount}${symbol}${term}`;
  });

const place = fc.nat({ max: 40 });
/** Drops, doubles, swaps or inserts a word or letter. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const), at: place }),
  fc.record({ kind: fc.constant('double' as const), at: place }),
  fc.record({ kind: fc.constant('swap' as const), at: place }),
  fc.record({ kind: fc.constant('intrude' as const), at: place, word: fc.constantFrom(...intruders) }),
  fc.record({ kind: fc.constant('replace' as const), at: place, word: fc.constantFrom(...intruders) }),
  fc.record({ kind: fc.constant('letter gone' as const), at: place }),
  fc.record({ kind: fc.constant('letter' as const), at: place, word: fc.constantFrom(...'aeikst05$.,%-') }),
);

type Mutation = typeof mutation extends fc.Arbitrary<infer One> ? One : never;

function mutate(text: string, { kind, at, ...more }: Mutation): string {
  const words = text.split(' ');
  const word = 'word' in more ? more.word : '';
  const here = at % words.length;
  const letter = at % text.length;
  switch (kind) {
    case 'drop':
      return words.toSpliced(here, 1).join(' ');
    case 'double':
      return words.toSpliced(here, 0, words[here] ?? '').join(' ');
    case 'swap':
      return words.toSpliced(here, 2, ...words.slice(here, here + 2).reverse()).join(' ');
    case 'intrude':
      return words.toSpliced(here, 0, word).join(' ');
    case 'replace':
      return words.with(here, word).join(' ');
    case 'letter gone':
      return text.slice(0, letter) + text.slice(letter + 1);
    case 'letter':
      return text.slice(0, letter) + word + text.slice(letter);
  }
}

export const nearMiss = fc
  .tuple(sentence, fc.array(mutation, { minLength: 1, maxLength: 2 }))
  .map(([text, mutations]) => mutations.reduce(mutate, text));

export function wordsOf(text: string) {
  const words = text
    .toLowerCase()
    .replace(/(\d) %/g, '$1%')
    .split(/\s+/)
    .map((word) => word.replace(/[,.!?:]+$|^[,.]+(?=[a-z$])/g, ''))
    .filter((word) => word !== '');
  const numbers = words.flatMap((word) => {
    const said = 'one two three four five six seven eight nine ten'.split(' ').indexOf(word) + 1;
    if (said > 0) return [said];
    if (word === 'half') return [0.5];
    const parts = /^@?\$?(\d[\d,]*(?:\.\d+)?|\.\d+)(k?)%?$/.exec(word);
    if (parts === null) return /\d/.test(word) && !/^[a-z]/.test(word) ? [Number.NaN] : [];
    return [Number((parts[1] ?? '').replaceAll(',', '')) * (parts[2] === 'k' ? 1_000 : 1)];
  });
  const has = (...wanted: string[]) => wanted.some((word) => words.includes(word));
  /** "double my AAPL" buys as much as there is; elsewhere the word may mean anything. */
  const doubles = /\bdouble my\b/.test(words.join(' '));
  const parts = words.flatMap((word) => (/^\d+(\.\d+)?%$/.test(word) ? [Number.parseFloat(word)] : []));
  return {
    words,
    numbers,
    /** Those of them that are a part of what is held. */
    parts: [0.5, ...parts],
    doubles,
    buys: doubles || has('buy', 'purchase', 'acquire', 'grab', 'pick'),
    sells: has('sell', 'dump', 'unload', 'offload', 'rid', 'close', 'liquidate', 'exit'),
    /** Words after which nothing may be done. */
    strange:
      has(
        ...'not never unless if only except minus short calls puts tomorrow maybe without twice dont friday above options % - and_not'.split(
          ' ',
        ),
      ) || /\banother\b(?! (?:\$?\d|seven\b))|\bdouble\b(?! my\b)/.test(words.join(' ')),
  };
}
