import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Intent, listIntentSymbols } from '../../../src/agent/reader/intent.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';

/** More by `READER_RUNS=20000`. */
const RUNS = Number(process.env.READER_RUNS ?? 1_000);

const symbol = fc.constantFrom('AAPL', 'MSFT', 'NVDA', 'KO', 'TSLA', 'VTI');
const count = fc.constantFrom('3', '5', '12', 'seven');
const dollars = fc.constantFrom('$250', '$1,500', '400 dollars');
const price = fc.constantFrom('90', '$180', '175.50');
const percent = fc.constantFrom('5%', '15 %', '30 percent');
const part = fc.constantFrom('half', 'a third', 'a quarter', 'two thirds', '20%', 'all');
const wish = fc.constantFrom('', 'please ', 'I want to ', 'could you ', 'ok, ');
const term = fc.oneof(
  fc.constant(''),
  price.map((at) => ` limit ${at}`),
  price.map((at) => ` at ${at} gtc`),
  price.map((at) => ` for no more than ${at} a share`),
);
const when = fc.oneof(
  fc.constantFrom('every Friday', 'every month', 'on Mondays'),
  price.map((at) => `if it falls below ${at}`),
);
const item = fc.tuple(count, symbol).map((words) => words.join(' '));

/** Sentences of every kind of order that the reader knows. */
const sentence = fc.oneof(
  fc
    .tuple(
      wish,
      fc.constantFrom('buy', 'get', 'grab', 'add'),
      count,
      fc.constantFrom('', 'more ', 'shares of '),
      symbol,
      term,
    )
    .map(([a, verb, qty, unit, of, terms]) => `${a}${verb} ${qty} ${unit}${of}${terms}`),
  fc
    .tuple(wish, fc.constantFrom('buy', 'invest', 'put'), dollars, fc.constantFrom('of', 'in', 'into'), symbol)
    .map(([a, verb, amount, into, of]) => `${a}${verb} ${amount} ${into} ${of}`),
  fc
    .tuple(wish, fc.constantFrom('sell', 'dump'), part, symbol, term)
    .map(([a, verb, of, what, terms]) => `${a}${verb} ${of} of my ${what}${terms}`),
  fc.tuple(count, symbol).map(([keep, of]) => `sell all but ${keep} of my ${of}`),
  fc.tuple(percent, symbol).map(([of, into]) => `put ${of} of my cash into ${into}`),
  fc.tuple(symbol, dollars).map(([of, amount]) => `sell enough ${of} to get ${amount}`),
  fc.tuple(symbol, percent).map(([of, by]) => `protect my ${of} with a ${by} trailing stop`),
  fc.tuple(symbol, price).map(([of, at]) => `put a stop loss on my ${of} at ${at}`),
  fc
    .tuple(fc.constantFrom('get me out of', 'close my', 'trim my'), symbol)
    .map(([verb, of]) => (verb.startsWith('trim') ? `${verb} ${of} by half` : `${verb} ${of}`)),
  fc.tuple(count, symbol, when).map(([qty, of, then]) => `buy ${qty} ${of} ${then}`),
  fc
    .tuple(fc.constantFrom('buy', 'sell'), fc.array(item, { minLength: 2, maxLength: 3 }))
    .map(([verb, items]) => `${verb} ${items.slice(0, -1).join(', ')} and ${items.at(-1)}`),
  fc.tuple(item, item).map(([one, two]) => `buy ${one} and sell ${two}`),
  fc
    .tuple(item, price, price)
    .map(([what, at, stop]) => `buy ${what} with a take profit at ${at} and a stop loss at ${stop}`),
);

const changing = 'not never unless only except without maybe if until but instead or tomorrow twice double minus'.split(
  ' ',
);
const intruder = fc.oneof(
  fc.constantFrom('7', '33', '$4', '2%', '1.5k', '9:30', '15th'),
  fc.constantFrom('GOOG', 'IBM', '$F', 'amazon', 'XOM'),
  fc.constantFrom(
    ...changing,
    'frobnicate',
    'my friend said',
    '(maybe)',
    'if the news is good',
    'when I say so',
    'above',
    'call',
    'short',
  ),
);

const place = fc.nat({ max: 30 });
const insert = (text: string, word: string, at: number) => {
  const words = text.split(' ');
  return words.toSpliced(at % (words.length + 1), 0, word).join(' ');
};

const acts = (text: string): readonly Intent[] => {
  const parsed = parsePrompt(text);
  const intents = 'intents' in parsed ? parsed.intents : [];
  return intents.filter(({ kind }) => kind === 'order' || kind === 'standing');
};

const leaves = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(leaves)
      : [];

const spelled: Readonly<Record<string, number>> = { seven: 7 };

