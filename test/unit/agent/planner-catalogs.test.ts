import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseSync } from 'oxc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { composeAnswer } from '../../../src/agent/planner/answer.ts';
import { catalogs, createSay, loadSay } from '../../../src/agent/planner/catalogs.ts';
import { languageOf } from '../../../src/agent/reader/language.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { english, type Phrase, phrase, phraseKey } from '../../../src/text/phrase.ts';
import { describeOpenOrder } from '../../../src/trading/open-order.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anOrder } from '../../fixtures/builders.ts';
import { planned } from './planner-world.ts';

const src = new URL('../../../src/', import.meta.url).pathname;

interface Node {
  readonly type?: string;
  readonly tag?: { readonly name?: string };
  readonly quasi?: { readonly quasis: readonly { readonly value: { readonly cooked: string } }[] };
}

/** The keys of all templates that are tagged with `say` or `phrase`, unless they are made of values alone. */
function sourceKeys(): ReadonlySet<string> {
  const keys = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { type, tag, quasi } = node as Node;
    if (type === 'TaggedTemplateExpression' && /^(?:say|phrase)$/.test(tag?.name ?? '')) {
      keys.add(phraseKey(quasi?.quasis.map(({ value }) => value.cooked) ?? []));
    }
    Object.values(node).forEach(visit);
  };
  for (const file of globSync('{agent,trading}/**/*.ts', { cwd: src })) {
    const text = readFileSync(join(src, file), 'utf8');
    if (/\b(?:say|phrase)`/.test(text)) visit(parseSync(file, text).program);
  }
  return new Set([...keys].filter((key) => /\p{L}/u.test(key)));
}

const keys = sourceKeys();
const placeholders = (text: string) => new Set(text.match(/\{\d+\}/g));
const withoutPlaceholders = (text: string) => text.replace(/\{\d+\}/g, '');
/** Numbers, and words in capitals that are tickers in the examples. */
const facts = (text: string) =>
  new Set(withoutPlaceholders(text).match(/\d+(?:[.,:]\d+)*|\b(?:AAPL|MSFT|NVDA|KO|VTI|BND|BTC|GLD|USO|VXUS|TM)\b/g));
const quoted = (text: string) =>
  [...text.matchAll(/"([^"]+)"|`([^`]+)`/g)].map(([, inner, code]) => inner ?? code ?? '');

const languages = Object.keys(catalogs);

describe.each(languages)('the planner’s sentences in %s', (language) => {
  let catalog: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    catalog = (await catalogs[language]?.[1]())?.default ?? {};
  });

  it('are those of the sources, no fewer and no more', () => {
    expect(Object.keys(catalog).toSorted()).toEqual([...keys].toSorted());
  });

  it('have the placeholders, numbers and tickers of the English ones', () => {
    for (const [key, sentence] of Object.entries(catalog)) {
      expect(placeholders(sentence), sentence).toEqual(placeholders(key));
      expect(facts(sentence), sentence).toEqual(facts(key));
    }
  });

  it('show examples that the planner reads as it reads the English ones', () => {
    const differ = Object.entries(catalog).flatMap(([key, sentence]) => {
      const own = quoted(sentence);
      return quoted(key).flatMap((example, at) => {
        const read = parsePrompt(example);
        if (!('intents' in read) || /\{\d+\}|…/.test(example)) return [];
        return JSON.stringify(parsePrompt(own[at] ?? '')) === JSON.stringify(read) ? [] : [`${example} => ${own[at]}`];
      });
    });
    expect([...new Set(differ)]).toEqual([]);
  });
});

const prices = fc.integer({ min: 1, max: 9_999_999 }).map((cents) => (cents / 100).toFixed(2));
const sizes = fc.integer({ min: 1, max: 100_000 }).map(String);
const orders = fc.record({
  symbol: fc.constantFrom('AAPL', 'BRK.B', 'BTC/USD', 'T'),
  side: fc.constantFrom('buy', 'sell'),
  qty: sizes,
  filled_qty: fc.constantFrom('0', '1', '2.5'),
  filled_avg_price: fc.option(prices, { nil: null }),
  status: fc.constantFrom('new', 'filled', 'partially_filled', 'canceled', 'rejected', 'expired', 'held'),
  type: fc.constantFrom('market', 'limit', 'stop', 'trailing_stop'),
  limit_price: fc.option(prices, { nil: null }),
  stop_price: fc.option(prices, { nil: null }),
  trail_percent: fc.option(fc.constantFrom('5', '2.5'), { nil: null }),
});

/** All numbers and symbols of a text, in alphabetical order. */
const figures = (text: string) =>
  (text.match(/[$]?\d+(?:[.,]\d+)*%?|\b(?:AAPL|BRK\.B|BTC\/USD|T)\b/g) ?? []).toSorted();

