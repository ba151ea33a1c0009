import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { resultJsonSchema, rulesJsonSchema } from '../../../src/check/json-schemas.ts';
import { defaultRulesFile, parseRules } from '../../../src/check/load-rules.ts';
import { rules } from './sample-snapshot.ts';

const refused = async (text: string) => {
  const error = await parseRules(text, 'r.yaml').then(
    () => undefined,
    (caught: unknown) => caught as { code: string; message: string; hint: string },
  );
  expect(error?.code).toBe('invalid_config');
  return `${error?.message} | ${error?.hint}`;
};

const lines = (...more: string[]) => ['rules:\n  - name: a', ...more].join('\n    ');

describe('a rules file is refused, with its line and the nearest right word, for', () => {
  const fall = (more: string) => rules(`name: a, kind: drawdown, above: 5%, ${more}`);
  const both = rules('name: a, kind: drawdown, above: 5%', 'name: a, kind: drawdown, above: 9%');
  const noOrder = 'kind: order, symbol: AAPL, below: 5, order: {side: buy, qty: 1, notional: 5}';
  it.each<[string, string, string, string?]>([
    ['an unknown key at the top', 'rulez: []', ':1: unknown key "rulez"', 'Did you mean "rules"?'],
    [
      'an unknown key of a rule',
      lines('kind: price', 'symbol: AAPL', 'abov: 5'),
      ':5: unknown key "rules[0].abov"',
      'Did you mean "above"?',
    ],
    [
      'an unknown key of the suggestions',
      'suggest:\n  buyonly: true',
      ':2: unknown key "suggest.buyonly"',
      'Did you mean "buy_only"?',
    ],
    [
      'an unknown kind',
      lines('kind: prise', 'symbol: AAPL'),
      ':3: there is no rule kind "prise"',
      'Did you mean "price"?',
    ],
    ['a rule without a kind', lines(), ':2: a rule needs a kind', 'Valid here: price, move'],
    [
      'a percentage without its sign',
      lines('kind: drawdown', 'above: 10'),
      ':4: "rules[0].above" must be a percentage with a percent sign: 5%',
    ],
    [
      'a duration without its unit',
      rules('name: a, kind: stale, older_than: 15'),
      ':2: "rules[0].older_than" must be a duration such as 15m',
    ],
    ['what is missing', lines('kind: price', 'below: 5'), ':2: "rules[0].symbol" is missing'],
    ['what is empty', 'targets: {AAPL: 50%}\nrules:\n', ':2: "rules" is empty'],
    ['what is of another type', 'rules:\n  name: a', ':1: "rules" must be a list'],
    [
      'a word that is none of a few',
      fall('severity: critcal'),
      ':2: "rules[0].severity" must be info or warning or critical',
      'Did you mean "critical"?',
    ],
    [
      'a file that holds something else',
      'just words',
      ' must be keys and values',
      'The valid keys are targets, benchmark, sectors, suggest, rules',
    ],
    [
      'both limits',
      rules('name: a, kind: price, symbol: AAPL, above: 5, below: 3'),
      ':2: "rules[0]" needs exactly one of "above" and "below"',
    ],
    ['one name twice', both, ':3: "rules[1].name" "a" is already the name of another rule'],
    [
      'targets of more than everything',
      'targets:\n  AAPL: 60%\n  MSFT: 50%',
      ':1: "targets" must add up to at most 100%',
    ],
    ['a drift rule without targets', rules('name: a, kind: drift'), ':2: a drift rule needs targets', 'targets: {'],
    [
      'a message that names what the rule does not know',
      lines('kind: drawdown', 'above: 5%', 'message: "{drawdwn} down"'),
      `:5: the message of rule "a" can't use {drawdwn}`,
      'Did you mean "drawdown"?',
    ],
    [
      'an order that could not be one',
      rules(`name: a, ${noOrder}`),
      ':2: rule "a": the order has both a quantity and an amount',
      'Give either',
    ],
    ['a date that is none', fall('snooze: tomorrow'), ':2: "rules[0].snooze" must be a date such as'],
    ['broken YAML', 'rules:\n  - {name: a', ':2'],
    ['a list', '- a', ''],
  ])('%s', async (_what, text, message, hint = '') => {
    const said = await refused(text);
    expect(said).toContain(`r.yaml${message}`);
    expect(said).toContain(hint);
  });
});

describe('a rules file', () => {
  it('may be empty, and the default rules are valid', async () => {
    expect((await parseRules('', 'r.yaml')).rules).toEqual([]);
    expect(defaultRulesFile().rules.length).toBeGreaterThan(5);
  });

  it('becomes fractions, milliseconds and instants in New York, through both changes of the clocks', async () => {
    const text = rules(
      'name: a, kind: stale, older_than: 15m, snooze: 2026-03-09',
      'name: b, kind: stale, older_than: 2h, snooze: 2026-11-02',
      'name: c, kind: loss, above: 2.5%',
      'name: d, kind: loss, above: $500',
    );
    expect((await parseRules(text, 'r.yaml')).rules).toMatchObject([
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
  ])('docs/reference/schema/%s.json is what the program checks by (else: node scripts/schemas.mjs)', (name, schema) => {
    const file = new URL(`../../../docs/reference/schema/${name}.json`, import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema())));
  });
});
