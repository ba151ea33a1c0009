import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CedarEngine, loadCedar } from '../../../../src/gateway/policy/cedar/cedar-engine.ts';
import { createCedarRules } from '../../../../src/gateway/policy/cedar/cedar-rules.ts';
import { type CedarRule, parseBaseRules, parseRules } from '../../../../src/gateway/policy/cedar/rule-text.ts';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import type { DecisionFacts, DecisionSubject } from '../../../../src/gateway/policy/decision.ts';
import { compareRules } from '../../../../src/gateway/policy/files/compare.ts';
import {
  type AccountLimits,
  accountLimitsSchema,
  findAccountLimits,
  type Limits,
  type Rules,
} from '../../../../src/gateway/policy/rules.ts';
import type { LimitName } from '../../../../src/trading/limit-words.ts';
import { alice, withOrder } from './cedar/decided.ts';

let engine: CedarEngine;
let base: CedarRule[];
let own: CedarRule[];
beforeAll(async () => {
  engine = await loadCedar();
  base = parseBaseRules(engine);
  const rule = (name: string, when: string) =>
    `@id("${name}") forbid (principal, action in Action::"trade", resource) when { ${when} };`;
  const text = [
    rule('no-b', 'context.order.symbol == "B"'),
    rule('no-mandates', 'context.approval == "mandate"'),
    rule('twice', 'context.counted.day_orders > 1 && context.order.side == "sell"'),
    `@code("LIVE_NEEDS_TAP") ${rule('ask', 'context.approval == "mandate"')}`,
  ];
  own = parseRules(engine, [{ origin: 'policies', file: 'policies/own.cedar', text: text.join('\n') }]);
});

/* Few values, so that one is often the bound of another. */
const amount = fc.constantFrom('1', '2', '2.5', '3');
const count = fc.constantFrom(1, 2, 3);
const symbols = fc.subarray(['A', 'B', 'C']);
const sides = fc.constantFrom('buy', 'sell').map((side) => side as 'buy' | 'sell');
const all: fc.Arbitrary<Required<AccountLimits>> = fc.record({
  max_order_notional: amount,
  max_order_qty: amount,
  max_day_notional: amount,
  max_day_orders: count,
  max_orders_per_minute: count,
  max_open_orders: count,
  max_day_loss: amount,
  max_position_weight: fc.constantFrom('0.1', '0.2', '0.5'),
  max_price_deviation: fc.constantFrom('0.01', '0.05', '0.1'),
  min_seconds_between_same: fc.constantFrom(10, 60, 90),
  second_person_above: amount,
  deny_opposing: fc.constant(true as const),
  own_words: fc.constant(true as const),
  message_recipients: fc.subarray(['slack:#a', 'gmail:a@b.example']),
  max_day_messages: count,
  number_matching_above: amount,
  symbols: fc.oneof(
    symbols.map((allow) => ({ allow })),
    symbols.map((deny) => ({ deny })),
  ),
  asset_classes: fc.subarray<'us_equity' | 'crypto'>(['us_equity', 'crypto'], { minLength: 1 }),
  sides: fc.subarray<'buy' | 'sell'>(['buy', 'sell'], { minLength: 1 }),
  types: fc.subarray<'limit' | 'market'>(['limit', 'market'], { minLength: 1 }),
  hours: fc.record({
    zone: fc.constantFrom('America/New_York', 'UTC'),
    from: fc.constantFrom('09:00', '10:00'),
    to: fc.constantFrom('10:01', '16:00'),
    days: fc.subarray<'tue' | 'wed'>(['tue', 'wed'], { minLength: 1 }),
  }),
  live: fc.record({ mandate_up_to: amount, second_person_above: amount }, { requiredKeys: [] }),
});

const names = Object.keys(accountLimitsSchema.shape) as LimitName[];
const pick = (limits: AccountLimits, some: readonly LimitName[]) =>
  Object.fromEntries(some.map((name) => [name, limits[name]])) as AccountLimits;
/** Few of them, so that not all is denied by one or another. */
const accountLimits = fc.tuple(all, fc.subarray(names, { maxLength: 2 })).map(([limits, some]) => pick(limits, some));