describe.each(languages)('answers about orders in %s', (language) => {
  it('have exactly the numbers and symbols of the English ones', async () => {
    const say = await loadSay(language);
    fc.assert(
      fc.property(orders, fc.constantFrom('approved', 'approved by mandate M-7'), (terms, approval) => {
        const order = anOrder(terms as Partial<Order>);
        const results = [
          { tool: 'place_order', args: {}, content: { order, approval } },
          { tool: 'place_orders', args: {}, content: { lines: [{ client_order_id: 'a', outcome: 'placed', order }] } },
          { tool: 'list_orders', args: {}, content: { state: 'open', total: 1, orders: [order] } },
          { tool: 'place_order', args: {}, content: { dry_run: true, would: { text: describeOpenOrder(order) } } },
        ];
        for (const result of results) {
          expect(figures(composeAnswer([result], say))).toEqual(figures(composeAnswer([result])));
        }
      }),
    );
  });

  it('and so have the questions about an order that is not complete', async () => {
    const say = await loadSay(language);
    const said = ['buy AAPL', 'buy 5 5 AAPL', 'sell 10 AAPL for 2300', 'buy 50 of AAPL', 'sell half of AAPL and MSFT'];
    const answer = (plan: ReturnType<typeof planned>) => ('refusal' in plan ? plan.refusal.message : '');
    for (const sentence of [...said, 'sell 250% of my AAPL', 'buy 10 AAPL and MSFT', 'buy AAPL if it hits 180']) {
      const english = answer(planned([sentence]));
      expect(english, sentence).not.toBe('');
      expect(figures(answer(planned([sentence], {}, say))), sentence).toEqual(figures(english));
    }
  });
});

describe('the language of an answer', () => {
  it.each([
    [['buy 5 AAPL'], 'english'],
    [['kaufe AAPL'], 'german'],
    [['AAPL 사줘'], 'korean'],
    [['안녕'], 'korean'],
    [['您好'], 'chinese'],
    [['いくらですか'], 'japanese'],
    [['kaufe AAPL', '5'], 'german'],
    [['kaufe AAPL', 'MSFT'], 'german'],
    [['kaufe AAPL', 'what do I own'], 'english'],
    [['notícias de AAPL'], 'portuguese'],
    [['noticias de AAPL'], 'spanish'],
    [['compre 5 AAPL'], 'spanish'],
    [['quanto está AAPL?', 'AAPL', 'compre 5 AAPL'], 'portuguese'],
    [['¿cuánto vale AAPL?', 'compre 5 AAPL'], 'spanish'],
    [['quanto está AAPL?', '¿cuánto vale AAPL?', 'compre 5 AAPL'], 'spanish'],
    [['AAPL'], 'english'],
    [[], 'english'],
  ])('%j is %s', (turns, language) => {
    expect(languageOf(turns)).toBe(language);
  });

  it.each([
    ['german', 'kaufe AAPL', 'Wie viele Aktien von AAPL, oder für wie viele Dollar?'],
    ['korean', 'AAPL 사줘', 'AAPL 몇 주인가요, 아니면 몇 달러어치인가요?'],
    ['spanish', 'compra AAPL', '¿Cuántas acciones de AAPL o cuántos dólares?'],
    ['japanese', 'AAPLを買って', 'AAPLを何株ですか、それとも何ドル分ですか？'],
    ['french', 'achète AAPL', 'Combien d’actions AAPL, ou pour combien de dollars\u00a0?'],
    ['portuguese', 'compre ações da AAPL', 'Quantas ações de AAPL ou quantos dólares?'],
    ['chinese', '买入AAPL', 'AAPL 要多少股，或多少美元？'],
    ['german', 'soll ich AAPL kaufen?', 'Das ist eine Frage, also habe ich nichts getan.'],
  ])('%s: %s', async (language, said, answer) => {
    const plan = planned([said], {}, await loadSay(language));
    expect('refusal' in plan && plan.refusal.message).toBe(answer);
    expect(plan).not.toHaveProperty('refusal.phrases');
  });

  it('is English for a language without a catalog', async () => {
    expect(await loadSay('english')).toBe(english);
    expect(await loadSay('toString')).toBe(english);
  });
});

describe('a phrase', () => {
  const german = createSay({ 'Buy {0}': 'Kaufe {0}', '{0} shares': '{0} Aktien' }, 'de-DE');
  const bought: Phrase = phrase`Buy ${phrase`${5} shares`}`;

  it('is English until it is said in another language', () => {
    expect(`${bought}`).toBe('Buy 5 shares');
    expect(JSON.stringify(bought)).toBe('"Buy 5 shares"');
    expect(bought.in(german)).toBe('Kaufe 5 Aktien');
  });

  it('can be about another symbol than its example', () => {
    expect(phrase`Try "quote AAPL".`.about('KO').in(german)).toBe('Try "quote KO".');
  });

  it('leaves undefined values out, and never reads a value as a placeholder', () => {
    expect(`${phrase`Buy ${undefined}`}`).toBe('Buy ');
    expect(phrase`Buy ${'{0}'}`.in(german)).toBe('Kaufe {0}');
  });
});
