import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resultJsonSchema, rulesJsonSchema } from '../../../src/check/json-schemas.ts';
import { parseRules, standardRules } from '../../../src/check/load-rules.ts';

const refused = async (text: string) => {
  const error = await parseRules(text, 'r.yaml').then(
    () => undefined,
    (caught: unknown) => caught as { code: string; message: string; hint: string },
  );
  expect(error?.code).toBe('invalid_config');
  return `${error?.message} | ${error?.hint}`;
};

describe('a rules file is refused, with its line and the nearest right word, for', () => {
  it.each([
    ['an unknown key at the top', 'rulez: []', 'r.yaml:1: unknown key "rulez"', 'Did you mean "rules"?'],
    [
      'an unknown key of a rule',
      'rules:\n  - name: a\n    kind: price\n    symbol: AAPL\n    abov: 5',
      'r.yaml:5: unknown key "rules[0].abov"',
      'Did you mean "above"?',
    ],
    [
      'an unknown key of the suggestions',
      'suggest:\n  buyonly: true',
      'r.yaml:2: unknown key "suggest.buyonly"',
      'Did you mean "buy_only"?',
    ],
    [
      'an unknown kind',
      'rules:\n  - name: a\n    kind: prise\n    symbol: AAPL',
      'r.yaml:3: there is no kind of rule "prise"',
      'Did you mean "price"?',
    ],
    [
      'a rule without a kind',
      'rules:\n  - name: a',
      'r.yaml:2: a rule needs a kind',
      'Known here: price, move',
    ],
    [
      'a percentage without its sign',
      'rules:\n  - name: a\n    kind: drawdown\n    above: 10',
      'r.yaml:4: "rules[0].above" must be a percentage, with its sign: 5%',
      '',
    ],
    [
      'a duration without its unit',
      'rules:\n  - {name: a, kind: stale, older_than: 15}',
      'r.yaml:2: "rules[0].older_than" must be a duration such as 15m',
      '',
    ],
    [
      'what is missing',
      'rules:\n  - name: a\n    kind: price\n    below: 5',
      'r.yaml:2: "rules[0].symbol" is missing',
      '',
    ],
    ['what is empty', 'targets: {AAPL: 50%}\nrules:\n', 'r.yaml:2: "rules" is empty', ''],
    ['what is of another type', 'rules:\n  name: a', 'r.yaml:1: "rules" must be a list', ''],
    [
      'a word that is none of a few',
      'rules:\n  - {name: a, kind: drawdown, above: 5%, severity: critcal}',
      'r.yaml:2: "rules[0].severity" must be info or warning or critical',
      'Did you mean "critical"?',
    ],
    [
      'a file that holds something else',
      'just words',
      'r.yaml must be keys with their values',
      'It holds targets, benchmark, sectors, suggest, rules',
    ],
    [
      'both limits',
      'rules:\n  - {name: a, kind: price, symbol: AAPL, above: 5, below: 3}',
      'r.yaml:2: "rules[0]" needs exactly one of "above" and "below"',
      '',
    ],
    [
      'one name twice',
      'rules:\n  - {name: a, kind: drawdown, above: 5%}\n  - {name: a, kind: drawdown, above: 9%}',
      'r.yaml:3: "rules[1].name" "a" names another rule already',
      '',
    ],
    [
      'targets of more than everything',
      'targets:\n  AAPL: 60%\n  MSFT: 50%',
      'r.yaml:1: "targets" must be 100% together at most',
      '',
    ],
    [
      'a drift rule without targets',
      'rules:\n  - {name: a, kind: drift}',
      'r.yaml:2: a drift rule needs targets',
      'targets: {',
    ],
    [
      'a message that names what the rule does not know',
      'rules:\n  - name: a\n    kind: drawdown\n    above: 5%\n    message: "{drawdwn} down"',
      `r.yaml:5: a message of rule "a" can't name {drawdwn}`,
      'Did you mean "drawdown"?',
    ],
    [
      'an order that could not be one',
      'rules:\n  - {name: a, kind: order, symbol: AAPL, below: 5, order: {side: buy, qty: 1, notional: 5}}',
      'r.yaml:2: rule "a": the order has both a quantity and an amount',
      'Give either',
    ],
    [
      'a date that is none',
      'rules:\n  - {name: a, kind: drawdown, above: 5%, snooze: tomorrow}',
      'must be a date such as',
      '',
    ],
    ['broken YAML', 'rules:\n  - {name: a', 'r.yaml:2', ''],
    ['a list', '- a', 'r.yaml', ''],
  ])('%s', async (_what, text, message, hint) => {
    const said = await refused(text);
    expect(said).toContain(message);
    expect(said).toContain(hint);
  });
});

describe('a rules file', () => {
  it('may be empty, and the usual rules are valid', async () => {
    expect((await parseRules('', 'r.yaml')).rules).toEqual([]);
    expect(standardRules().rules.length).toBeGreaterThan(5);
  });

  it('becomes fractions, milliseconds and instants in New York, through both changes of the clocks', async () => {
    const { rules } = await parseRules(
      `rules:
  - {name: a, kind: stale, older_than: 15m, snooze: 2026-03-09}
  - {name: b, kind: stale, older_than: 2h, snooze: 2026-11-02}
  - {name: c, kind: loss, above: 2.5%}
  - {name: d, kind: loss, above: $500}
`,
      'r.yaml',
    );
    expect(rules).toMatchObject([
      { older_than: 900_000, snooze: Date.parse('2026-03-09T00:00:00-04:00') },
      { older_than: 7_200_000, snooze: Date.parse('2026-11-02T00:00:00-05:00') },
      { above: { fraction: '0.025' } },
      { above: { dollars: '500' } },
    ]);
  });
});

describe('the published schemas', () => {
  it.each([
    ['check-rules.schema', rulesJsonSchema],
    ['check', resultJsonSchema],
  ])(
    'docs/reference/schema/%s.json is what the program checks by (else: node scripts/schemas.mjs)',
    (name, schema) => {
      const file = new URL(`../../../docs/reference/schema/${name}.json`, import.meta.url);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema())));
    },
  );
});