/** Limits, and other ones of which this one is changed, comes or goes. */
const pairsBy = (name: LimitName) =>
  fc
    .tuple(accountLimits, all, fc.option(all, { freq: 3 }))
    .map(([limits, one, other]) => ({
      before: { ...limits, ...pick(one, [name]) },
      after: { ...limits, ...(other === null ? {} : pick(other, [name])) },
    }))
    .chain(({ before, after }) => fc.constantFrom({ before, after }, { before: after, after: before }));

const known: fc.Arbitrary<DecisionFacts> = fc
  .record({
    symbol: fc.constantFrom('A', 'B', 'C'),
    side: sides,
    type: fc.constantFrom('limit', 'market'),
    notional: fc.option(fc.constantFrom('0.5', '0.75', '1.5', '2.25', '4'), { freq: 8 }),
    shares: fc.constantFrom('0.5', '2', '2.6'),
    limit_price: fc.option(fc.constantFrom('100', '102', '107', '120')),
    at: fc.constantFrom('2026-11-25T14:30:00Z', '2026-11-25T15:00:00Z', '2026-11-24T15:02:00Z'),
    environment: fc.constantFrom('paper' as const, 'live' as const),
    day_notional: fc.constantFrom('0', '0.5', '1'),
    day_orders: fc.nat(3),
    last_minute: fc.nat(3),
    open_orders: fc.nat(3),
    same_before: fc.option(fc.constantFrom(5, 30, 75, 100)),
    opposes_open: fc.boolean(),
    equity: fc.constantFrom('10', '11', '12'),
  })
  .map((one) => {
    const { symbol, side, type, notional, shares, limit_price, at, environment, equity, ...counts } = one;
    const { counted, holdings, market } = withOrder({});
    return withOrder(
      { symbol, side, type, notional, shares, qty: shares, limit_price },
      {
        environment,
        at,
        market: market === null ? null : { ...market, at },
        counted: { ...counted, ...counts },
        holdings: holdings === null ? null : { ...holdings, equity, last_equity: '12', value: '1' },
      },
    );
  });

const subjects: fc.Arbitrary<DecisionSubject> = fc.constantFrom(
  { ...alice, approval: 'none', approvers: [] },
  alice,
  { ...alice, approvers: ['alice', 'bob'] },
  { ...alice, approval: 'mandate', approvers: [] },
);

/** Which of the owner's rules there are. */
const marks = fc.constantFrom<number[]>([], [], [0], [1], [2], [3], [0, 1]);

function rulesOf(account: AccountLimits, chosen: readonly number[]) {
  const limits: Limits = { version: 1, accounts: { '*': account } };
  const limitsOf = (number: string) => findAccountLimits(limits, number);
  const mine = own.filter((_, index) => chosen.includes(index));
  const rules: Rules = { digest: '', limitsOf, cedar: createCedarRules(engine, [...base, ...mine], limitsOf) };
  return { rules, compared: { limits, cedarRules: mine } };
}

const strictness = { allow: 0, ask: 1, deny: 2 };
const seen = { tighter: 0, stricter: 0, looser: 0, milder: 0 };

describe('a tighter set of rules allows nothing that the former denied, and asks for no less', () => {
  it.each(names)('where %s is another one', (name) => {
    const property = fc.property(pairsBy(name), marks, marks, fc.nat(3), known, subjects, (limits, ...others) => {
      const [some, other, same, facts, who] = others;
      const before = rulesOf(limits.before, some);
      const after = rulesOf(limits.after, same > 0 ? some : other);
      const { tighter, changes } = compareRules(before.compared, after.compared);
      const was = strictness[evaluatePolicy(before.rules, who, 'place', facts).effect];
      const is = strictness[evaluatePolicy(after.rules, who, 'place', facts).effect];
      if (tighter && changes.length > 0) seen.tighter += 1;
      if (tighter && is > was) seen.stricter += 1;
      if (!tighter) seen.looser += 1;
      if (!tighter && is < was) seen.milder += 1;
      if (tighter) expect(is).toBeGreaterThanOrEqual(was);
      if (changes.length === 0) expect(is).toBe(was);
    });
    fc.assert(property, { numRuns: Number(process.env.TIGHTER_RUNS ?? 50) });
  });

  it('and both were looked at', () => {
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(10);
  });
});
