import { beforeAll, describe, expect, it } from 'vitest';
import { isTradeAgentError, type TradeAgentError } from '../../../../../src/errors/errors.ts';
import { type CedarEngine, loadCedar } from '../../../../../src/gateway/policy/cedar/cedar-engine.ts';
import { parseRules, type RuleOrigin } from '../../../../../src/gateway/policy/cedar/rule-text.ts';

let engine: CedarEngine;
beforeAll(async () => {
  engine = await loadCedar();
});

const text = (text: string, file = 'policies/own.cedar', origin: RuleOrigin = 'policies') => ({
  origin,
  file,
  text,
});
const read = (...texts: readonly string[]) =>
  parseRules(
    engine,
    texts.map((one, index) => text(one, `policies/${'abc'[index]}.cedar`)),
  );

function fault(rule: string, origin: RuleOrigin = 'policies'): TradeAgentError {
  try {
    parseRules(engine, [text(rule, `${origin}/own.cedar`, origin)]);
  } catch (error) {
    if (isTradeAgentError(error)) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const when = (condition: string, annotations = '@id("mine")') =>
  `// Mine.\n${annotations} forbid (principal, action in Action::"trade", resource)\nwhen { ${condition} };\n`;

describe('a rule', () => {
  it('has a name, a reason and a message', () => {
    const [rule] = read(
      when('context.order.symbol == "GME"', '@id("no-gme") @code("SYMBOL_DENIED") @message("no games")'),
    );
    expect(rule).toMatchObject({ id: 'policies/no-gme', reason: 'SYMBOL_DENIED', message: 'no games' });
  });

  it('gets what it says nothing of', () => {
    const [rule] = read(when('context.order.symbol == "A"'));
    const message = 'the rule "mine" of policies/a.cedar forbids it';
    expect(rule).toMatchObject({ id: 'policies/mine', reason: 'POLICY_FORBIDS', message });
  });

  it('is the text of its own name, also beyond the ninth', () => {
    const symbols = Array.from({ length: 12 }, (_, index) => `S${index + 1}`);
    const rules = read(
      symbols.map((symbol) => when(`context.order.symbol == "${symbol}"`, `@id("${symbol}")`)).join(''),
    );
    expect(rules.map(({ id, text }) => [id, /== "(S\d+)"/.exec(text)?.[1]])).toEqual(
      symbols.map((symbol) => [`policies/${symbol}`, symbol]),
    );
  });

  it('may be called as one of the firm’s is', () => {
    const rule = when('context.order.symbol == "A"', '@id("same")');
    const rules = parseRules(engine, [text(rule), text(rule, 'firm/a.cedar', 'firm')]);
    expect(rules.map(({ id }) => id)).toEqual(['policies/same', 'firm/same']);
  });

  it('is the same however it is written', () => {
    const [a, b, c] = read(
      '@id("w") forbid (principal, action, resource) when { context.approval == "mandate" };',
      '@id("x") @message("y") forbid(principal,\n action, // any\n resource) when {context.approval=="mandate"};',
      '@id("y") @code("LIVE_NEEDS_TAP") forbid (principal, action, resource) when { context.approval == "mandate" };',
    );
    expect(a?.form).toBe(b?.form);
    expect(a?.form).not.toBe(c?.form);
  });

  it('is none in a comment, or in an empty file', () => {
    expect(read('', '// forbid (principal, action, resource);\n')).toEqual([]);
  });
});

describe('refused with file, line and column is', () => {
  const forbid = '@id("mine") forbid (principal, action, resource);';
  const typo = (name: string) => new RegExp(`attribute \`order.${name}\` in context for Action::"place" not found$`);

  it.each<[string, string, string, RegExp, string?]>([
    [
      'a permit',
      `${forbid}\n\npermit (principal, action, resource);`,
      '3:1',
      /this rule permits/,
      'Write a "forbid" rule',
    ],
    [
      'a typo',
      when('context.order has notional && context.order.notionel == decimal("1.0")'),
      ...(['3:38', typo('notionel'), 'Did you mean `notional`?'] as const),
    ],
    [
      'a typo behind letters of several bytes',
      when('"ü€" == "ü" || context.order.symbl == "A"'),
      ...(['3:23', typo('symbl'), 'Did you mean `symbol`?'] as const),
    ],
    [
      'an action that is none',
      '@id("mine") forbid (principal, action == Action::"plce", resource);',
      ...(['1:42', /unrecognized action/, 'Did you mean `Action::"place"`?'] as const),
    ],
    ['a rule that can never hold', when('context.order.symbol == "A" && 1 == 2'), '2:1', /impossible/],
    ['letters of two scripts in one word', when('context.order.symbol == "ААPL"'), '3:32', /mixed scripts/],
    [
      'an attribute that may be missing',
      when('context.order.notional.greaterThan(decimal("1.0"))'),
      ...(['3:8', /optional attribute/, "Try testing for the attribute's presence"] as const),
    ],
    [
      'an amount without a point',
      when('context.order.reference_price.greaterThan(decimal("1"))'),
      ...(['3:50', /decimal/, 'Valid decimal strings look like `12.34`'] as const),
    ],
    [
      'what is no Cedar',
      'forbid (principal, action, resource) when { context. };',
      ...(['1:54', /unexpected token/, 'Expected identifier'] as const),
    ],
    [
      'another word than forbid',
      `// Mine\n  ${forbid.replace('forbid', 'forbd')}`,
      '2:15',
      /forbd/,
      'Effect must be either',
    ],
    [
      'a template',
      '// Mine\nforbid (principal == ?principal, action, resource);',
      '2:1',
      /templates are not supported/,
    ],
    ['a reason that no rule gives', `@code("SYMBOL_DENYED") ${forbid}`, '1:1', /@code/, 'Did you mean SYMBOL_DENIED?'],
    ['a reason that is not an owner’s to give', `@code("MARKET_CLOSED") ${forbid}`, '1:1', /@code/],
    ['an annotation that is none', `@massage("x") ${forbid}`, '1:1', /@massage/, 'Did you mean @message?'],
    ['a name that is none', forbid.replace('mine', 'a b'), '1:1', /@id/],
    [
      'a rule without a name',
      `${forbid}\nforbid (principal, action, resource);`,
      ...(['2:1', /the rule has no @id/, 'Write a name above it, such as @id("no-options").'] as const),
    ],
    ['a message that would be shown as another one', `@message("a\\u{202e}b") ${forbid}`, '1:1', /@message/],
    ['a character that can’t be seen', `// a\u202e\n${forbid}`, '1:5', /invisible character/],
    [
      'a rule about cancels, which always pass',
      '@id("mine") forbid (principal, action == Action::"cancel", resource);',
      ...(['1:42', /unrecognized action/] as const),
    ],
  ])('%s', (_, rule, place, message, hint = '') => {
    const error = fault(rule);
    expect(error.code).toBe('invalid_config');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`policies/own.cedar:${place}: `);
    const [line, column] = place.split(':').map(Number);
    expect(error.details).toEqual({ file: 'policies/own.cedar', line, column });
    expect(error.hint ?? '').toContain(hint);
  });

  it('the rule itself, and not the comment that it was copied from', () => {
    const wrong =
      '@id("mine") forbid (principal, action in Action::"trade", resource) when { context.order.symbl == "A" };';
    expect(fault(`// "ü ${wrong}\n${wrong}`).message).toContain('own.cedar:2:76: ');
  });

  it('a permit of the firm’s', () => {
    expect(fault('permit (principal, action, resource);', 'firm').message).toContain('firm/own.cedar:1:1: ');
  });

  it('a name twice, with the place of the first', () => {
    const rule = '@id("a") forbid (principal, action, resource);';
    expect(() => read(rule, `\n${rule}`)).toThrow(
      'policies/b.cedar:2:1: the rule "a" already exists, at policies/a.cedar:1:1',
    );
  });

  it('the first of several, which tells of the others', () => {
    const error = fault(when('context.a == 1') + when('context.b == 1', '@id("other")'));
    expect(error.message).toContain('own.cedar:3:8: ');
    expect(error.message).toContain('(and 1 more)');
  });
});
