import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CedarEngine, loadCedar } from '../../../../../src/gateway/policy/cedar/cedar-engine.ts';
import { createCedarRules, unavailableCedarRules } from '../../../../../src/gateway/policy/cedar/cedar-rules.ts';
import { parseBaseRules, parseRules } from '../../../../../src/gateway/policy/cedar/rule-text.ts';
import type { DecisionFacts, PolicyAction } from '../../../../../src/gateway/policy/decision.ts';
import { alice, anOrder, facts, withOrder } from './decided.ts';

let engine: CedarEngine;
beforeAll(async () => {
  engine = await loadCedar();
});

/** An owner's rules beside our own. */
function rulesOf(text: string) {
  const own = parseRules(engine, [{ origin: 'policies', file: 'policies/own.cedar', text }]);
  return createCedarRules(engine, [...parseBaseRules(engine), ...own], () => undefined);
}

const answer = (text: string, known: DecisionFacts = facts, action: PolicyAction = 'place') =>
  rulesOf(text).evaluate(alice, action, known);

const forbids = (id: string, condition: string) =>
  `@id("${id}") forbid (principal, action in Action::"trade", resource) when { ${condition} };`;

/** Whether it is forbidden where the condition holds. */
function holds(condition: string, known: DecisionFacts = facts): boolean {
  const { forbidden, error } = answer(forbids('mine', condition), known);
  expect(error).toBeUndefined();
  return forbidden.length === 1;
}

describe('an owner’s rules', () => {
  it('each forbid, in the order in which they are written', () => {
    const text = `
      @id("z") @code("SYMBOL_DENIED") @message("never") forbid (principal, action, resource);
      ${forbids('y', 'context.order.symbol == "GME"')}
      ${forbids('a', 'context.order.symbol == "AAPL"')}`;
    const message = 'the rule "a" of policies/own.cedar forbids it';
    const never = { id: 'policies/z', reason: 'SYMBOL_DENIED', message: 'never' };
    const forbidden = [never, { id: 'policies/a', reason: 'POLICY_FORBIDS', message }];
    expect(answer(text)).toEqual({ forbidden });
  });

  it.each([
    ['an integer overflow', 'context.counted.day_orders + 9223372036854775807 > 0'],
    [
      'an overflow behind another condition',
      'context.order.symbol == "AAPL" && context.counted.day_orders * 9223372036854775807 > 0',
    ],
  ])('that fail deny, without a word of what is known: %s', (_, condition) => {
    const { forbidden, error } = answer(`
      ${forbids('fails', condition)}
      ${forbids('holds', 'context.order.side == "buy"')}`);
    expect(error).toBe('these rules can’t be evaluated: policies/fails');
    expect(forbidden.map(({ id }) => id)).toEqual(['policies/holds']);
  });

  it('that fail let a cancel pass', () => {
    const text =
      '@id("mine") forbid (principal, action, resource) when { context.approver_count + 9223372036854775807 > 0 };';
    expect(answer(text).error).toBeDefined();
    expect(answer(text, { ...facts, order: null }, 'cancel')).toEqual({ forbidden: [] });
  });

  it.each<[string, DecisionFacts]>([
    ['an amount beyond all decimals', withOrder({ notional: '922337203685478' })],
    ['an amount that is none', withOrder({ notional: 'NaN' })],
    ['a time that is none', { ...facts, at: 'today' }],
    ['a count that is none', { ...facts, counted: { ...facts.counted, day_orders: 0.5 } }],
    ['no order', { ...facts, order: null }],
  ])('are not asked about %s: it is denied', (_, known) => {
    expect(answer('', known)).toEqual({
      forbidden: [],
      error: 'the rules can’t be evaluated with this data',
    });
  });
});