/** The numbers, symbols and conditions of a sentence that its orders have lost. */
function lost(text: string, intents: readonly Intent[]): string[] {
  const said = leaves(intents);
  const left = said.flatMap((value) =>
    /^[\d.]+$/.test(value) ? [Number(value)] : (value.match(/\d+/g) ?? []).map(Number),
  );
  const words = text.split(/\s+/).map((word) => word.replace(/^[("]+|[)",.!?]+$/g, ''));
  const missing: string[] = [];
  words.forEach((word, at) => {
    const [digits, scale] = /^\$?([\d,]+(?:\.\d+)?)(k?)/.exec(word)?.slice(1) ?? [];
    const number =
      spelled[word] ??
      (digits === undefined ? undefined : Number(digits.replaceAll(',', '')) * (scale === 'k' ? 1_000 : 1));
    if (number !== undefined) {
      // A price that several orders share counts once; a fraction stands for its percentage.
      const isPart = word.endsWith('%') || /^(?:%|percent)$/.test(words[at + 1] ?? '');
      const found = left.findIndex((value) => value === number || (isPart && Math.abs(value - number / 100) < 1e-9));
      if (found < 0) missing.push(word);
      else left.splice(found, 1);
    }
    if (
      /^\$?[A-Z]{2,}$/.test(word) &&
      !said.some((value) => value === word.replace('$', '') || value === word.toLowerCase())
    )
      missing.push(word);
    if (word === '$F' || (word === 'amazon' && !said.includes('amazon'))) missing.push(word);
  });
  const hasPlan = intents.some(({ kind }) => kind === 'standing') || leaves(intents).includes('gtc');
  const conditions = words.filter(
    (word) => changing.includes(word) || ['frobnicate', 'friend', 'news', 'say'].includes(word),
  );
  const kept = conditions.filter(
    (word) =>
      !(word === 'if' && hasPlan) &&
      !(word === 'but' && text.includes('all but')) &&
      !(word === 'or' && text.includes('or better')),
  );
  return [...missing, ...kept];
}

describe('the reader', () => {
  it('reads the sentences that the properties are about', () => {
    let understood = 0;
    fc.assert(
      fc.property(sentence, (text) => {
        if (acts(text).length > 0) understood += 1;
      }),
      { numRuns: RUNS },
    );
    expect(understood / RUNS).toBeGreaterThan(0.6);
  });

  it('proposes nothing for a sentence with an unread number, symbol or condition', () => {
    fc.assert(
      fc.property(sentence, fc.array(fc.tuple(intruder, place), { minLength: 0, maxLength: 2 }), (text, more) => {
        const said = more.reduce((all, [word, at]) => insert(all, word, at), text);
        const intents = acts(said);
        expect(intents.length === 0 ? [] : lost(said, intents), `${said} → ${JSON.stringify(intents)}`).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  const mutation = fc.tuple(fc.constantFrom('drop', 'double', 'swap'), place);

  it('never reads a larger order into a sentence of which a word was dropped, doubled or swapped', () => {
    fc.assert(
      fc.property(sentence, mutation, (text, [kind, at]) => {
        const words = text.split(' ');
        const here = at % words.length;
        const changed =
          kind === 'drop'
            ? words.toSpliced(here, 1)
            : kind === 'double'
              ? words.toSpliced(here, 0, words[here] ?? '')
              : words.toSpliced(here, 2, ...words.slice(here, here + 2).reverse());
        const said = changed.join(' ');
        const before = acts(text);
        // Without its second act, "buy 3 AAPL and sell 3 MSFT" is another complete request.
        fc.pre(before.length > 0 && !/^(?:buy|sell)$/.test(words[here] ?? ''));
        for (const intent of acts(said))
          expect(isLarger(intent, before), `${text} ⇒ ${said} → ${JSON.stringify(intent)}`).toBe(false);
      }),
      { numRuns: RUNS },
    );
  }, 60_000);
});

type Order = Extract<Intent, { kind: 'order' | 'standing' }>;

/** Returns whether an order trades more than every order of its side and symbol before it, or at any price instead of one. */
function isLarger(intent: Intent, before: readonly Intent[]): boolean {
  const order = intent as Order;
  const same = before.filter(
    (one): one is Order =>
      (one as Order).request.side === order.request.side && listIntentSymbols(one)[0] === listIntentSymbols(order)[0],
  );
  return !same.some((one) => isWithin(order, one));
}

function isWithin(order: Order, one: Order): boolean {
  const sizes = (each: Order) => ({
    qty: each.request.qty,
    notional: each.request.notional,
    fraction: each.kind === 'order' ? each.fraction : undefined,
    cash: each.kind === 'order' ? each.cash : undefined,
  });
  const [own, its] = [sizes(order), sizes(one)];
  const isSmaller = (Object.keys(own) as (keyof typeof own)[]).some(
    (name) => own[name] !== undefined && its[name] !== undefined && Number(own[name]) <= Number(its[name]),
  );
  const keeps = order.kind === 'order' && one.kind === 'order' && one.keep !== undefined && order.keep === one.keep;
  const isPriced = (each: Order) =>
    ['limit_price', 'stop_price', 'trail_percent', 'stop_loss_stop_price']
      .filter((name) => name in each.request)
      .join();
  return (isSmaller || keeps) && isPriced(order) === isPriced(one) && order.kind === one.kind;
}
