import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogs, sayIn } from '../../../src/agent/planner/catalogs.ts';
import { languageOf } from '../../../src/agent/reader/language.ts';
import { parsePrompt } from '../../../src/agent/reader/read.ts';
import { english, type Phrase, phrase, phraseKey, type Say } from '../../../src/text/phrase.ts';
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
const quoted = (text: string) => [...text.matchAll(/"([^"]+)"/g)].map(([, inner = '']) => inner);

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
    [['AAPL'], 'english'],
    [[], 'english'],
  ])('%j is %s', (turns, language) => {
    expect(languageOf(turns)).toBe(language);
  });

  it.each([
    ['german', 'kaufe AAPL', 'Wie viele Aktien von AAPL, oder für wie viele Dollar?'],
    ['german', 'soll ich AAPL kaufen?', 'Das ist eine Frage, also habe ich nichts getan.'],
  ])('%s: %s', async (language, said, answer) => {
    const plan = planned([said], {}, await sayIn(language));
    expect('refusal' in plan && plan.refusal.message).toBe(answer);
    expect(plan).not.toHaveProperty('refusal.phrases');
  });

  it('is English for a language without a catalog', async () => {
    expect(await sayIn('english')).toBe(english);
    expect(await sayIn('toString')).toBe(english);
  });
});

describe('a phrase', () => {
  const german: Say = (parts, ...values) =>
    ({ 'Buy {0}': `Kaufe ${values[0]}`, '{0} shares': `${values[0]} Aktien` })[phraseKey(parts)] ??
    english(parts, ...values);
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