describe('what is known', () => {
  it.each([
    ['context.order.qty == decimal("10.0") && context.order.shares == decimal("10.0")'],
    ['context.order.notional == decimal("1000.0")'],
    ['context.counted.day_notional_after == decimal("1250.0")'],
    ['context.holdings.day_loss == decimal("1000.5")'],
    ['context.at == datetime("2026-11-25T15:00:00Z")'],
    ['context.at.durationSince(context.market.quoted_at) == duration("1s")'],
    ['context.new_york == { date: "2026-11-25", day: "wed", minute: 600 }'],
    ['context.client == Client::"agent" && principal == User::"alice" && resource == Account::"PA1"'],
    ['resource.owner == principal && resource.environment == "paper"'],
    ['context.approval == "tap" && context.approvers == [User::"alice"] && context.approver_count == 1'],
    ['!(context.order has stop_price) && !(context.counted has same_before)'],
  ])('can be named: %s', (condition) => {
    const guard = [
      'context.order has qty && context.order has notional && context.counted has day_notional_after',
      'context has market && context has holdings && context.holdings has day_loss',
    ].join(' && ');
    expect(holds(`${guard} && (${condition})`)).toBe(true);
    expect(holds(`${guard} && !(${condition})`)).toBe(false);
  });

  it.each([
    ['2026-03-08T06:59:00Z', 'sun', 119],
    ['2026-03-08T07:00:00Z', 'sun', 180],
    ['2026-11-01T05:59:00Z', 'sun', 119],
    ['2026-11-01T06:00:00Z', 'sun', 60],
    ['2026-11-26T04:59:59.999Z', 'wed', 1439],
    ['2026-11-26T05:00:00+00:00', 'thu', 0],
  ])('New York’s wall clock at %s: %s, minute %i', (at, day, minute) => {
    const condition = `context.new_york.day == "${day}" && context.new_york.minute == ${minute}`;
    expect(holds(condition, { ...facts, at })).toBe(true);
  });

  it('amounts of an order are never less than they are, and hardly more', () => {
    const amounts = fc.tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.integer({ min: 0, max: 999_999_999 }));
    const text = `
      @id("above") forbid (principal, action in Action::"trade", resource)
        when { context.order has notional && context.order.notional.greaterThan(decimal("LOW")) };
      @id("far") forbid (principal, action in Action::"trade", resource)
        when { context.order has notional && context.order.notional.greaterThan(decimal("HIGH")) };`;
    fc.assert(
      fc.property(amounts, ([whole, part]) => {
        const fraction = String(part).padStart(9, '0');
        const [low, step] = [`${whole}.${fraction.slice(0, 4)}`, Number(fraction.slice(0, 4)) + 1];
        const high = step === 10_000 ? `${whole + 1}.0` : `${whole}.${String(step).padStart(4, '0')}`;
        const isMore = fraction.slice(4) !== '00000';
        const { forbidden } = answer(
          text.replace('LOW', low).replace('HIGH', high),
          withOrder({ notional: `${whole}.${fraction}` }),
        );
        expect(forbidden.map(({ id }) => id)).toEqual(isMore ? ['policies/above'] : []);
      }),
      { numRuns: 30 },
    );
  });
});

it('what was tried out long ago is still evaluated as it was written', () => {
  const sets = Array.from({ length: 20 }, (_, index) => {
    const symbol = `S${index}`;
    return { symbol, rules: rulesOf(forbids('mine', `context.order.symbol == "${symbol}"`)) };
  });
  for (const round of [1, 2]) {
    for (const { symbol, rules } of sets) {
      const said = (of: string) => rules.evaluate(alice, 'place', withOrder({ symbol: of })).forbidden.length;
      expect([round, symbol, said(symbol), said('OTHER')]).toEqual([round, symbol, 1, 0]);
    }
  }
});

it('without Cedar nothing goes out, and what went out can be cancelled', () => {
  expect(unavailableCedarRules.evaluate(alice, 'place', { ...facts, order: anOrder }).error).toBeDefined();
  expect(unavailableCedarRules.evaluate(alice, 'cancel', facts)).toEqual({ forbidden: [] });
});
